// A secret that is typed and not sealed yet: every button that saves seals it, and it is never lost behind "Saved".
import { randomUUID } from 'node:crypto';
import type { Page } from '@playwright/test';
import { everythingStored } from '../support/database';
import { expect, test } from '../support/fixtures';
import { ACCESS_TOKEN, AUTHORIZATION, ConnectorForm, resolve } from '../support/form';
import { scripted } from '../support/pages';
import { agree, TokenForm } from '../support/token';

const UNSEALED = 'Not encrypted yet';
const NOT_SAVED = 'Not encrypted, because the form was not saved.';

/** The input says that its text is nowhere else, and so does the foot of the form. */
async function expectUnsealed(form: TokenForm, text: string, input = form.secret): Promise<void> {
  await expect(input).toHaveValue(text);
  await expect(input).toHaveAccessibleDescription(new RegExp(UNSEALED));
  await expect(form.status).toHaveText(/the secret.*not encrypted yet/i);
  await expect(form.status).not.toHaveText(/^\s*Saved/);
}

/** Whether the browser asks before it leaves the page; it stays. */
async function asksBeforeLeaving(page: Page): Promise<boolean> {
  const asked = page.waitForEvent('dialog', { timeout: 1_500 }).then(
    async (dialog) => {
      expect(dialog.type()).toBe('beforeunload');
      await dialog.dismiss();
      return true;
    },
    () => false,
  );
  await page.evaluate(() => setTimeout(() => (location.href = '/'), 0));
  return asked;
}

for (const how of ['Save', 'Enter']) {
  test(`${how} seals what stands in the secret's field`, async ({ visit, world, idp }) => {
    const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
    await form.fillFor(idp, idp.clients.basic.id);
    await form.secret.fill(`  ${idp.clients.basic.secret} `);
    if (scripted()) await expectUnsealed(form, `  ${idp.clients.basic.secret} `);
    if (how === 'Enter') await form.secret.press('Enter');
    else await form.button('Save').click();
    await form.expectEncrypted();
    await expect(form.status).toHaveText(/^\s*Saved/);
    await expect(form.page.getByText(UNSEALED)).toHaveCount(0);
    await form.reload();
    await form.expectEncrypted();
    await form.getToken();
  });
}

test('a save with a blank field does just what it did', async ({ visit, world, idp }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.fillFor(idp, idp.clients.basic.id);
  await form.secret.fill('   ');
  await form.save();
  await expect(form.secret).toBeVisible();
  await expect(form.secret).not.toHaveAttribute('aria-invalid', 'true');
  await expect(form.history).not.toContainText('secret');
});

test('a secret typed beside a sealed one replaces it with the next token', async ({ visit, world, idp }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.fillFor(idp, idp.clients.basic.id);
  await form.encrypt('not the right one');
  await form.unfold('Replace it');
  await form.newSecret.fill(idp.clients.basic.secret ?? '');
  if (scripted()) await expectUnsealed(form, idp.clients.basic.secret ?? '', form.newSecret);
  // Generating saves the form first, and what is typed with it.
  await agree(await form.generate());
  await form.expectToken();
  await expect(form.history).toContainText('the replacement is in use now');
  await form.reload();
  await expect(form.page.getByText(UNSEALED)).toHaveCount(0);
});

test('a refused save says at the field that the secret was not sealed', async ({ visit, world, idp }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.fillFor(idp, idp.clients.basic.id);
  await form.fillRows(AUTHORIZATION, [['', 'no key']]);
  await form.secret.fill('typed once');
  await form.secret.press('Enter');
  await expect(form.summary).toContainText('This value has no key');
  await expect(form.secret).toHaveAttribute('aria-invalid', 'true');
  await expect(form.secret).toHaveAccessibleDescription(new RegExp(NOT_SAVED));
  await expect(form.secret).toBeFocused();
  await expect(form.secret).toBeInViewport();
  if (scripted()) {
    await expectUnsealed(form, 'typed once');
  } else {
    await expect(form.secret).toHaveValue('');
    await expect(form.secret).toHaveAccessibleDescription(/It is kept nowhere: enter it again\./);
  }
  await form.deleteRow(AUTHORIZATION, 1);
  if (!scripted()) await form.secret.fill('typed again');
  await form.button('Save').click();
  await form.expectEncrypted();
});

