// The release program as a test's own process: its own port, its own temporary folder, its own database.
// Only processes started here are ever ended.
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createDatabase, dropDatabase } from './database';

export interface Admin {
  email: string;
  password: string;
}

export const FIRST_ADMIN: Admin = { email: 'first@example.test', password: 'the first admin of this test' };

const PROGRAM = resolve(process.env['IPACK_PROGRAM'] ?? join(__dirname, '../../target/release/ipack-connect'));
/** Of these tests alone: their databases are gone with them. */
export const MASTER_KEY = `v1:${Buffer.from('the master key of the tests 1234').toString('base64')}`;
const START_LIMIT = 20_000;
const STOP_LIMIT = 10_000;

export type Environment = Record<string, string>;

export class Program {
  readonly url: string;
  readonly logFile: string;
  private child: ChildProcess | undefined;
  private exited: Promise<void> = Promise.resolve();

  private constructor(
    readonly folder: string,
    readonly port: number,
    readonly databaseUrl: string,
    private readonly settings: Environment,
    private readonly serveArguments: string[],
    private readonly ownsDatabase = true,
  ) {
    this.url = `http://127.0.0.1:${port}`;
    this.logFile = join(folder, 'server.log');
  }

  /** Starts the program on a fresh database. */
  static async launch(settings: Environment = {}, serveArguments: string[] = []): Promise<Program> {
    if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is not there: \`make build\` first, or set IPACK_PROGRAM`);
    const folder = mkdtempSync(join(tmpdir(), 'ipack-end2end-'));
    return new Program(folder, await freePort(), await createDatabase(folder), settings, serveArguments).started();
  }

  /** One more replica, on the database of another: disposed of before that one. */
  static async beside(other: Program): Promise<Program> {
    const folder = mkdtempSync(join(tmpdir(), 'ipack-end2end-'));
    const { databaseUrl, settings, serveArguments } = other;
    return new Program(folder, await freePort(), databaseUrl, settings, serveArguments, false).started();
  }

  /** Started; one that does not start leaves nothing behind. */
  private async started(): Promise<this> {
    try {
      await this.start();
    } catch (error) {
      await this.dispose();
      throw error;
    }
    return this;
  }

  /** Starts it again on the same database and port; `more` changes the settings for this start. */
  async start(more: Environment = {}): Promise<void> {
    if (this.child) throw new Error('The program runs already');
    const log = openSync(this.logFile, 'a', 0o600);
    const child = spawn(PROGRAM, ['serve', ...this.serveArguments], {
      cwd: this.folder,
      env: this.environment(more),
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.child = child;
    this.exited = new Promise((done) => {
      const over = (): void => {
        if (this.child === child) this.child = undefined;
        done();
      };
      child.once('exit', over);
      child.once('error', over);
    });
    await this.ready();
  }

  /** Asks it to end (SIGTERM) and insists that it does. */
  async stop(): Promise<void> {
    if (!(await this.end('SIGTERM'))) {
      await this.kill();
      throw new Error(`The program was still there ${STOP_LIMIT / 1000} s after SIGTERM`);
    }
  }

  /** Ends it as a power cut would (SIGKILL). */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Runs one of the program's other commands on the same database and gives what it printed. */
  async run(commandLine: string[], input = ''): Promise<string> {
    const child = spawn(PROGRAM, commandLine, { cwd: this.folder, env: this.environment(), stdio: 'pipe' });
    const said = { out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said.err += text));
    child.stdin.on('error', () => undefined).end(input);
    const code = await new Promise<number | null>((done, failed) => {
      child.once('error', failed);
      child.once('close', done);
    });
    if (code !== 0) throw new Error(`ipack-connect ${commandLine.join(' ')} ended with ${code}:\n${said.out}${said.err}`);
    return said.out;
  }

  log(): string {
    return existsSync(this.logFile) ? readFileSync(this.logFile, 'utf8') : '';
  }

  /** Ends it and removes all it kept. */
  async dispose(): Promise<void> {
    try {
      await this.stop();
    } finally {
      if (this.ownsDatabase) await dropDatabase(this.databaseUrl);
      rmSync(this.folder, { recursive: true, force: true });
    }
  }

  private environment(more: Environment = {}): Environment {
    const inherited = Object.entries(process.env).filter(
      (entry): entry is [string, string] => !entry[0].startsWith('IPACK_') && entry[1] !== undefined,
    );
    return {
      ...Object.fromEntries(inherited),
      IPACK_DATABASE_URL: this.databaseUrl,
      IPACK_LISTEN: `127.0.0.1:${this.port}`,
      IPACK_ADMIN_EMAIL: FIRST_ADMIN.email,
      IPACK_ADMIN_PASSWORD: FIRST_ADMIN.password,
      IPACK_RATE_LIMIT: 'off',
      IPACK_MASTER_KEY: MASTER_KEY,
      // Where the tests' identity provider is.
      IPACK_OUTBOUND_ALLOW: '127.0.0.0/8',
      ...this.settings,
      ...more,
    };
  }

  private async ready(): Promise<void> {
    const end = Date.now() + START_LIMIT;
    while (Date.now() < end) {
      if (!this.child) throw new Error(`The program ended while starting:\n${this.log()}`);
      const ready = await fetch(`${this.url}/readyz`).then((answer) => answer.ok, () => false);
      if (ready) return;
      await pause(20);
    }
    throw new Error(`The program was not ready within ${START_LIMIT / 1000} s:\n${this.log()}`);
  }

  private async end(signal: NodeJS.Signals): Promise<boolean> {
    if (!this.child) return true;
    this.child.kill(signal);
    const limit = new AbortController();
    const ended = await Promise.race([
      this.exited.then(() => true),
      pause(STOP_LIMIT, false, { signal: limit.signal }).catch(() => false),
    ]);
    limit.abort();
    return ended;
  }
}

function freePort(): Promise<number> {
  return new Promise((found, failed) => {
    const probe = createServer();
    probe.once('error', failed);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      probe.close(() => found(port));
    });
  });
}
