// The ways to the identity provider and back: window or whole page, closed windows, several attempts; and the ways in
// which a client proves itself.
import type { BrowserContext } from '@playwright/test';
import { formPath } from '../support/api';
import { expect, test } from '../support/fixtures';
import { scripted } from '../support/pages';
import { ADVANCED, agree, INITIALIZING, OPENING, SUCCESSFUL, TokenForm, type Choice } from '../support/token';

/** Every answer to a request of this browser whose path starts so. */
function answers(context: BrowserContext, path: string): { url: URL; headers: Record<string, string> }[] {
  const seen: { url: URL; headers: Record<string, string> }[] = [];
  context.on('response', (response) => {
    const url = new URL(response.url());
    if (url.pathname.startsWith(path)) seen.push({ url, headers: response.headers() });
  });
  return seen;
}

test('where the window is blocked the page itself goes and comes back', { tag: '@javascript' }, async ({ visit, world, idp }) => {
  const page = await visit({ admin: world.anna });
  await page.addInitScript(() => {
    window.open = () => null;
  });
  const key = await world.connection();
  const form = await TokenForm.open(page, key);
  await form.fillFor(idp, idp.clients.basic.id);
  await form.encrypt(idp.clients.basic.secret ?? '');
  await form.fill({ 'Company ID': 'typed just before' });
  await form.generateButton.click();
  await agree(page);
  await form.expectToken();
  expect(page.context().pages()).toHaveLength(1);
  expect(page.url().endsWith(`${formPath(key)}#token`), page.url()).toBe(true);
  await expect(form.field('Company ID')).toHaveValue('typed just before');
});

test('a window that the person closes is no failure, and pressing again works', { tag: '@javascript' }, async ({ visit, world, idp }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.fillFor(idp, idp.clients.basic.id);
  await form.encrypt(idp.clients.basic.secret ?? '');
  const closed = await form.generate();
  await expect(closed.getByLabel('Username')).toBeVisible();
  await closed.close();
  // Long enough for the page to have asked twice how far it is.
  const asked = (): Promise<unknown> => form.page.waitForResponse((response) => response.url().includes('/api/attempt'));
  await asked();
  await asked();
  await form.expectMessage(OPENING);
  await expect(form.generateButton).toBeEnabled();
  await form.getToken();
  expect(idp.log).toHaveLength(1);
});

test('a closed window is opened again by the link, and goes on where it was', async ({ visit, world, idp }) => {
  const key = await world.connection();
  const page = await visit({ admin: world.anna });
  const form = await TokenForm.open(page, key);
  await form.fillFor(idp, idp.clients.basic.id);
  await form.encrypt(idp.clients.basic.secret ?? '');
  const left = await form.generate();
  await expect(left.getByLabel('Username')).toBeVisible();
  if (scripted()) await left.close();
  await form.reopen();
  await form.attempt.getByRole('link', { name: 'Continue there' }).click();
  await agree(page);
  if (scripted()) {
    // The attempt was begun for a window: its last page leads back, or closes itself.
    await expect(page.getByText(SUCCESSFUL)).toBeVisible();
    await page.getByRole('link', { name: 'Back to the form' }).click();
  }
  await form.expectToken();
  expect(idp.log).toHaveLength(1);
});

test('s01 a second attempt takes the place of the first, which ends without a token', async ({ visit, world, idp }) => {
  const key = await world.connection();
  const page = await visit({ admin: world.anna });
  const form = await TokenForm.open(page, key);
  await form.fillFor(idp, idp.clients.basic.id);
  await form.encrypt(idp.clients.basic.secret ?? '');
  const first = await form.generate();
  await expect(first.getByLabel('Username')).toBeVisible();
  const again = await TokenForm.open(await page.context().newPage(), key);
  await again.getToken();
  expect(idp.log).toHaveLength(1);
  await agree(first);
  await (scripted() ? expect.poll(() => first.isClosed()).toBe(true) : form.expectToken());
  await again.reload();
  await again.expectToken();
  expect(idp.log, 'the first code is never exchanged').toHaveLength(1);
});

test('s01 s15 an answer works once, and its code stays in no address', async ({ visit, world, idp, complaints }) => {
  complaints.allowStatus(400);
  const page = await visit({ admin: world.anna });
  const callbacks = answers(page.context(), '/oauth/callback/');
  const form = await TokenForm.open(page, await world.connection());
  await form.fillFor(idp, idp.clients.basic.id);
  await form.encrypt(idp.clients.basic.secret ?? '');
  await form.getToken();
  expect(page.url()).not.toContain('code=');
  const [callback] = callbacks;
  expect(callbacks).toHaveLength(1);
  expect(callback?.headers).toMatchObject({ 'cache-control': expect.stringContaining('no-store'), 'referrer-policy': 'no-referrer' });
  expect(callback?.headers['location']).toMatch(/^\/oauth\/attempts\/[0-9a-f-]{36}$/);

  const replayed = await page.goto(callback?.url.href ?? '');
  expect(replayed?.status()).toBe(400);
  await expect(page.getByText(/belongs to no attempt of this browser/)).toBeVisible();
  expect(await page.content()).not.toContain(callback?.url.searchParams.get('code') ?? 'no code');
  expect(idp.log).toHaveLength(1);
});

