// `npm run screenshots`: the README's pictures, from the program's own demo content.
import { defineConfig } from '@playwright/test';
import { chromium } from './support/chromium';

export default defineConfig({
  testDir: '.',
  testMatch: 'screenshots.ts',
  workers: 1,
  timeout: 60_000,
  reporter: 'list',
  use: { launchOptions: chromium, locale: 'en-GB', timezoneId: 'UTC', reducedMotion: 'reduce' },
});