test('a conflict says so too, and settling it seals', async ({ visit, world, idp }) => {
  const key = await world.connection({ baseURL: idp.issuer, clientId: idp.clients.basic.id });
  const form = await TokenForm.open(await visit({ admin: world.anna }), key);
  const other = await ConnectorForm.open(await visit({ admin: world.ben }), key);
  await other.fill({ 'Company ID': 'of ben' });
  await other.save();
  await form.fill({ 'Company ID': 'of anna' });
  await form.secret.fill('typed before');
  await form.button('Save').click();
  await expect(form.conflict).toBeVisible();
  await expect(form.secret).toHaveAccessibleDescription(new RegExp(NOT_SAVED));
  await expect(form.secret).toBeFocused();
  if (scripted()) await expectUnsealed(form, 'typed before');
  else await form.secret.fill('typed again');
  await resolve(form, { 'Company ID': 'mine' });
  await form.expectEncrypted();
});

test('a secret that cannot be sealed is no reason to say that all is saved', async ({ visit, world }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.fill({ 'Client ID': 'without a Base URL' });
  await form.secret.fill('typed early');
  await form.button('Save').click();
  await expect(form.secret).toHaveAccessibleDescription(/Not encrypted: Base URL is missing\./);
  await expect(form.secret).toBeFocused();
  await expect(form.status).toHaveText('The secret is not encrypted yet; all else is saved');
});

test('without JavaScript a button that saves nothing says that the secret is gone', { tag: '@no-javascript' }, async ({ visit, world }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.secret.fill('typed in between');
  await form.addRow(ACCESS_TOKEN);
  await expect(form.secret).toHaveAccessibleDescription(/Not encrypted.*enter it again\./);
  await expect(form.secret).toBeFocused();
});

for (const button of ['Encrypt Client Secret', 'Save']) {
  test(`offline, ${button} loses nothing and says nothing that is not so`, { tag: '@javascript' }, async ({ visit, world, idp, complaints }) => {
    complaints.allow(/ERR_INTERNET_DISCONNECTED|Failed to fetch/);
    const page = await visit({ admin: world.anna });
    const form = await TokenForm.open(page, await world.connection());
    await form.fillFor(idp, idp.clients.basic.id);
    await form.keep();
    const typed = idp.clients.basic.secret ?? '';
    await form.secret.fill(typed);
    await page.context().setOffline(true);
    await form.press(button);
    await expect(form.status).toHaveText(/^Not saved yet\./);
    await expect(form.secret).toHaveValue(typed);
    await expect(form.secret).toHaveAccessibleDescription(new RegExp(UNSEALED));
    expect(await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]))).not.toContain(typed);
    await page.context().setOffline(false);
    // What else was typed is kept again by itself; the secret waits for somebody.
    await expect(form.status).toHaveText(/^All changes kept but the secret/, { timeout: 10_000 });
    await expectUnsealed(form, typed);
    await form.press(button);
    await form.expectEncrypted();
    await expect(form.status).toHaveText(/^\s*Saved/);
    await form.getToken();
  });
}

test('leaving warns as long as a secret is not sealed', { tag: '@javascript' }, async ({ visit, world, idp }) => {
  const page = await visit({ admin: world.anna });
  const form = await TokenForm.open(page, await world.connection());
  await form.fillFor(idp, idp.clients.basic.id);
  await form.save();
  await form.secret.click();
  await form.secret.pressSequentially('typed');
  expect(await asksBeforeLeaving(page)).toBe(true);
  await expectUnsealed(form, 'typed');
  await form.secret.fill('');
  await expect(form.status).toHaveText(/^\s*Saved/);
  await form.secret.fill('typed again');
  await form.secret.press('Enter');
  await form.expectEncrypted();
  expect(await asksBeforeLeaving(page)).toBe(false);
  await expect(page).toHaveURL('/');
});

