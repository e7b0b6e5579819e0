// Writes screenshots/*.png. The pages are those of `ipack-connect serve --demo`, the form filled in as an admin would.
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { ACCESS_TOKEN, AUTHORIZATION, ConnectorForm, type Content } from './support/form';
import { settled, signIn } from './support/pages';
import { allowAtProvider, signInAtProvider, startIdentityProvider } from './support/identity-provider';
import { FIRST_ADMIN, Program } from './support/server';

const DETAILS: Content = {
  'Base URL': 'https://quickbooks.api.intuit.com',
  'Company ID': '9341452451293689',
  'Client ID': 'ABxK3vQ9fE2mTz7LrYc0',
  [AUTHORIZATION]: [
    ['prompt', 'consent'],
    ['access_type', 'offline'],
  ],
  [ACCESS_TOKEN]: [['audience', 'https://quickbooks.api.intuit.com/']],
};

async function take(page: Page, name: string): Promise<void> {
  await page.evaluate(() => {
    (document.activeElement as HTMLElement | null)?.blur();
    window.scrollTo(0, 0);
  });
  await page.screenshot({ path: join(__dirname, 'screenshots', `${name}.png`), animations: 'disabled' });
}

test('the pictures of the README', async ({ browser }) => {
  const program = await Program.launch({}, ['--demo']);
  try {
    const context = await browser.newContext({ baseURL: program.url, viewport: { width: 1280, height: 960 }, deviceScaleFactor: 2 });
    const page = await context.newPage();
    await page.goto('/login');
    await signIn(page, FIRST_ADMIN);
    await expect(page.getByRole('heading', { name: 'Installed integrations' })).toBeVisible();
    await settled(page);
    await take(page, 'overview-light');

    await page.getByRole('main').locator('a[href*="/connections/"]').first().click();
    await expect(page.getByRole('button', { name: 'Save', exact: true })).toBeVisible();
    await settled(page);
    const key = { space: '', instance: '', environment: '', process: '', connection: '' };
    const form = new ConnectorForm(page, key);
    for (const table of [AUTHORIZATION, ACCESS_TOKEN] as const) {
      while ((await form.rowKeys(table).count()) > DETAILS[table].length) {
        const before = await form.rowKeys(table).count();
        await form.deleteRow(table, before);
        await expect(form.rowKeys(table)).toHaveCount(before - 1);
      }
    }
    await form.fill(DETAILS);
    await page.getByLabel('Provider', { exact: true }).selectOption('quickbooks-online');
    await form.save();
    await form.field('Company ID').fill('9341452451293690');
    await form.keep();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await take(page, `form-${colorScheme}`);
    }
    await page.goto('/');
    await settled(page);
    await take(page, 'overview-dark');
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goBack();
    await settled(page);
    await take(page, 'form-narrow');
  } finally {
    await program.dispose();
  }
});

/** The cards of the form that a heading names, one picture. */
async function takeCards(page: Page, name: string, headings: string[]): Promise<void> {
  const cards = headings.map((heading) => page.locator('.card').filter({ has: page.getByRole('heading', { name: heading, exact: true }) }));
  await page.locator('.action-bar').evaluate((bar) => {
    bar.style.display = 'none';
    (document.activeElement as HTMLElement | null)?.blur();
    window.scrollTo(0, 0);
  });
  await page.mouse.move(0, 0);
  const boxes = [];
  for (const card of cards) boxes.push(await card.boundingBox());
  const found = boxes.filter((box) => box !== null);
  const top = Math.min(...found.map((box) => box.y)) - 16;
  const left = Math.min(...found.map((box) => box.x)) - 16;
  const bottom = Math.max(...found.map((box) => box.y + box.height)) + 16;
  const right = Math.max(...found.map((box) => box.x + box.width)) + 16;
  await page.screenshot({
    path: join(__dirname, 'screenshots', `${name}.png`),
    animations: 'disabled',
    fullPage: true,
    clip: { x: left, y: top, width: right - left, height: bottom - top },
  });
}

test('the pictures of the chapter about the first provider', async ({ browser }) => {
  const provider = await startIdentityProvider({ port: 3080 });
  const program = await Program.launch({}, ['--demo']);
  try {
    const context = await browser.newContext({ baseURL: program.url, viewport: { width: 1280, height: 960 }, deviceScaleFactor: 1.5 });
    const page = await context.newPage();
    await page.goto('/login');
    await signIn(page, FIRST_ADMIN);
    await page.getByRole('main').locator('a[href*="/connections/"]').first().click();
    await settled(page);
    await page.getByLabel('Base URL').fill(provider.issuer);
    await page.getByLabel('Client ID').fill(provider.clients.basic.id);
    await page.getByLabel('Scopes', { exact: true }).fill('books.read books.write');
    await page.getByLabel('Client Secret').fill(provider.clients.basic.secret ?? '');
    await page.getByRole('button', { name: 'Encrypt Client Secret' }).click();
    await expect(page.getByText('Encrypted by')).toBeVisible();
    await takeCards(page, 'provider-secret', ['Connection details', 'Identity provider']);
    const [popup] = await Promise.all([
      page.waitForEvent('popup'),
      page.getByRole('button', { name: 'Generate Token' }).click(),
    ]);
    await signInAtProvider(popup);
    await popup.getByRole('button', { name: 'Allow', exact: true }).waitFor();
    await popup.screenshot({ path: join(__dirname, 'screenshots', 'provider-consent.png') });
    await allowAtProvider(popup);
    await expect(page.getByText('Access Token generation successful')).toBeVisible();
    await expect(page.getByText('Scopes granted')).toBeVisible();
    await takeCards(page, 'provider-token', ['Access token']);
  } finally {
    await program.dispose();
    await provider.stop();
  }
});
