// The session ends while the form is open: it says so, and what was typed is there after signing in again.
import type { Page } from '@playwright/test';
import { formPath } from '../support/api';
import { expect, test } from '../support/fixtures';
import { asDetails, AUTHORIZATION, ConnectorForm, SAMPLE, type Content } from '../support/form';
import { open, scripted, settled, signIn, signOut } from '../support/pages';
import type { Key } from '../support/api';
import type { Admin } from '../support/server';
import type { World } from '../support/world';

const TYPED: Content = {
  ...SAMPLE,
  'Base URL': 'https://typed-without-a-session.example/?a=b&c="d"',
  'Authorization Parameters': [['prompt', 'tiped <too>'], ...SAMPLE[AUTHORIZATION].slice(1)],
};

/** A form whose session ends under it: signed out in another tab. */
async function orphaned(world: World, visit: (how?: { world?: World }) => Promise<Page>): Promise<[ConnectorForm, Admin, Key]> {
  const admin = await world.newAdmin();
  const key = await world.connection(asDetails(SAMPLE));
  const page = await visit({ world });
  await page.goto(formPath(key));
  await signIn(page, admin);
  await settled(page);
  const form = new ConnectorForm(page, key);
  await form.expectContent(SAMPLE);
  const other = await page.context().newPage();
  await open(other, '/');
  await signOut(other);
  await other.close();
  return [form, admin, key];
}

async function signInAgain(form: ConnectorForm, admin: Admin): Promise<void> {
  if (scripted()) {
    const banner = form.page.getByRole('alert').filter({ hasText: 'Your session ended' });
    await expect(banner).toContainText('Your session ended. Sign in again to go on; what you typed is still here.');
    await form.expectContent(TYPED);
    await banner.getByRole('link', { name: 'Sign in again' }).click();
  } else {
    await expect(form.page.getByText('Your session ended. Sign in to go on; what you typed is kept.')).toBeVisible();
  }
  await signIn(form.page, admin);
  await expect(form.button('Save')).toBeVisible();
  await settled(form.page);
}

test('what was typed and sent after the session ended is there after signing in again', async ({ visit, world, complaints }) => {
  complaints.allowStatus(401);
  const [form, admin, key] = await orphaned(world, visit);
  await form.fill(TYPED);
  const answer = form.page.waitForResponse((response) => response.request().method() === 'POST' && response.status() === 401);
  await form.button('Save').click();
  await answer;
  expect(await world.api.details(key), 'nothing is saved without a session').toEqual(asDetails(SAMPLE));
  await signInAgain(form, admin);
  expect(new URL(form.page.url()).pathname).toBe(formPath(key));
  await form.expectContent(TYPED);
  await form.save();
  await form.reload();
  await form.expectContent(TYPED);
  expect(await world.api.details(key)).toEqual(asDetails(TYPED));
});

test('the banner comes by itself while typing', { tag: '@javascript' }, async ({ visit, world, complaints }) => {
  complaints.allowStatus(401);
  const [form, admin] = await orphaned(world, visit);
  await form.fill(TYPED);
  await expect(form.status).not.toHaveText(/All changes kept/);
  await signInAgain(form, admin);
  await form.expectContent(TYPED);
  await form.keep();
  await form.reload();
  await form.expectContent(TYPED);
});

test('what one admin typed is not given to another who signs in instead', async ({ visit, world, complaints }) => {
  complaints.allowStatus(401);
  const [form] = await orphaned(world, visit);
  await form.fill(TYPED);
  const answer = form.page.waitForResponse((response) => response.request().method() === 'POST' && response.status() === 401);
  await form.button('Save').click();
  await answer;
  const stranger = await world.newAdmin();
  await form.page.goto(formPath(form.key));
  await signIn(form.page, stranger);
  await expect(form.button('Save')).toBeVisible();
  await settled(form.page);
  await form.expectContent(SAMPLE);
});

test('a form left alone for too long loses nothing either', async ({ visit, ownWorld, complaints }) => {
  complaints.allowStatus(401);
  const world = await ownWorld({ IPACK_SESSION_IDLE: '3' });
  const key = await world.connection(asDetails(SAMPLE));
  const page = await visit({ world });
  await page.goto(formPath(key));
  await signIn(page, world.anna);
  await settled(page);
  const form = new ConnectorForm(page, key);
  await form.expectContent(SAMPLE);
  // Asking the server would be using the session: the passing of time is what is awaited here.
  await page.waitForTimeout(4_500);
  await form.fill({ 'Base URL': TYPED['Base URL'], 'Authorization Parameters': TYPED[AUTHORIZATION] });
  await form.button('Save').click();
  await signInAgain(form, world.anna);
  await form.expectContent(TYPED);
});