test('typed on while it is sealed, the rest waits in the field', { tag: '@javascript' }, async ({ visit, world, idp }) => {
  const page = await visit({ admin: world.anna });
  const form = await TokenForm.open(page, await world.connection());
  await form.fillFor(idp, idp.clients.basic.id);
  await form.save();
  let release = (): void => undefined;
  const held = new Promise<void>((done) => (release = done));
  await page.route('**/api/connector', async (route) => {
    await held;
    await route.continue();
  });
  await form.secret.fill('first');
  // Twice in a row is once.
  await form.secret.press('Enter');
  await form.secret.press('Enter');
  release();
  await form.expectEncrypted();
  await expect(form.status).toHaveText(/^\s*Saved/);
  await expect(form.credentials).not.toContainText('encrypted a replacement');
  await page.unroute('**/api/connector');

  await form.unfold('Replace it');
  await form.newSecret.fill('second');
  const answer = page.waitForResponse('**/api/connector');
  await page.route('**/api/connector', async (route) => {
    await form.newSecret.fill('third');
    await route.continue();
  });
  await form.newSecret.press('Enter');
  await answer;
  await expect(form.credentials).toContainText('encrypted a replacement');
  await expectUnsealed(form, 'third', form.newSecret);
});

test('s22 a secret typed into a table is kept nowhere, and that is said beside it', async ({ visit, ownWorld, complaints }) => {
  complaints.allow(/ERR_INTERNET_DISCONNECTED|Failed to fetch/);
  const world = await ownWorld({ IPACK_LOG: 'trace' });
  const secret = `canary-${randomUUID()}`;
  const page = await visit({ world, admin: world.anna });
  const form = await TokenForm.open(page, await world.connection());
  await form.fill({ 'Company ID': 'kept' });
  await form.fillRows(ACCESS_TOKEN, [['Client-Secret', secret]]);
  const told = /Enter it as Client Secret; its value is not kept here/;
  if (scripted()) {
    await expect(form.cell(ACCESS_TOKEN, 'key', 1)).toHaveAccessibleDescription(told);
    await form.keep();
    // What the browser remembers while the server cannot be reached.
    await page.context().setOffline(true);
    await form.fill({ 'Company ID': 'kept by the browser' });
    const stash = (): Promise<string> => page.evaluate(() => JSON.stringify({ ...sessionStorage }));
    await expect.poll(stash).toContain('kept by the browser');
    expect(await stash()).toContain('Client-Secret');
    expect(await stash()).not.toContain(secret);
    await page.context().setOffline(false);
    await form.fill({ 'Company ID': 'kept' });
    await expect(form.status).toHaveText(/All changes kept/, { timeout: 10_000 });
  }
  await form.button('Save').click();
  await expect(form.summary).toBeVisible();
  await expect(form.cell(ACCESS_TOKEN, 'key', 1)).toHaveAttribute('aria-invalid', 'true');
  await form.reload();
  await expect(form.cell(ACCESS_TOKEN, 'key', 1)).toHaveValue('Client-Secret');
  await expect(form.cell(ACCESS_TOKEN, 'key', 1)).toHaveAccessibleDescription(told);
  await expect(form.cell(ACCESS_TOKEN, 'value', 1)).toHaveValue('');
  await expect(form.field('Company ID')).toHaveValue('kept');
  expect(await page.content()).not.toContain(secret);
  const stored = await everythingStored(world.program.databaseUrl, world.program.folder);
  expect(stored.includes('Client-Secret')).toBe(true);
  expect(stored.includes(secret)).toBe(false);
  expect(world.program.log()).toContain('/api/connector');
  expect(world.program.log()).not.toContain(secret);
});
