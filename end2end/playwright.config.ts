// Every flow runs twice: with JavaScript and without. A test that only makes sense in one of the two
// carries the tag @javascript or @no-javascript; one that involves no page carries @once.
// On PostgreSQL run the files that are about what is kept, with JavaScript. What the others see of a database is asked of
// both by the Rust tests, which post the forms as a browser without JavaScript does.
import { defineConfig } from '@playwright/test';
import { chromium } from './support/chromium';

const aboutWhatIsKept = [
  'api',
  'api-token',
  'conflict',
  'drafts',
  'environments',
  'instance',
  'isolation',
  'overview',
  'restart',
  'secret',
  'session-ended',
  'typed-secret',
].map((name) => `${name}.spec.ts`);

const onPostgres = Boolean(process.env['IPACK_TEST_POSTGRES']);

export default defineConfig({
  testDir: 'tests',
  ...(onPostgres ? { testMatch: aboutWhatIsKept } : {}),
  fullyParallel: false,
  forbidOnly: true,
  retries: 0,
  workers: 2,
  timeout: 45_000,
  expect: { timeout: 7_000 },
  reporter: [['list'], ['./support/closing-line.ts']],
  use: {
    launchOptions: chromium,
    actionTimeout: 7_000,
    navigationTimeout: 15_000,
    locale: 'en-GB',
    timezoneId: 'UTC',
    reducedMotion: 'reduce',
    screenshot: 'only-on-failure',
    // To record one costs a third of the time: `npm test -- --trace on` for a test that failed.
    trace: 'off',
  },
  projects: [
    { name: 'javascript', grepInvert: /@no-javascript/, use: { javaScriptEnabled: true } },
    ...(onPostgres ? [] : [{ name: 'no-javascript', grepInvert: /@javascript|@once/, use: { javaScriptEnabled: false } }]),
  ],
});
