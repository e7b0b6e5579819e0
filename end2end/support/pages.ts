// What tests do on any page, and where things are found on the smaller ones.
import { expect, test, type Locator, type Page } from '@playwright/test';
import { formPath, type Key } from './api';
import type { Admin } from './server';

/** The address of the browser's program; a release has a version behind it. */
export const PROGRAM = /\.wasm(\?|$)/;

/** Whether this run has JavaScript. */
export function scripted(): boolean {
  return test.info().project.use.javaScriptEnabled !== false;
}

/** Goes to a page of the application and waits until it is as alive as it gets. */
export async function open(page: Page, path: string, status = 200): Promise<void> {
  const response = await page.goto(path);
  expect(response?.status(), `status of ${path}`).toBe(status);
  await settled(page);
}

/** With JavaScript: until the form, the one part of the site that wakes up, is awake. */
export async function settled(page: Page): Promise<void> {
  const wakesUp = (await page.locator('form.connector').count()) > 0;
  if (scripted() && wakesUp) await expect(page.locator('body')).toHaveAttribute('data-hydrated', 'true');
}

/** Fills in and sends the sign-in page that is being shown. */
export async function signIn(page: Page, admin: Admin): Promise<void> {
  await page.getByLabel('Email', { exact: true }).fill(admin.email);
  await page.getByLabel('Password', { exact: true }).fill(admin.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

export async function signOut(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
}

/** The part of the overview that is about one instance. */
export function card(page: Page, instance: string): Locator {
  const link = page.getByRole('link', { name: instance, exact: true });
  return page.getByRole('main').locator('article, li, tr').filter({ has: link }).first();
}

/** What the overview says of one connection in one environment. */
export function line(page: Page, key: Key): Locator {
  return card(page, key.instance).locator(`a.connection[href="${formPath(key)}"]`);
}

export async function search(page: Page, words: string): Promise<void> {
  const field = page.getByLabel('Search integrations');
  await field.fill(words);
  await field.press('Enter');
  await expect(page).toHaveURL((url) => url.searchParams.get('q') === words);
  await settled(page);
}

/** The page needs no sideways scrolling. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const { content, view } = await page.evaluate(() => ({
    content: document.documentElement.scrollWidth,
    view: document.documentElement.clientWidth,
  }));
  expect(content, 'width of the content, in a window this wide').toBeLessThanOrEqual(view);
}
