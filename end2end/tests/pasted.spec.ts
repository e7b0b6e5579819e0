// What people paste into the form, with what a paste brings along: each input arrives at the provider as it is meant, or a
// sentence beside its field says what is wrong.
import type { Locator } from '@playwright/test';
import { createPrivateKey } from 'node:crypto';
import { formPath } from '../support/api';
import { expect, test } from '../support/fixtures';
import { ACCESS_TOKEN, AUTHORIZATION, type Row, type Table } from '../support/form';
import { PROGRAM, settled, signIn } from '../support/pages';
import { SUCCESSFUL, TokenForm, type Choice } from '../support/token';

const ZERO_WIDTH = '\u200b';
const MARK = '\ufeff';
const AROUND: Record<string, string> = {
  blanks: '  ',
  tabs: '\t',
  'blanks that do not break': '\u00a0',
  'characters without width': ZERO_WIDTH,
  'a byte-order mark': MARK,
  'a word joiner and a blank': '\u2060 ',
  'marks of direction': '\u200e\u200f',
};

/** Client credentials: the token request follows the button, and the provider tells what came. */
const SERVICE: Choice = { Scopes: 'books.read', Grant: 'Client credentials' };

async function getServiceToken(form: TokenForm): Promise<void> {
  await form.generateButton.click();
  await form.expectMessage(SUCCESSFUL);
}

