// A fresh database for one program: a SQLite file in its folder or, where IPACK_TEST_POSTGRES names a
// PostgreSQL server (with-postgres.sh starts one), a database of its own there.
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';

const SERVER = process.env['IPACK_TEST_POSTGRES'];

export async function createDatabase(folder: string): Promise<string> {
  if (!SERVER) return `sqlite://${join(folder, 'ipack-connect.db')}`;
  const name = `end2end_${randomUUID().replaceAll('-', '')}`;
  await statement(SERVER, `CREATE DATABASE ${name}`);
  const url = new URL(SERVER);
  url.pathname = `/${name}`;
  return url.href;
}

export async function dropDatabase(url: string): Promise<void> {
  if (!SERVER || !url.startsWith('postgres')) return;
  await statement(SERVER, `DROP DATABASE IF EXISTS ${new URL(url).pathname.slice(1)} WITH (FORCE)`);
}

/** Everything the database holds, as bytes on disk (SQLite, its WAL too) and as rows (PostgreSQL). */
export async function everythingStored(url: string, folder: string): Promise<Buffer> {
  if (!url.startsWith('postgres')) return allFiles(folder, (name) => name.includes('.db'));
  const parts: Buffer[] = [];
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
       WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
    );
    for (const { name } of tables.rows) {
      const rows = await client.query<{ line: string }>(`SELECT t::text AS line FROM ${name} AS t`);
      parts.push(Buffer.from(rows.rows.map((row) => row.line).join('\n')));
    }
    await client.query('CHECKPOINT');
  } finally {
    await client.end();
  }
  const data = process.env['IPACK_TEST_POSTGRES_DATA'];
  if (data) parts.push(allFiles(join(data, 'pg_wal')), allFiles(join(data, 'base')));
  return Buffer.concat(parts);
}

function allFiles(folder: string, wanted: (name: string) => boolean = () => true): Buffer {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(wanted)
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
  return Buffer.concat(files.map((path) => readFileSync(path)));
}

async function statement(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
