// The client secret: encrypted once and never seen again, bound to where it may go, replaced, and forgotten.
import { randomUUID } from 'node:crypto';
import type { BrowserContext } from '@playwright/test';
import { formPath } from '../support/api';
import { everythingStored } from '../support/database';
import { expect, test } from '../support/fixtures';
import { AUTHORIZATION } from '../support/form';
import { open, scripted, settled, signIn, signOut } from '../support/pages';
import { agree, TokenForm } from '../support/token';

/** The requests of this browser that carry `text` anywhere: in the address, a header or the body. */
function carriers(context: BrowserContext, text: string): string[] {
  const found: string[] = [];
  context.on('request', (request) => {
    const whole = [request.url(), request.postData() ?? '', JSON.stringify(request.headers())].join('\n');
    if (whole.includes(text)) found.push(`${request.method()} ${request.url()}`);
  });
  return found;
}

test('s22 what was encrypted goes to the server once, and is nowhere afterwards', async ({ visit, ownWorld, idp }) => {
  const world = await ownWorld({ IPACK_LOG: 'trace' });
  const secret = `canary-${randomUUID()}`;
  const control = `control-${randomUUID()}`;
  const page = await visit({ world, admin: world.anna });
  const sent = carriers(page.context(), secret);
  const key = await world.connection();
  const form = await TokenForm.open(page, key);
  await form.fillFor(idp, idp.clients.basic.id);
  await form.secret.fill(secret);
  // Typing on: what is kept of the form does not take the secret along.
  await form.fill({ 'Company ID': control });
  if (scripted()) await form.keep();
  const expectNowhere = async (): Promise<void> => {
    expect(await page.content()).not.toContain(secret);
    const stored = await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie]));
    expect(stored).not.toContain(secret);
  };
  await expectNowhere();
  expect(sent).toEqual([]);
  await form.press('Encrypt Client Secret');
  await form.expectEncrypted();
  await expect(form.credentials).toContainText(`Encrypted by ${world.anna.email}`);
  await expect(form.credentials.locator('time').first()).toHaveAttribute('datetime', /^20\d\d-/);
  await expect(form.secret).toHaveCount(0);
  await expectNowhere();
  expect(sent).toEqual([`POST ${world.program.url}/api/connector`]);

  await form.save();
  await agree(await form.generate());
  await form.expectMessage(/invalid_client/);
  await form.reload();
  await form.expectEncrypted();
  await expectNowhere();
  expect(sent).toHaveLength(1);
  const search = async (): Promise<void> => {
    const stored = await everythingStored(world.program.databaseUrl, world.program.folder);
    expect(stored.includes(control)).toBe(true);
    expect(stored.includes(secret)).toBe(false);
    expect(world.program.log()).toContain('/api/connector');
    expect(world.program.log()).not.toContain(secret);
  };
  await search();
  await world.program.kill();
  await search();
});

test('an empty secret is an error at its field', async ({ visit, world, idp }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.fillFor(idp, idp.clients.basic.id);
  for (const typed of ['', '   ']) {
    await form.secret.fill(typed);
    await form.press('Encrypt Client Secret');
    await expect(form.secret).toHaveAttribute('aria-invalid', 'true');
    await expect(form.secret).toHaveAccessibleDescription(/Enter the secret first\./);
    await expect(form.generateButton).toBeDisabled();
  }
  await form.encrypt(idp.clients.basic.secret ?? '');
  await expect(form.page.getByText('Enter the secret first.')).toHaveCount(0);
});

test('a form that cannot be saved encrypts nothing, and says why', async ({ visit, world, idp }) => {
  const key = await world.connection();
  const form = await TokenForm.open(await visit({ admin: world.anna }), key);
  await form.fillFor(idp, idp.clients.basic.id);
  await form.fillRows(AUTHORIZATION, [['', 'no key']]);
  await form.secret.fill('not lost');
  await form.press('Encrypt Client Secret');
  await expect(form.summary).toContainText('This value has no key');
  await settled(form.page);
  // It is written into no page: without JavaScript it has to be typed again.
  await expect(form.secret).toHaveValue(scripted() ? 'not lost' : '');
  await form.deleteRow(AUTHORIZATION, 1);
  if (!scripted()) await form.secret.fill('typed again');
  await form.press('Encrypt Client Secret');
  await form.expectEncrypted();
});

