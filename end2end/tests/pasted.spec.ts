// What people paste into the form, as a browser hands it on: each input arrives at the provider as it is meant, or a sentence
// beside its field says what is wrong. The Rust tests post the same forms with many more of each kind (`oauth::pasted`; keys in
// `oauth::grants`, query strings in `pages::saving`); here is one of each.
import type { Locator } from '@playwright/test';
import { createPrivateKey } from 'node:crypto';
import { formPath } from '../support/api';
import { expect, test } from '../support/fixtures';
import { ACCESS_TOKEN, AUTHORIZATION, type Row } from '../support/form';
import { PROGRAM, settled, signIn } from '../support/pages';
import { SUCCESSFUL, TokenForm, type Choice } from '../support/token';

const ZERO_WIDTH = '\u200b';
const MARK = '\ufeff';

/** Client credentials: the token request follows the button, and the provider tells what came. */
const SERVICE: Choice = { Scopes: 'books.read', Grant: 'Client credentials' };

async function getServiceToken(form: TokenForm): Promise<void> {
  await form.generateButton.click();
  await form.expectMessage(SUCCESSFUL);
}

test('what is not seen around an id, a secret, an address and scopes', async ({ visit, world, idp }) => {
  const pasted = (text: string): string => `${MARK}\t\u00a0${text}${ZERO_WIDTH}\u2060 `;
  const key = await world.connection();
  const form = await TokenForm.open(await visit({ admin: world.anna }), key);
  const { id, secret } = idp.clients.service;
  await form.fill({ 'Base URL': pasted(idp.issuer), 'Company ID': pasted('42'), 'Client ID': pasted(id) });
  await form.choose({ ...SERVICE, Scopes: pasted('books.read') });
  await form.fillRows(ACCESS_TOKEN, [[pasted('resource_hint'), 'kept as it is']]);
  await form.encrypt(pasted(secret ?? ''));
  await getServiceToken(form);
  expect(idp.log).toMatchObject([{ clientId: id, scope: 'books.read', status: 200 }]);
  expect(await world.api.details(key)).toMatchObject({
    baseURL: idp.issuer,
    companyId: '42',
    clientId: id,
    accessTokenParams: { resource_hint: 'kept as it is' },
  });
});

for (const field of ['Issuer', 'Base URL'] as const) {
  test(`${field} pasted as its discovery address`, async ({ visit, world, idp }) => {
    const pasted = `${ZERO_WIDTH}${idp.issuer}/.well-known/openid-configuration/ `;
    const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
    await form.fillFor(idp, idp.clients.service.id, SERVICE);
    await form.fill({ 'Base URL': field === 'Base URL' ? pasted : 'https://api.example' });
    if (field === 'Issuer') await form.choose({ Issuer: pasted });
    await form.encrypt(idp.clients.service.secret ?? '');
    await getServiceToken(form);
    expect(idp.log).toMatchObject([{ status: 200 }]);
  });
}

const BOTH = 'books.read books.write';

test('scopes pasted as a list in JSON', async ({ visit, world, idp }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.fillFor(idp, idp.clients.service.id, { ...SERVICE, Scopes: `${MARK}["books.read",\u00a0"books.write"]` });
  await form.encrypt(idp.clients.service.secret ?? '');
  await expect(form.choice('Scopes')).toHaveValue(BOTH);
  await getServiceToken(form);
  expect(idp.log).toMatchObject([{ scope: BOTH }]);
  await expect(form.fact('State'), 'as many are granted as were asked for').toHaveText('OK');
});

test('scopes pasted as lines, which an input joins: none is glued to another', { tag: '@javascript' }, async ({ visit, world, idp }) => {
  const page = await visit({ admin: world.anna });
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const form = await TokenForm.open(page, await world.connection());
  await form.fillFor(idp, idp.clients.service.id, { ...SERVICE, Scopes: '' });
  await page.evaluate(() => navigator.clipboard.writeText('books.read\r\nbooks.write\r\n'));
  await form.choice('Scopes').focus();
  await page.keyboard.press('Control+V');
  await form.encrypt(idp.clients.service.secret ?? '');
  await getServiceToken(form);
  expect(idp.log).toMatchObject([{ scope: BOTH }]);
});