test('s02 s04 s05 what is sent to the provider, and the issuer in what it answers', async ({ visit, world, idp }) => {
  const page = await visit({ admin: world.anna });
  const requests = answers(page.context(), '/auth');
  const callbacks = answers(page.context(), '/oauth/callback/');
  const form = await TokenForm.open(page, await world.connection());
  await form.fillFor(idp, idp.clients.basic.id);
  await form.fillRows('Authorization Parameters', [['ui_locales', 'de & fr']]);
  await form.encrypt(idp.clients.basic.secret ?? '');
  await form.getToken();
  await agree(await form.generate());
  await expect.poll(() => idp.log.length).toBe(2);
  await form.expectToken();

  const asked = requests.map(({ url }) => url.searchParams).filter((parameters) => parameters.has('response_type'));
  expect(asked).toHaveLength(2);
  for (const parameters of asked) {
    expect(Object.fromEntries(parameters)).toEqual({
      response_type: 'code',
      client_id: idp.clients.basic.id,
      redirect_uri: await form.redirectUri.inputValue(),
      scope: 'openid books.read',
      state: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
      ui_locales: 'de & fr',
    });
  }
  for (const drawn of ['state', 'code_challenge']) expect(asked[0]?.get(drawn)).not.toBe(asked[1]?.get(drawn));
  const metadata = (await (await fetch(`${idp.issuer}/.well-known/openid-configuration`)).json()) as Record<string, unknown>;
  expect(metadata['authorization_response_iss_parameter_supported']).toBe(true);
  expect(callbacks.map(({ url }) => url.searchParams.get('iss'))).toEqual([idp.issuer, idp.issuer]);
});

test('s06 what one browser began another cannot finish', async ({ visit, world, idp, complaints }) => {
  complaints.allowStatus(400);
  const page = await visit({ admin: world.anna });
  const form = await TokenForm.open(page, await world.connection());
  await form.fillFor(idp, idp.clients.basic.id);
  await form.encrypt(idp.clients.basic.secret ?? '');
  const provider = await form.generate();
  await expect(provider.getByLabel('Username')).toBeVisible();
  await form.reopen();
  const link = form.attempt.getByRole('link', { name: 'Continue there' });
  const address = (await link.getAttribute('href')) ?? '';
  const stranger = await visit({ admin: world.ben });
  const answer = await stranger.goto(address);
  expect(answer?.status()).toBe(400);
  await expect(stranger.getByText(/belongs to no attempt of this browser/)).toBeVisible();
  expect(idp.log).toEqual([]);
});

const PUBLIC: Choice = { 'Client authentication': 'None: a public client with PKCE' };
const POST: Choice = { 'Client authentication': 'Client secret in the request’s body' };
const SIGNED: Choice = { 'Client authentication': 'JWT signed with a private key' };

test('a public client needs no secret: PKCE stands in for it', async ({ visit, world, idp }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.fillFor(idp, idp.clients.public.id, PUBLIC);
  await form.save();
  await expect(form.credentials).toContainText('This client needs none: it proves itself by PKCE.');
  await expect(form.generateButton).toBeEnabled();
  await form.getToken();
  expect(idp.log).toMatchObject([{ clientId: idp.clients.public.id, clientAuth: 'none', status: 200 }]);
});

test('a client secret in the body of the request', async ({ visit, world, idp }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.fillFor(idp, idp.clients.post.id, POST);
  await form.encrypt(idp.clients.post.secret ?? '');
  await form.getToken();
  expect(idp.log).toMatchObject([{ clientId: idp.clients.post.id, clientAuth: 'client_secret_post', status: 200 }]);
});

test('s13 an id and a secret with colons, percent signs and blanks', async ({ visit, world, idp }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.fillFor(idp, idp.clients.odd.id);
  await form.encrypt(idp.clients.odd.secret ?? '');
  await form.getToken();
  expect(idp.log).toMatchObject([{ clientId: idp.clients.odd.id, clientAuth: 'client_secret_basic', status: 200 }]);
});

for (const algorithm of ['es256', 'rs256'] as const) {
  test(`a client that signs JWTs with its private key, ${algorithm}`, async ({ visit, world, idp }) => {
    const { kid, privateKeyPem } = idp.keys[algorithm];
    const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
    await form.fillFor(idp, idp.clients.jwt.id, { ...SIGNED, 'Key ID': kid });
    await form.encrypt(privateKeyPem);
    await form.getToken();
    expect(idp.log).toMatchObject([{ clientId: idp.clients.jwt.id, clientAuth: 'private_key_jwt', status: 200 }]);
    expect(await form.page.content()).not.toContain('PRIVATE KEY-----');
  });
}

test('what is no private key is refused where one is needed', async ({ visit, world, idp }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.fillFor(idp, idp.clients.jwt.id, SIGNED);
  await form.secret.fill('just a password');
  await form.press('Encrypt Client Secret');
  await expect(form.secret).toHaveAttribute('aria-invalid', 'true');
  await expect(form.secret).toHaveAccessibleDescription(/This is no private key\./);
  await expect(form.generateButton).toBeDisabled();
});

test('client credentials: nobody signs in, and no window opens', async ({ visit, world, idp }) => {
  const page = await visit({ admin: world.anna });
  const form = await TokenForm.open(page, await world.connection());
  await form.fillFor(idp, idp.clients.service.id, { Scopes: 'books.read', Grant: 'Client credentials' });
  await form.encrypt(idp.clients.service.secret ?? '');
  await expect(form.redirectUri, 'nobody comes back, so nothing is registered').toHaveCount(0);
  const said = scripted() ? await form.listen() : undefined;
  await form.generateButton.click();
  await form.expectToken();
  expect(page.context().pages()).toHaveLength(1);
  expect(idp.log).toMatchObject([{ grantType: 'client_credentials', scope: 'books.read', status: 200 }]);
  if (said) expect(await said()).toEqual([OPENING, INITIALIZING, SUCCESSFUL]);
  await form.reload();
  await form.expectToken();
});

test('s11 the password grant is not on offer', async ({ visit, world }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.unfold(ADVANCED);
  await expect(form.choice('Grant').locator('option')).toHaveText([
    'As the provider has it',
    'Authorization code',
    'Client credentials',
    'JWT bearer',
  ]);
});
