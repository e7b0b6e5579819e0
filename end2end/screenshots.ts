// Writes screenshots/*.png. The pages are those of `ipack-connect serve --demo`, the form filled in as an admin would.
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { ACCESS_TOKEN, AUTHORIZATION, ConnectorForm, type Content } from './support/form';
import { settled, signIn } from './support/pages';
import { FIRST_ADMIN, Program } from './support/server';

const DETAILS: Content = {
  'Base URL': 'https://quickbooks.api.intuit.com',
  'Company ID': '9341452451293689',
  'Client ID': 'ABxK3vQ9fE2mTz7LrYc0',
  [AUTHORIZATION]: [
    ['scope', 'com.intuit.quickbooks.accounting openid'],
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
