// Access tokens for integration runtimes, by the API: an hour later too, and from two replicas at once.
import { setTimeout as pause } from 'node:timers/promises';
import type { Page } from '@playwright/test';
import { Api, ids, type AccessToken, type Key } from '../support/api';
import { expect, test } from '../support/fixtures';
import type { IdentityProvider } from '../support/identity-provider';
import { Program } from '../support/server';
import { TokenForm } from '../support/token';
import type { Admin } from '../support/server';
import { ACCOUNT, OTHER_ACCOUNT, type World } from '../support/world';

type Visit = (how: { world?: World; admin: Admin }) => Promise<Page>;

/** A connection for which Anna generates a token; and a runtime's API token that may read it. */
async function connected(world: World, visit: Visit, idp: IdentityProvider): Promise<{ key: Key; form: TokenForm; runtime: Api }> {
  const key = await world.connection();
  const form = await TokenForm.open(await visit({ world, admin: world.anna }), key);
  await form.fillFor(idp, idp.clients.basic.id);
  await form.encrypt(idp.clients.basic.secret ?? '');
  await form.getToken();
  return { key, form, runtime: await Api.of(world.program, ACCOUNT, ['--read-access-tokens']) };
}

/** Whether the provider takes the token: it answers who it is for (OpenID Connect Core, 5.3). */
async function works(idp: IdentityProvider, token: AccessToken): Promise<boolean> {
  const answer = await fetch(`${idp.issuer}/me`, { headers: { Authorization: `${token.tokenType} ${token.accessToken}` } });
  return answer.ok && ((await answer.json()) as { sub?: string }).sub === 'reader';
}

