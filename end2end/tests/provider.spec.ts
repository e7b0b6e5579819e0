// Where tokens come from: the choice of a provider, what it brings along, the redirect URI, and preflight.
import { expect, test } from '../support/fixtures';
import { AUTHORIZATION, resolve } from '../support/form';
import { open, scripted } from '../support/pages';
import { ADVANCED, TokenForm, type Choice } from '../support/token';
import { formPath } from '../support/api';
import { ACCOUNT } from '../support/world';

test('s10 a parameter that iPack Connect sets itself is refused beside its row', async ({ visit, world }) => {
  const key = await world.connection();
  const form = await TokenForm.open(await visit({ admin: world.anna }), key);
  await form.fillRows(AUTHORIZATION, [['prompt', 'login'], ['scope', 'a b'], ['redirect_uri', 'https://evil.example']]);
  await form.button('Save').click();
  for (const [row, message] of [
    [2, 'scope is set by iPack Connect itself; enter scopes under Identity provider'],
    [3, 'redirect_uri is set by iPack Connect itself'],
  ] as const) {
    await expect(form.cell(AUTHORIZATION, 'key', row)).toHaveAccessibleDescription(new RegExp(message));
    await expect(form.summary.getByRole('link', { name: new RegExp(`row ${row}: ${message}`) })).toBeVisible();
  }
  await expect(form.cell(AUTHORIZATION, 'key', 1)).not.toHaveAttribute('aria-invalid', 'true');
  expect(await world.api.details(key)).toEqual({});
});