for (const [name, around] of Object.entries(AROUND)) {
  test(`around an id, a secret, an address and scopes: ${name}`, async ({ visit, world, idp }) => {
    const pasted = (text: string): string => around + text + around;
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
}

const ISSUERS: Record<string, (issuer: string) => string> = {
  'its discovery address': (issuer) => `${issuer}/.well-known/openid-configuration`,
  'its discovery address with a slash': (issuer) => `${issuer}/.well-known/openid-configuration/`,
  'the address of its OAuth metadata': (issuer) => `${issuer}/.well-known/oauth-authorization-server`,
  'slashes too many': (issuer) => `${issuer}//`,
  'what is not seen around it': (issuer) => `${ZERO_WIDTH}${issuer} `,
};

for (const [name, pasted] of Object.entries(ISSUERS)) {
  for (const field of ['Issuer', 'Base URL'] as const) {
    test(`${field} pasted with ${name}`, async ({ visit, world, idp }) => {
      const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
      await form.fillFor(idp, idp.clients.service.id, SERVICE);
      if (field === 'Issuer') {
        await form.fill({ 'Base URL': 'https://api.example' });
        await form.choose({ Issuer: pasted(idp.issuer) });
      } else {
        await form.fill({ 'Base URL': pasted(idp.issuer) });
      }
      await form.encrypt(idp.clients.service.secret ?? '');
      await getServiceToken(form);
      expect(idp.log).toMatchObject([{ status: 200 }]);
    });
  }
}

const BOTH = 'books.read books.write';
const SCOPES: Record<string, string> = {
  'with blanks': BOTH,
  'with commas': 'books.read,books.write',
  'with commas and blanks': ' books.read , books.write, ',
  'with semicolons': 'books.read; books.write',
  'with tabs': 'books.read\tbooks.write',
  'with blanks that do not break': 'books.read\u00a0books.write',
  'as a list in JSON': '["books.read", "books.write"]',
  'with quotation marks': '"books.read" "books.write"',
  'with what is not seen': `${MARK}books.read${ZERO_WIDTH} books.write${ZERO_WIDTH}`,
};

for (const [name, pasted] of Object.entries(SCOPES)) {
  test(`scopes ${name}`, async ({ visit, world, idp }) => {
    const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
    await form.fillFor(idp, idp.clients.service.id, { ...SERVICE, Scopes: pasted });
    await form.encrypt(idp.clients.service.secret ?? '');
    await expect(form.choice('Scopes')).toHaveValue(BOTH);
    await getServiceToken(form);
    expect(idp.log).toMatchObject([{ scope: BOTH }]);
    await expect(form.fact('State'), 'as many are granted as were asked for').toHaveText('OK');
  });
}

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

const REFUSED_ROWS: Record<string, { table: Table; row: Row; why: RegExp; choice?: Choice }> = {
  'a query string': { table: AUTHORIZATION, row: ['access_type=offline&prompt=consent', ''], why: /This is a query string/ },
  'a query string with its question mark': { table: ACCESS_TOKEN, row: ['?resource=a', ''], why: /This is a query string/ },
  'a value without its key': { table: ACCESS_TOKEN, row: ['', 'consent'], why: /This value has no key/ },
  'a key of characters without width': { table: AUTHORIZATION, row: [ZERO_WIDTH, 'consent'], why: /This value has no key/ },
  'a reserved key with blanks': { table: AUTHORIZATION, row: [' state ', 'x'], why: /state is set by iPack Connect itself/ },
  'another client': { table: ACCESS_TOKEN, row: ['client_id', 'another'], why: /another one than the Client ID above/ },
  'a scope beside Scopes': { table: ACCESS_TOKEN, row: ['scope', 'b'], why: /keep one of the two/, choice: { Scopes: 'a' } },
  'a grant': { table: ACCESS_TOKEN, row: ['grant_type', 'implicit'], why: /The grant is chosen under Identity provider/ },
  'a code': { table: ACCESS_TOKEN, row: ['code', 'x'], why: /iPack Connect sets this itself/ },
};

for (const [name, { table, row, why, choice }] of Object.entries(REFUSED_ROWS)) {
  test(`a parameter that cannot be sent is refused beside its row: ${name}`, async ({ visit, world }) => {
    const key = await world.connection();
    const form = await TokenForm.open(await visit({ admin: world.anna }), key);
    if (choice) await form.choose(choice);
    await form.fillRows(table, [['fine', 'a=1&b=2'], row]);
    await form.button('Save').click();
    await expect(form.cell(table, 'key', 2)).toHaveAccessibleDescription(why);
    await expect(form.cell(table, 'key', 1)).not.toHaveAttribute('aria-invalid', 'true');
    expect(await world.api.details(key), 'nothing is dropped in silence').toEqual({});
    await form.deleteRow(table, 2);
    await form.save();
    expect(JSON.stringify(await world.api.details(key))).toContain('a=1&b=2');
  });
}

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

const URLS: Record<string, RegExp> = {
  'id.example': /Enter a URL that starts with https/,
  'ftp://id.example': /Enter a URL that starts with https/,
  'https://': /Enter a URL that starts with https/,
  'https://me:hush@id.example': /Enter a URL that starts with https/,
  'https://id.example/a b': /Enter a URL that starts with https/,
  'https://id.example/?p=signin': /An issuer has neither a query nor a fragment/,
  'https://id.example/.well-known/openid-configuration?appid=7': /An issuer has neither a query nor a fragment/,
  'https://id.example/#/login': /An issuer has neither a query nor a fragment/,
};

for (const [pasted, why] of Object.entries(URLS)) {
  test(`an issuer that is none says what is wrong: ${pasted}`, async ({ visit, world }) => {
    const key = await world.connection();
    const form = await TokenForm.open(await visit({ admin: world.anna }), key);
    await form.choose({ Issuer: pasted });
    await form.button('Save').click();
    await expect(form.choice('Issuer')).toHaveAccessibleDescription(why);
    await expect(form.choice('Issuer')).toHaveValue(pasted);
    expect(await world.api.details(key)).toEqual({});
  });
}

const PEM: Record<string, (pem: string) => string> = {
  'as it is': (pem) => pem,
  'with the line breaks as two characters': (pem) => pem.replaceAll('\n', '\\n'),
  'as a value of JSON': (pem) => JSON.stringify(pem),
  'as a member of JSON': (pem) => `${JSON.stringify(pem)},`,
  'with blanks instead of line breaks': (pem) => pem.replaceAll('\n', ' '),
  'with line breaks of Windows, indented': (pem) => pem.replaceAll('\n', '\r\n    '),
  'with what is not seen around it': (pem) => `${MARK}${ZERO_WIDTH} ${pem}\n\n`,
  'as SEC1': (pem) => createPrivateKey(pem).export({ type: 'sec1', format: 'pem' }).toString(),
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

const NO_KEYS: Record<string, { text: (pem: string) => string; why: RegExp }> = {
  'one that is encrypted': {
    text: (pem) =>
      createPrivateKey(pem).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'hush' }).toString(),
    why: /encrypted with a password/,
  },
  'half of one': { text: (pem) => pem.slice(0, pem.length / 2), why: /This is no private key/ },
  'a client secret': { text: () => 'a+/=:% b', why: /This is no private key/ },
};

for (const [name, { text, why }] of Object.entries(NO_KEYS)) {
  test(`what is no private key that can be used says so: ${name}`, async ({ visit, world, idp }) => {
    const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
    await form.fillFor(idp, idp.clients.jwt.id, { 'Client authentication': 'JWT signed with a private key' });
    await form.secret.fill(text(idp.keys.es256.privateKeyPem));
    await form.press('Encrypt Client Secret');
    await expect(form.secret).toHaveAccessibleDescription(why);
    await expect(form.generateButton).toBeDisabled();
  });
}

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
