// Every flow runs twice: with JavaScript and without. A test that only makes sense in one of the two
// carries the tag @javascript or @no-javascript; one that involves no page carries @once.
import { defineConfig } from '@playwright/test';
import { chromium } from './support/chromium';

export default defineConfig({
  testDir: 'tests',
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
    trace: 'retain-on-failure',
  },
  projects: [
    { name: 'javascript', grepInvert: /@no-javascript/, use: { javaScriptEnabled: true } },
    { name: 'no-javascript', grepInvert: /@javascript|@once/, use: { javaScriptEnabled: false } },
  ],
});