test('resetting without a token forgets the secret at once', async ({ visit, world, idp }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.fillFor(idp, idp.clients.basic.id);
  await form.encrypt('to be forgotten');
  await form.press('Reset Client Secret');
  await expect(form.secret).toBeVisible();
  await expect(form.secret).toHaveValue('');
  await expect(form.generateButton).toBeDisabled();
  await form.reload();
  await expect(form.secret).toBeVisible();
  await expect(form.history).toContainText('reset the client secret');
  await form.encrypt(idp.clients.basic.secret ?? '');
  await form.getToken();
});

test('resetting with a token asks first, then revokes it and forgets both', async ({ visit, world, idp }) => {
  const key = await world.connection();
  const form = await TokenForm.open(await visit({ admin: world.anna }), key);
  await form.fillFor(idp, idp.clients.basic.id);
  await form.encrypt(idp.clients.basic.secret ?? '');
  await form.getToken();
  const question = form.page.getByRole('alert').filter({ hasText: 'the token is revoked at the provider' });

  await form.press('Reset Client Secret');
  await expect(question).toBeVisible();
  await question.getByRole('link', { name: 'Keep it' }).click();
  await expect(question).toHaveCount(0);
  await form.expectEncrypted();
  await expect(form.generateButton).toHaveText('Regenerate Token');
  expect(idp.revocations).toEqual([]);

  await form.press('Reset Client Secret');
  await question.getByRole('button', { name: 'Reset and revoke' }).click();
  await expect(form.secret).toBeVisible();
  await form.expectNoToken();
  await expect(form.generateButton).toBeDisabled();
  await expect.poll(() => idp.revocations).toMatchObject([
    { clientAuth: 'client_secret_basic', clientId: 'demo-client', hint: 'refresh_token', revoked: 'refresh_token', status: 200 },
  ]);
  expect(await world.api.read(key)).toMatchObject({ isTokenGenerated: false });
  await expect(async () => {
    await form.reload();
    await expect(form.history).toContainText('the provider has revoked the token', { timeout: 500 });
  }).toPass();
  await form.expectNoToken();
  await expect(form.attempt).toHaveText('');
});

test('Revoke token asks first, then ends the token and keeps the secret', async ({ visit, world, idp }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.fillFor(idp, idp.clients.basic.id);
  await form.encrypt(idp.clients.basic.secret ?? '');
  await form.getToken();
  const question = form.page.getByRole('alert').filter({ hasText: 'The token is revoked at the provider and forgotten here' });
  await form.press('Revoke token');
  await question.getByRole('link', { name: 'Keep it' }).click();
  await expect(question).toHaveCount(0);
  await expect(form.fact('State')).toHaveText('OK');
  expect(idp.revocations).toEqual([]);
  await form.press('Revoke token');
  await question.getByRole('button', { name: 'Revoke it' }).click();
  await form.expectNoToken();
  await form.expectEncrypted();
  await expect(form.generateButton).toBeEnabled();
  await expect.poll(() => idp.revocations.map(({ revoked }) => revoked)).toEqual(['refresh_token']);
  await form.getToken();
});

test('s09 another destination asks for the secret again and says why; back again, it is bound again', async ({ visit, world, idp }) => {
  const key = await world.connection();
  const form = await TokenForm.open(await visit({ admin: world.anna }), key);
  await form.fillFor(idp, idp.clients.basic.id);
  await form.encrypt(idp.clients.basic.secret ?? '');
  const original = { 'Base URL': idp.issuer, 'Client ID': idp.clients.basic.id };
  const edits = [
    { 'Base URL': 'https://elsewhere.example' },
    { 'Client ID': 'another-client' },
    { 'Base URL': 'https://elsewhere.example', 'Client ID': 'another-client' },
  ];
  for (const edit of edits) {
    const changed = Object.keys(edit).join(' and ');
    const why = form.credentials.getByText(
      `Enter the secret again: ${changed} changed since ${world.anna.email} encrypted it. A secret is sent only to where it was entered for.`,
    );
    await form.fill(edit);
    await form.save();
    await expect(why).toBeVisible();
    await expect(form.secret).toBeVisible();
    await expect(form.generateButton).toBeDisabled();
    await form.reload();
    await expect(why).toBeVisible();
    await form.fill(original);
    await form.save();
    await expect(why).toHaveCount(0);
    await form.expectEncrypted();
    await expect(form.generateButton).toBeEnabled();
  }
  await form.choose({ Issuer: 'https://another-issuer.example' });
  await form.save();
  await expect(form.credentials).toContainText('Enter the secret again: Identity provider changed since');
  await form.choose({ Issuer: '' });
  await form.save();
  await form.expectEncrypted();
  await form.getToken();
});

