// `make check-dev`: does `make dev` do what it promises? Starts `cargo leptos watch`, opens the sign-in page in a browser,
// edits the page's source, and waits until the browser shows the edit by itself. Prints the seconds that took, and puts
// the source back.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { chromium } from '@playwright/test';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const PAGE = join(ROOT, 'src/web/src/pages/sign_in.rs');
const HEADING = '<h1>"Sign in"</h1>';
const EDITED = 'Sign in, edited';
const FIRST_BUILD = 30 * 60_000;
const AN_EDIT = 5 * 60_000;

const source = readFileSync(PAGE, 'utf8');
if (!source.includes(HEADING)) throw new Error(`${PAGE} has no ${HEADING} to edit`);
const folder = mkdtempSync(join(tmpdir(), 'ipack-dev-'));
const listen = `127.0.0.1:${await freePort()}`;
const watch = spawn('cargo', ['leptos', 'watch', '--', 'serve'], {
  cwd: ROOT,
  detached: true, // a group of its own, so that what it starts ends with it
  stdio: ['ignore', 'inherit', 'inherit'],
  env: {
    ...process.env,
    IPACK_LISTEN: listen,
    IPACK_DATABASE_URL: `sqlite://${join(folder, 'dev.db')}`,
    IPACK_MASTER_KEY: `v1:${Buffer.from('the master key of make check-dev').toString('base64')}`,
    LEPTOS_SITE_ADDR: listen,
  },
});
let ended = false;
watch.once('exit', () => (ended = true));

let browser;
try {
  const began = Date.now();
  await until(FIRST_BUILD, 'the first build', () =>
    fetch(`http://${listen}/healthz`).then((answer) => answer.ok, () => false),
  );
  console.log(`check-dev: first page after ${seconds(began)} s`);
  browser = await chromium.launch(browserOptions());
  const page = await browser.newPage();
  await page.goto(`http://${listen}/login`);
  const edited = Date.now();
  writeFileSync(PAGE, source.replace(HEADING, `<h1>"${EDITED}"</h1>`));
  // The page reloads itself; nobody asks it to.
  await until(AN_EDIT, 'the edit in the browser', () =>
    page.locator('h1').textContent({ timeout: 500 }).then((text) => text === EDITED, () => false),
  );
  console.log(`check-dev: an edit of a page is seen after ${seconds(edited)} s`);
} finally {
  writeFileSync(PAGE, source);
  await browser?.close();
  if (!ended) process.kill(-watch.pid, 'SIGTERM');
  await Promise.race([new Promise((done) => watch.once('exit', done)), pause(10_000)]);
  rmSync(folder, { recursive: true, force: true });
}

function seconds(since) {
  return ((Date.now() - since) / 1000).toFixed(1);
}

async function until(limit, what, isThere) {
  const end = Date.now() + limit;
  while (!(await isThere())) {
    if (ended) throw new Error(`cargo leptos watch ended before ${what}`);
    if (Date.now() > end) throw new Error(`${what} was not there after ${limit / 1000} s`);
    await pause(100);
  }
}

/** As end2end/support/chromium.ts has it for the tests. */
function browserOptions() {
  const candidates = [process.env.CHROMIUM, '/usr/bin/chromium-headless-shell', '/usr/bin/chromium'];
  const installed = candidates.find((path) => path && existsSync(path));
  const root = process.getuid?.() === 0;
  return { ...(installed ? { executablePath: installed } : {}), args: root ? ['--no-sandbox'] : [] };
}

function freePort() {
  return new Promise((found, failed) => {
    const probe = createServer();
    probe.once('error', failed);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => found(port));
    });
  });
}
