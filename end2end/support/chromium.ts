// How Chromium is started: CHROMIUM names one, else Debian's, else Playwright's own download. Of Debian's two first the one
// that has no window, with which the tests take half the time.
import { existsSync } from 'node:fs';
import type { LaunchOptions } from '@playwright/test';

const candidates = [process.env['CHROMIUM'], '/usr/bin/chromium-headless-shell', '/usr/bin/chromium'];
const installed = candidates.find((path) => path && existsSync(path));
const root = process.getuid?.() === 0;

export const chromium: LaunchOptions = {
  ...(installed ? { executablePath: installed } : {}),
  args: [
    ...(root ? ['--no-sandbox'] : []),
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-gpu',
    '--disable-quic',
    '--disable-sync',
    '--no-first-run',
  ],
};