/** The token as the provider sees it (RFC 7662). */
async function introspected(idp: IdentityProvider, token: AccessToken): Promise<Record<string, unknown>> {
  const { id, secret } = idp.clients.basic;
  const answer = await fetch(`${idp.issuer}/token/introspection`, {
    method: 'POST',
    headers: { Authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
    body: new URLSearchParams({ token: token.accessToken }),
  });
  return (await answer.json()) as Record<string, unknown>;
}

const refreshes = (idp: IdentityProvider): number => idp.log.filter(({ grantType }) => grantType === 'refresh_token').length;

test('a runtime gets an access token that the provider accepts', { tag: '@once' }, async ({ visit, world, idp }) => {
  const { key, form, runtime } = await connected(world, visit, idp);
  const token = await runtime.accessToken(key);
  expect(token).toEqual({
    accessToken: expect.stringMatching(/^[\w-]{20,}$/),
    tokenType: 'Bearer',
    expiresAt: expect.stringMatching(/^20\d\d-\d\d-\d\dT/),
    scope: 'openid books.read',
  });
  expect(await works(idp, token)).toBe(true);
  expect(await introspected(idp, token)).toMatchObject({ active: true, scope: 'openid books.read', client_id: 'demo-client' });
  const minutes = (Date.parse(token.expiresAt ?? '') - Date.now()) / 60_000;
  expect(minutes).toBeGreaterThan(55);
  expect(minutes).toBeLessThanOrEqual(61);
  expect(await world.api.read(key)).toMatchObject({ isTokenGenerated: true });
  expect(await runtime.accessToken(key), 'the same, for as long as it is good').toEqual(token);
  expect(refreshes(idp)).toBe(0);
  expect(await form.page.content()).not.toContain(token.accessToken);
});

test('reads are counted in the history, one entry for many', { tag: '@once' }, async ({ visit, world, idp }) => {
  const { key, form, runtime } = await connected(world, visit, idp);
  await Promise.all(Array.from({ length: 25 }, () => runtime.accessToken(key)));
  const entries = form.history.getByRole('listitem').filter({ hasText: /read the (access )?token/ });
  await expect(async () => {
    await form.reload();
    await expect(entries.first()).toContainText('25', { timeout: 500 });
  }).toPass({ timeout: 20_000 });
  await expect(entries).toHaveCount(1);
});

test('s31 without the permission, and for another account, there is no token', { tag: '@once' }, async ({ visit, world, idp }) => {
  const { key } = await connected(world, visit, idp);
  const plain = await world.api.tryAccessToken(key);
  expect(plain.data?.['iPackInstanceOauthAccessToken'] ?? null).toBeNull();
  expect(plain.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);

  const stranger = await Api.of(world.program, OTHER_ACCOUNT, ['--read-access-tokens']);
  const denied = await stranger.tryAccessToken(key);
  const absent = await stranger.tryAccessToken({ ...key, connection: 'nowhere' });
  expect(denied.data?.['iPackInstanceOauthAccessToken'] ?? null).toBeNull();
  expect(denied.errors[0]?.extensions?.['code']).toBe(absent.errors[0]?.extensions?.['code']);
  expect(denied.errors[0]?.message).toBe(absent.errors[0]?.message);
});

test('where there is no token yet the answer says so', { tag: '@once' }, async ({ world }) => {
  const runtime = await Api.of(world.program, ACCOUNT, ['--read-access-tokens']);
  const answer = await runtime.tryAccessToken(await world.connection());
  expect(answer.errors).toMatchObject([{ extensions: { code: 'CONFLICT' } }]);
  expect(answer.errors[0]?.message).toMatch(/There is no access token for this connection yet/);
});

test('an hour later: another token, and it works', { tag: '@once' }, async ({ visit, world, idp }) => {
  // The hour is a few seconds here: the provider says how long a token is good.
  idp.control.accessTokenSeconds(6);
  const { key, form, runtime } = await connected(world, visit, idp);
  const first = await runtime.accessToken(key);
  expect(await works(idp, first)).toBe(true);
  let later = first;
  await expect(async () => {
    later = await runtime.accessToken(key);
    expect(later.accessToken).not.toBe(first.accessToken);
  }).toPass({ timeout: 20_000, intervals: [250] });
  expect(await works(idp, later)).toBe(true);
  await expect.poll(() => works(idp, first), { timeout: 10_000 }).toBe(false);
  expect(refreshes(idp)).toBeGreaterThanOrEqual(1);
  expect(idp.log.filter(({ error }) => error)).toEqual([]);
  await form.reload();
  await form.expectToken();
  await expect(form.history).toContainText('refreshed the token');
});

test('s12 access withdrawn at the provider: the token is broken, nobody asks again, a new one mends it', { tag: '@once' }, async ({ visit, world, idp }) => {
  idp.control.accessTokenSeconds(3);
  const { key, form, runtime } = await connected(world, visit, idp);
  idp.control.forgetEverything();
  await expect(async () => {
    const answer = await runtime.tryAccessToken(key);
    expect(answer.errors).toMatchObject([{ extensions: { code: 'CONFLICT' } }]);
  }).toPass({ timeout: 15_000 });
  const answer = await runtime.tryAccessToken(key);
  expect(answer.errors[0]?.message).toMatch(/invalid_grant/);
  const asked = idp.log.length;
  await form.reload();
  await expect(form.fact('State')).toHaveText('Broken');
  await expect(form.state).toHaveText('Broken');
  await expect(form.tokenCard).toContainText('invalid_grant');
  // More than one round of refreshes.
  await pause(6_000);
  await runtime.tryAccessToken(key);
  expect(idp.log, 'no call after invalid_grant').toHaveLength(asked);
  idp.control.accessTokenSeconds(3_600);
  await form.getToken();
  expect(await works(idp, await runtime.accessToken(key))).toBe(true);
});

test('f10 two replicas, many runtimes: one token is refreshed once', { tag: '@once' }, async ({ visit, ownWorld, idp }) => {
  test.setTimeout(90_000);
  const world = await ownWorld();
  const second = await Program.beside(world.program);
  try {
    idp.control.accessTokenSeconds(12);
    const { key, runtime } = await connected(world, visit, idp);
    const old = await runtime.accessToken(key);
    idp.control.accessTokenSeconds(3_600);
    // A call that takes its time: everybody comes while it is under way.
    idp.control.slow(1_500);
    const replicas: Program[] = [world.program, second];
    const ends = Date.parse(old.expiresAt ?? '');
    const tokens = new Set<string>();
    while (tokens.size < 2 && Date.now() < ends + 15_000) {
      const asked = Array.from({ length: 24 }, (_, n) => runtime.accessToken(key, replicas[n % 2]));
      for (const { accessToken } of await Promise.all(asked)) tokens.add(accessToken);
      await pause(50);
    }
    expect(refreshes(idp)).toBe(1);
    expect(idp.log.filter(({ error }) => error), 'the provider saw no refresh token twice').toEqual([]);
    const now = await Promise.all(replicas.map((replica) => runtime.accessToken(key, replica)));
    expect(new Set(now.map(({ accessToken }) => accessToken)).size, 'both hand out the same').toBe(1);
    expect(now[0]?.accessToken).not.toBe(old.accessToken);
    for (const token of now) expect(await works(idp, token)).toBe(true);
    expect(tokens.size).toBe(2);
  } finally {
    await second.dispose();
  }
});

test('secrets by the API: encrypted, used from the form, and reset', { tag: '@once' }, async ({ visit, world, idp }) => {
  const { id, secret } = idp.clients.basic;
  const key = await world.connection({ baseURL: idp.issuer, clientId: id });
  const mutate = async (mutation: string, more = ''): Promise<unknown> => {
    const input = `${ids(key).trimEnd().slice(0, -1)} ${more} }`;
    const answer = await world.api.graphql(
      `mutation { ${mutation}(input: ${input}) { isClientSecretEncrypted encryptedBy encryptedAt } }`,
      key.space,
    );
    expect(answer.errors).toEqual([]);
    return answer.data?.[mutation];
  };
  const encrypted = await mutate('encryptIPackInstanceOauthClientSecret', `clientSecret: ${JSON.stringify(secret)}`);
  expect(encrypted).toMatchObject({ isClientSecretEncrypted: true, encryptedAt: expect.any(String) });
  const form = await TokenForm.open(await visit({ admin: world.anna }), key);
  await form.choose({ Scopes: 'openid books.read' });
  await form.expectEncrypted();
  await form.save();
  await form.getToken();
  // The seed's mutation says what it likes about secrets and tokens: neither is touched.
  await world.api.save(key, { baseURL: idp.issuer, clientId: id }, { clientSecret: 'something else' });
  await form.reload();
  await form.expectEncrypted();
  await form.expectToken();
  expect(await world.api.read(key)).toMatchObject({ isTokenGenerated: true });

  expect(await mutate('resetIPackInstanceOauthClientSecret')).toMatchObject({ isClientSecretEncrypted: false });
  await expect.poll(() => idp.revocations.map(({ revoked }) => revoked)).toEqual(['refresh_token']);
  await form.reload();
  await form.expectNoToken();
  await expect(form.secret).toBeVisible();
});