test('s09 an edit by the API asks for the secret again too', async ({ visit, world, idp }) => {
  const key = await world.connection({ baseURL: idp.issuer, clientId: idp.clients.basic.id });
  const form = await TokenForm.open(await visit({ admin: world.anna }), key);
  await form.encrypt(idp.clients.basic.secret ?? '');
  await world.api.save(key, { baseURL: 'https://elsewhere.example', clientId: idp.clients.basic.id });
  await form.reload();
  await expect(form.credentials).toContainText('Enter the secret again: Base URL changed since');
  await expect(form.generateButton).toBeDisabled();
});

test('a replacement waits, is verified by a token, and only then takes the place', async ({ visit, world, idp }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.fillFor(idp, idp.clients.basic.id);
  await form.encrypt(idp.clients.basic.secret ?? '');
  await form.getToken();
  const waiting = form.credentials.getByText(`${world.anna.email} encrypted a replacement`);

  // A wrong one: the token that is there stays, and so does the secret.
  await form.encryptReplacement('not the right one');
  await agree(await form.generate());
  await form.expectMessage(/invalid_client/);
  await expect(form.generateButton).toHaveText('Regenerate Token');
  await expect(form.fact('State')).toHaveText('OK');
  await expect(waiting).toBeVisible();
  await expect(form.history).not.toContainText('the replacement is in use now');

  // The right one takes the place of the wrong one that waits.
  await form.encryptReplacement(idp.clients.basic.secret ?? '');
  await form.getToken();
  await expect(waiting).toHaveCount(0);
  await form.reload();
  await expect(waiting).toHaveCount(0);
  await form.expectEncrypted();
  await expect(form.history).toContainText('the replacement is in use now');
  expect(idp.log.map(({ error }) => error)).toEqual([undefined, 'invalid_client', undefined]);
});

test('an empty replacement is an error at its field', async ({ visit, world, idp }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.fillFor(idp, idp.clients.basic.id);
  await form.encrypt('in use');
  await form.unfold('Replace it');
  await form.press('Encrypt replacement');
  await expect(form.newSecret).toBeVisible();
  await expect(form.newSecret).toHaveAccessibleDescription(/Enter the secret first\./);
});

test('s22 a session that ends while a secret is typed: the secret is written nowhere, all else is kept', async ({ visit, world, idp, complaints }) => {
  complaints.allowStatus(401);
  const secret = `canary-${randomUUID()}`;
  const admin = await world.newAdmin();
  const key = await world.connection();
  const page = await visit();
  await page.goto(formPath(key));
  await signIn(page, admin);
  await settled(page);
  const form = new TokenForm(page, key);
  const other = await page.context().newPage();
  await open(other, '/');
  await signOut(other);
  await other.close();

  await form.fillFor(idp, idp.clients.basic.id);
  await form.secret.fill(secret);
  const refused = page.waitForResponse((response) => response.request().method() === 'POST' && response.status() === 401);
  await form.press('Encrypt Client Secret');
  await refused;
  await expect(page.getByText(/Your session ended\. Sign in (again )?to go on/)).toBeVisible();
  expect(await page.content()).not.toContain(secret);
  expect(await page.evaluate(() => JSON.stringify({ ...sessionStorage }))).not.toContain(secret);
  if (scripted()) await page.getByRole('link', { name: 'Sign in again' }).click();
  await signIn(page, admin);
  await expect(form.button('Save')).toBeVisible();
  await settled(page);
  await form.expectContent({ 'Base URL': idp.issuer, 'Client ID': idp.clients.basic.id });
  await expect(form.choice('Scopes')).toHaveValue('openid books.read');
  await expect(form.secret).toHaveValue('');
  expect(await page.content()).not.toContain(secret);
  await form.encrypt(idp.clients.basic.secret ?? '');
  await form.getToken();
});

test('every environment of an integration gets the secret', async ({ visit, world, idp }) => {
  const key = await world.connection({ baseURL: idp.issuer, clientId: idp.clients.basic.id });
  const elsewhere = { ...key, environment: `${key.environment}-2` };
  await world.api.save(elsewhere, {});
  const form = await TokenForm.open(await visit({ admin: world.anna }), key);
  await form.page.getByLabel('Every environment of this integration').check();
  await form.choose({ Scopes: 'openid books.read' });
  await form.encrypt(idp.clients.basic.secret ?? '');
  const there = await TokenForm.open(await visit({ admin: world.ben }), elsewhere);
  await there.expectEncrypted();
  await there.getToken();
  await form.reload();
  await form.expectNoToken();
});