test('a known provider brings its facts, with the page that they are from', async ({ visit, world }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  const known = form.choice('Provider').locator('optgroup[label="Known providers"] option');
  expect(await known.count()).toBeGreaterThanOrEqual(40);
  await expect(known.first()).toHaveText(/^QuickBooks Online/);
  await form.fill({ 'Base URL': 'https://quickbooks.api.intuit.com', 'Client ID': 'from the developer portal' });
  await form.choose({ Provider: 'QuickBooks Online' });
  await form.save();
  const facts = form.page.getByRole('region', { name: 'Identity provider' });
  for (const fact of ['Grant: Authorization code', 'Scopes: com.intuit.quickbooks.accounting', 'Company ID: ']) {
    await expect(facts.getByText(fact)).toBeVisible();
  }
  await expect(facts.getByRole('link', { name: 'The provider’s documentation' })).toHaveAttribute('href', /^https:\/\/developer\.intuit\.com\//);
  await expect(form.redirectUri).toHaveValue(`${world.program.url}/oauth/callback/${ACCOUNT}/quickbooks-online`);
  await form.reload();
  await expect(form.choice('Provider').locator('option:checked')).toHaveText('QuickBooks Online');
  await expect(facts.getByText('Grant: Authorization code')).toBeVisible();
});

const ENDPOINTS = {
  Provider: 'Enter the endpoints',
  'Authorization endpoint': 'https://id.example/half-typ',
  'Token endpoint': 'https://id.example/token',
  'Revocation endpoint': '',
  Scopes: 'one  two',
};
const CHOICES: Record<string, Choice> = {
  'authorization code': {
    ...ENDPOINTS,
    Grant: 'Authorization code',
    'Client authentication': 'JWT signed with a private key',
    'Key ID': 'key-1',
  },
  'JWT bearer': { ...ENDPOINTS, Grant: 'JWT bearer', Subject: 'robot@example.test', 'Key ID': 'key-2' },
};

for (const [name, choice] of Object.entries(CHOICES)) {
  test(`every choice about the provider survives a refresh before it is saved: ${name}`, async ({ visit, world }) => {
    const key = await world.connection();
    const form = await TokenForm.open(await visit({ admin: world.anna }), key);
    await form.choose(choice);
    const withoutPkce = form.page.getByLabel('Switch PKCE off');
    const hasPkce = name === 'authorization code';
    if (hasPkce) await withoutPkce.check();
    else await expect(withoutPkce).toBeHidden();
    await form.keep();
    await form.reload();
    await form.expectChoice(choice);
    await expect(withoutPkce).toBeChecked({ checked: hasPkce });
    await expect(form.draftNote).toBeVisible();
    const other = await TokenForm.open(await visit({ admin: world.ben }), key);
    await other.expectChoice({ Provider: 'Discover the endpoints', Scopes: '' });
    await form.button('Discard changes').click();
    await form.expectChoice({ Provider: 'Discover the endpoints', Grant: 'As the provider has it', Scopes: '', 'Key ID': '' });
  });
}

test('only the inputs that a choice needs are shown', async ({ visit, world }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await expect(form.choice('Issuer')).toBeVisible();
  await expect(form.choice('Token endpoint')).toBeHidden();
  await form.choose({ Provider: 'Enter the endpoints' });
  await expect(form.choice('Token endpoint')).toBeVisible();
  await expect(form.choice('Issuer')).toBeHidden();
  await form.choose({ Provider: 'Salesforce' });
  await expect(form.choice('Issuer')).toBeHidden();
  await expect(form.choice('Token endpoint')).toBeHidden();
});

test('what is wrong with the choice is said at it', async ({ visit, world }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.choose({ Provider: 'Enter the endpoints' });
  await form.button('Save').click();
  await expect(form.summary.getByRole('link', { name: 'Token endpoint: Enter a URL: tokens come from there' })).toBeVisible();
  await expect(form.choice('Token endpoint')).toHaveAttribute('aria-invalid', 'true');
  await form.choose({ 'Token endpoint': 'ftp://id.example/token' });
  await form.button('Save').click();
  await expect(form.summary).toContainText('Token endpoint: Enter a URL that starts with https:// or http://');
  await form.choose({ 'Token endpoint': 'https://id.example/token' });
  await form.save();
});

test('s40 two admins choose different providers: both are shown, and one is chosen', async ({ visit, world }) => {
  const key = await world.connection({ baseURL: 'https://api.example', clientId: 'shared' });
  const anna = await TokenForm.open(await visit({ admin: world.anna }), key);
  const ben = await TokenForm.open(await visit({ admin: world.ben }), key);
  await anna.choose({ Scopes: 'annas.scope' });
  await anna.keep();
  await ben.choose({ Scopes: 'bens.scope', Provider: 'Salesforce' });
  await ben.save();
  await anna.button('Save').click();
  await expect(anna.conflict).toBeVisible();
  const row = anna.page.getByRole('row').filter({ has: anna.page.getByRole('rowheader', { name: 'Identity provider' }) });
  for (const text of ['Salesforce', 'Scopes: bens.scope', 'Scopes: annas.scope']) await expect(row).toContainText(text);
  await resolve(anna, { 'Identity provider': 'saved' });
  await expect(anna.choice('Scopes')).toHaveValue('bens.scope');
  await expect(anna.choice('Provider').locator('option:checked')).toHaveText('Salesforce');
  await anna.reload();
  await expect(anna.choice('Scopes')).toHaveValue('bens.scope');
});

test('s40 choosing what I typed about the provider', async ({ visit, world }) => {
  const key = await world.connection({ baseURL: 'https://api.example', clientId: 'shared' });
  const anna = await TokenForm.open(await visit({ admin: world.anna }), key);
  const ben = await TokenForm.open(await visit({ admin: world.ben }), key);
  await anna.choose({ Scopes: 'annas.scope' });
  await anna.keep();
  await ben.choose({ Scopes: 'bens.scope' });
  await ben.save();
  await anna.button('Save').click();
  await expect(anna.conflict).toBeVisible();
  await resolve(anna, { 'Identity provider': 'mine' });
  await expect(anna.choice('Scopes')).toHaveValue('annas.scope');
  await ben.reload();
  await expect(ben.choice('Scopes')).toHaveValue('annas.scope');
});

test('the redirect URI is read-only, and copied or selected', async ({ visit, world, idp }) => {
  const page = await visit({ admin: world.anna });
  const form = await TokenForm.open(page, await world.connection({ baseURL: idp.issuer, clientId: 'demo-client' }));
  await expect(form.redirectUri).toHaveAttribute('readonly', '');
  const uri = await form.redirectUri.inputValue();
  expect(uri.startsWith(`${world.program.url}/oauth/callback/${ACCOUNT}/`), uri).toBe(true);
  const copy = page.getByRole('button', { name: 'Copy', exact: true });
  if (scripted()) {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await copy.click();
    await expect(page.getByRole('button', { name: 'Copied', exact: true })).toBeVisible();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(uri);
  } else {
    await expect(copy, 'nothing there could copy').toBeHidden();
    await form.redirectUri.focus();
    await page.keyboard.press('Control+A');
    const selected = await form.redirectUri.evaluate((input: HTMLInputElement) =>
      input.value.slice(input.selectionStart ?? 0, input.selectionEnd ?? 0),
    );
    expect(selected).toBe(uri);
  }
});

test('preflight shows the exact request, and that nothing stands in the way', async ({ visit, world, idp }) => {
  const key = await world.connection();
  const page = await visit({ admin: world.anna });
  const form = await TokenForm.open(page, key);
  await form.fillFor(idp, idp.clients.basic.id);
  await form.fillRows(AUTHORIZATION, [['ui_locales', 'de']]);
  await form.encrypt(idp.clients.basic.secret ?? '');
  const uri = await form.redirectUri.inputValue();
  await form.press('Preflight');
  await expect(page).toHaveURL(`${world.program.url}${formPath(key)}/preflight`);
  await expect(page.getByRole('heading', { name: 'Preflight', level: 1 })).toBeVisible();
  await expect(page.getByText('Nothing stands in the way of a token.')).toBeVisible();
  const request = page.getByRole('region', { name: 'Authorization request' });
  const shown = new URL((await request.locator('code').first().textContent()) ?? '');
  expect(shown.origin + shown.pathname).toBe(`${idp.issuer}/auth`);
  expect(Object.fromEntries(shown.searchParams)).toMatchObject({
    response_type: 'code',
    client_id: idp.clients.basic.id,
    redirect_uri: uri,
    scope: 'openid books.read',
    code_challenge_method: 'S256',
    ui_locales: 'de',
  });
  await expect(request.getByText(uri, { exact: true })).toBeVisible();
  const checks = page.getByRole('region', { name: 'Checks' });
  for (const finding of [
    'No parameter collides with one that iPack Connect sets itself.',
    'Encrypted, for this very destination.',
    `${idp.issuer} publishes its endpoints.`,
    'On, with S256.',
    `${idp.issuer}/auth answers.`,
    `${idp.issuer}/token answers.`,
    `${idp.issuer}/token/revocation answers.`,
  ]) {
    await expect(checks.getByText(finding, { exact: true })).toBeVisible();
  }
  expect(idp.log.filter(({ clientId }) => clientId), 'no secret is sent anywhere').toEqual([]);
  await page.getByRole('link', { name: 'Back to the form' }).click();
  await form.expectEncrypted();
});

test('s10 preflight names collisions, a missing secret, and endpoints that do not answer', async ({ visit, world, idp }) => {
  const key = await world.connection({
    baseURL: idp.issuer,
    clientId: 'demo-client',
    authParams: { state: 'mine', prompt: 'login' },
    accessTokenParams: { grant_type: 'password' },
  });
  const page = await visit({ admin: world.anna });
  await open(page, `${formPath(key)}/preflight`);
  await expect(page.getByText('Something stands in the way of a token.')).toBeVisible();
  const checks = page.getByRole('region', { name: 'Checks' });
  for (const finding of [
    'Authorization Parameters: iPack Connect sets state itself. Delete the row.',
    'Access Token Parameters: iPack Connect sets grant_type itself. Delete the row.',
    'Not encrypted yet. Enter it on the form.',
  ]) {
    await expect(checks.getByText(finding, { exact: true })).toBeVisible();
  }
  await idp.stop();
  await page.getByRole('link', { name: 'Check again' }).click();
  await expect(checks.getByRole('listitem').filter({ hasText: 'Discovery' })).toContainText('Wrong');
});

test('s03 switching PKCE off is warned of, and stands in the history', async ({ visit, world, idp }) => {
  const key = await world.connection();
  const form = await TokenForm.open(await visit({ admin: world.anna }), key);
  await form.fillFor(idp, idp.clients.basic.id);
  await form.unfold(ADVANCED);
  await form.page.getByLabel('Switch PKCE off').check();
  await form.save();
  await form.reload();
  await expect(form.history).toContainText('PKCE');
  await form.press('Preflight');
  await expect(form.page.getByText('Off: a code that leaks on its way could be used by somebody else.')).toBeVisible();
});