test('parameters that cannot be sent are refused, each beside its row', async ({ visit, world }) => {
  const key = await world.connection();
  const form = await TokenForm.open(await visit({ admin: world.anna }), key);
  await form.choose({ Scopes: 'a' });
  const refused: [Row, RegExp][] = [
    [['?resource=a', ''], /This is a query string/],
    [[ZERO_WIDTH, 'consent'], /This value has no key/],
    [['client_id', 'another'], /another one than the Client ID above/],
    [['scope', 'b'], /keep one of the two/],
    [['grant_type', 'implicit'], /The grant is chosen under Identity provider/],
    [['code', 'x'], /iPack Connect sets this itself/],
  ];
  await form.fillRows(AUTHORIZATION, [[' state ', 'x']]);
  await form.fillRows(ACCESS_TOKEN, [['fine', 'a=1&b=2'], ...refused.map(([row]) => row)]);
  await form.button('Save').click();
  await expect(form.cell(AUTHORIZATION, 'key', 1)).toHaveAccessibleDescription(/state is set by iPack Connect itself/);
  for (const [index, [, why]] of refused.entries()) {
    await expect(form.cell(ACCESS_TOKEN, 'key', index + 2)).toHaveAccessibleDescription(why);
  }
  await expect(form.cell(ACCESS_TOKEN, 'key', 1)).not.toHaveAttribute('aria-invalid', 'true');
  expect(await world.api.details(key), 'nothing is dropped in silence').toEqual({});
  await form.deleteRow(AUTHORIZATION, 1);
  for (let row = refused.length + 1; row > 1; row -= 1) await form.deleteRow(ACCESS_TOKEN, row);
  await form.save();
  expect(JSON.stringify(await world.api.details(key))).toContain('a=1&b=2');
});

test('s22 a client secret in a pasted query string is kept nowhere', async ({ visit, world }) => {
  const key = await world.connection();
  const form = await TokenForm.open(await visit({ admin: world.anna }), key);
  await form.fillRows(ACCESS_TOKEN, [['audience=a&client_secret=a-canary-in-a-query', '']]);
  await form.button('Save').click();
  await expect(form.cell(ACCESS_TOKEN, 'key', 1)).toHaveAccessibleDescription(/A client secret has no place here/);
  const reloaded = await TokenForm.open(await visit({ admin: world.anna }), key);
  expect(await reloaded.page.content()).not.toContain('a-canary-in-a-query');
});

test('a repeatable parameter is sent as often as it stands there', async ({ visit, world, idp }) => {
  const key = await world.connection();
  const page = await visit({ admin: world.anna });
  const form = await TokenForm.open(page, key);
  await form.fillFor(idp, idp.clients.basic.id);
  await form.fillRows(AUTHORIZATION, [['audience', 'https://one.example'], ['audience', 'https://two.example']]);
  await form.encrypt(idp.clients.basic.secret ?? '');
  await form.press('Preflight');
  const shown = await page.getByRole('region', { name: 'Authorization request' }).locator('code').first().textContent();
  expect(new URL(shown ?? '').searchParams.getAll('audience')).toEqual(['https://one.example', 'https://two.example']);
});

test('an issuer that is none says what is wrong', async ({ visit, world }) => {
  const key = await world.connection();
  const form = await TokenForm.open(await visit({ admin: world.anna }), key);
  for (const [pasted, why] of [
    ['ftp://id.example', /Enter a URL that starts with https/],
    ['https://id.example/?p=signin', /An issuer has neither a query nor a fragment/],
  ] as const) {
    await form.choose({ Issuer: pasted });
    await form.button('Save').click();
    await expect(form.choice('Issuer')).toHaveAccessibleDescription(why);
    await expect(form.choice('Issuer')).toHaveValue(pasted);
  }
  expect(await world.api.details(key)).toEqual({});
});

const PEM: Record<string, (pem: string) => string> = {
  // An input of one line drops its line breaks.
  'as it is': (pem) => pem,
  'as SEC1, indented, with line breaks of Windows': (pem) =>
    createPrivateKey(pem).export({ type: 'sec1', format: 'pem' }).toString().replaceAll('\n', '\r\n    '),
};

for (const [name, pasted] of Object.entries(PEM)) {
  test(`a private key ${name}`, async ({ visit, world, idp }) => {
    const { kid, privateKeyPem } = idp.keys.es256;
    const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
    await form.fillFor(idp, idp.clients.jwt.id, {
      ...SERVICE,
      'Client authentication': 'JWT signed with a private key',
      'Key ID': ` ${kid}${ZERO_WIDTH}`,
    });
    await form.encrypt(pasted(privateKeyPem));
    await getServiceToken(form);
    expect(idp.log).toMatchObject([{ clientAuth: 'private_key_jwt', status: 200 }]);
  });
}

