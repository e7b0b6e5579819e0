// Signing in and out, and how sessions end.
import { expect, test } from '../support/fixtures';
import { formPath } from '../support/api';
import { ConnectorForm } from '../support/form';
import { open, settled, signIn, signOut } from '../support/pages';

const home = { name: 'Installed integrations' };

test('the right password leads to the integrations, signing out back to the door', async ({ visit, world }) => {
  const admin = await world.newAdmin();
  const page = await visit();
  await page.goto('/login');
  await signIn(page, admin);
  await expect(page.getByRole('heading', home)).toBeVisible();
  await expect(page.getByText(admin.email)).toBeVisible();
  await settled(page);
  await signOut(page);
  await page.goto('/');
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
  await expect(page.getByRole('heading', home)).toBeHidden();
});

test('a wrong password and an unknown email are told apart by nobody, and the email stays', async ({ visit, world, complaints }) => {
  complaints.allowStatus(401);
  const page = await visit();
  const admin = await world.newAdmin();
  for (const email of [admin.email, 'nobody@example.test']) {
    await page.goto('/login');
    const answer = page.waitForResponse((response) => response.request().method() === 'POST');
    await signIn(page, { email, password: 'not the password' });
    expect((await answer).status()).toBe(401);
    await expect(page.getByText('That email and password do not match.')).toBeVisible();
    await expect(page.getByLabel('Email', { exact: true })).toHaveValue(email);
    await expect(page.getByLabel('Password', { exact: true })).toHaveValue('');
  }
  await page.goto('/');
  await expect(page.getByRole('heading', home)).toBeHidden();
});

test('a page asked for before signing in is shown after it', async ({ visit, world }) => {
  const admin = await world.newAdmin();
  const key = await world.connection({ baseURL: 'https://asked-for.example' });
  const page = await visit();
  await page.goto(formPath(key));
  await signIn(page, admin);
  await expect(page.getByLabel('Base URL', { exact: true })).toHaveValue('https://asked-for.example');
  expect(new URL(page.url()).pathname).toBe(formPath(key));
});

test('s16 the address to go to after signing in is never another site', async ({ visit, world }) => {
  const admin = await world.newAdmin();
  const foreign = ['https://evil.example/', '//evil.example/', '/\\evil.example', '/\t/evil.example', 'javascript:alert(1)'];
  for (const next of foreign) {
    const page = await visit();
    await page.goto(`/login?next=${encodeURIComponent(next)}`);
    await signIn(page, admin);
    await expect(page.getByRole('heading', home), next).toBeVisible();
    expect(new URL(page.url()).origin, next).toBe(world.program.url);
  }
});

test('s34 s35 signing in makes a new session, signing out ends it for good', async ({ visit, world }) => {
  const admin = await world.newAdmin();
  const page = await visit();
  const context = page.context();
  await context.addCookies([{ name: 'ipack_session', value: 'chosen-by-somebody-else', url: world.program.url }]);
  await page.goto('/login');
  await signIn(page, admin);
  await expect(page.getByRole('heading', home)).toBeVisible();

  const cookies = (await context.cookies()).filter((cookie) => cookie.name === 'ipack_session');
  expect(cookies).toHaveLength(1);
  expect(cookies[0]).toMatchObject({ httpOnly: true, path: '/' });
  expect(cookies[0]?.sameSite).toMatch(/^(Lax|Strict)$/);
  expect(cookies[0]?.value).not.toContain('chosen-by-somebody-else');

  await settled(page);
  await signOut(page);
  await context.addCookies(cookies);
  await page.goto('/');
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
});

test('s34 a session ends when it is left alone', async ({ visit, ownWorld }) => {
  const world = await ownWorld({ IPACK_SESSION_IDLE: '2' });
  const page = await visit({ world });
  await page.goto('/login');
  await signIn(page, world.anna);
  await expect(page.getByRole('heading', home)).toBeVisible();
  // Looking would be using it: here the passing of time itself is what is awaited.
  await page.waitForTimeout(3_500);
  await page.goto('/');
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
});

test('s34 a session ends after its longest time, however busy', async ({ visit, ownWorld }) => {
  const world = await ownWorld({ IPACK_SESSION_ABSOLUTE: '4' });
  const page = await visit({ world });
  await page.goto('/login');
  await signIn(page, world.anna);
  await expect(page.getByRole('heading', home)).toBeVisible();
  const begun = Date.now();
  await expect(async () => {
    await page.goto('/');
    await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible({ timeout: 100 });
  }).toPass({ timeout: 12_000, intervals: [300] });
  expect(Date.now() - begun).toBeGreaterThan(2_000);
});

test('s38 trying passwords is stopped', { tag: '@once' }, async ({ ownWorld }) => {
  const world = await ownWorld();
  const attempt = (forwarded: string): Promise<Response> =>
    fetch(`${world.program.url}/login`, {
      method: 'POST',
      redirect: 'manual',
      headers: { 'X-Forwarded-For': forwarded },
      body: new URLSearchParams({ email: world.anna.email, password: 'a guess', next: '/' }),
    });
  const statuses: number[] = [];
  for (let n = 1; n <= 60 && statuses.at(-1) !== 429; n += 1) {
    statuses.push((await attempt(`198.51.100.${n}`)).status);
  }
  expect(statuses[0]).toBe(401);
  expect(statuses.at(-1), 'a forged X-Forwarded-For does not help').toBe(429);
});

test('s36 nothing is shown or done for strangers or other sites', { tag: '@once' }, async ({ visit, world }) => {
  const key = await world.connection({ baseURL: 'https://not-for-strangers.example' });
  for (const path of ['/', formPath(key)]) {
    const answer = await fetch(world.program.url + path);
    expect(await answer.text()).not.toContain('not-for-strangers');
  }
  // The very fields the form would send, from somebody who is not signed in or comes from elsewhere.
  const { page } = await ConnectorForm.open(await visit({ admin: world.anna }), key);
  const fields = await page.locator('form[action="/api/connector"]').evaluate((form) =>
    [...new FormData(form as HTMLFormElement)].map(([name, value]) => [name, String(value)]),
  );
  const body = new URLSearchParams(fields);
  body.set('content[base_url]', 'https://changed.example');
  body.set('intent', 'save');
  const session = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
  const post = (headers: Record<string, string>): Promise<Response> =>
    fetch(`${world.program.url}/api/connector`, {
      method: 'POST',
      redirect: 'manual',
      headers,
      body,
    });
  expect((await post({ Accept: 'application/json' })).status).toBe(401);
  expect((await post({ Cookie: session, Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403);
  expect(await world.api.details(key)).toEqual({ baseURL: 'https://not-for-strangers.example' });
  expect((await post({ Cookie: session, Origin: world.program.url })).status, 'the same fields from home').toBeLessThan(400);
  expect(await world.api.details(key)).toMatchObject({ baseURL: 'https://changed.example' });
});

test('a tab that is open after signing out elsewhere leads to the door', async ({ visit, world, complaints }) => {
  complaints.allowStatus(401);
  const admin = await world.newAdmin();
  const page = await visit();
  await page.goto('/login');
  await signIn(page, admin);
  await expect(page.getByRole('heading', home)).toBeVisible();
  const other = await page.context().newPage();
  await open(other, '/');
  await signOut(other);
  await page.reload();
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
});