test('what is no private key that can be used says so', async ({ visit, world, idp }) => {
  const pem = idp.keys.es256.privateKeyPem;
  const encrypted = createPrivateKey(pem).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'hush' });
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.fillFor(idp, idp.clients.jwt.id, { 'Client authentication': 'JWT signed with a private key' });
  for (const [text, why] of [
    [encrypted.toString(), /encrypted with a password/],
    [pem.slice(0, pem.length / 2), /This is no private key/],
  ] as const) {
    await form.secret.fill(text);
    await form.press('Encrypt Client Secret');
    await expect(form.secret).toHaveAccessibleDescription(why);
    await expect(form.generateButton).toBeDisabled();
  }
});

test('a lifetime says never, or what it may be', async ({ visit, world }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.unfold('Grant, client authentication and more');
  const lifetime = form.page.getByLabel('Lifetime of tokens', { exact: true });
  for (const wrong of ['1 hour', '0', '-5', '3600.5', '1e3']) {
    await lifetime.fill(wrong);
    await form.button('Save').click();
    await expect(lifetime, wrong).toHaveAccessibleDescription(/Enter whole seconds, or never/);
  }
  for (const fine of [' 3600 ', 'Never']) {
    await lifetime.fill(fine);
    await form.save();
    await expect(lifetime).toHaveValue(fine.trim());
  }
});

test('what is typed before the page is alive is kept and tidied as any other', { tag: '@javascript' }, async ({ visit, world }) => {
  const key = await world.connection();
  const page = await visit({ admin: world.anna });
  let wakeUp = (): void => undefined;
  const typed = new Promise<void>((done) => (wakeUp = done));
  await page.route(PROGRAM, async (route) => {
    await typed;
    await route.continue();
  });
  await page.goto(formPath(key), { waitUntil: 'commit' });
  const form = new TokenForm(page, key);
  await form.field('Client ID').fill(`${MARK} my-client${ZERO_WIDTH}`);
  await form.field('Base URL').fill(' https://api.example ');
  await form.choice('Scopes').fill('a,b');
  await form.cell(AUTHORIZATION, 'key', 1).fill('prompt=consent');
  await expect(page.locator('body')).not.toHaveAttribute('data-hydrated', 'true');
  wakeUp();
  await settled(page);
  await expect(form.field('Client ID')).toHaveValue(`${MARK} my-client${ZERO_WIDTH}`);
  await form.button('Save').click();
  await expect(form.cell(AUTHORIZATION, 'key', 1)).toHaveAccessibleDescription(/This is a query string/);
  await form.cell(AUTHORIZATION, 'key', 1).fill('prompt');
  await form.cell(AUTHORIZATION, 'value', 1).fill('consent');
  await form.save();
  expect(await world.api.details(key)).toMatchObject({
    baseURL: 'https://api.example',
    clientId: 'my-client',
    authParams: { prompt: 'consent' },
  });
  await expect(form.choice('Scopes')).toHaveValue('a b');
});

/** What the password managers in common use look at. */
async function expectLeftAlone(input: Locator): Promise<void> {
  await expect(input).toHaveAttribute('autocomplete', 'off');
  for (const name of ['data-1p-ignore', 'data-bwignore', 'data-lpignore']) await expect(input).toHaveAttribute(name, 'true');
}

test('password managers fill in the sign-in page, and nothing on the form', async ({ visit, world }) => {
  const page = await visit();
  await page.goto('/login');
  await expect(page.getByLabel('Email', { exact: true })).toHaveAttribute('autocomplete', 'username');
  await expect(page.getByLabel('Password', { exact: true })).toHaveAttribute('autocomplete', 'current-password');
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.addRow(ACCESS_TOKEN);
  const inputs = form.page.locator('form.connector input:is([type=text], [type=password], :not([type]))');
  const editable = await inputs.and(form.page.locator(':not([readonly])')).all();
  expect(editable.length).toBeGreaterThan(15);
  for (const input of editable) await expectLeftAlone(input);
});

test('a password keeps its blanks, an email does not', async ({ ownWorld, visit, complaints }) => {
  complaints.allowStatus(401);
  const world = await ownWorld();
  const admin = { email: 'blanks@example.test', password: '  a long password with blanks ' };
  await world.program.run(['admin', 'create', '--email', admin.email, '--account', world.api.account], `${admin.password}\n`);
  const page = await visit({ world });
  await page.goto('/login');
  await signIn(page, { ...admin, password: admin.password.trim() });
  await expect(page.getByRole('alert')).toBeVisible();
  await signIn(page, { email: ` ${admin.email} `, password: admin.password });
  await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible();
});
