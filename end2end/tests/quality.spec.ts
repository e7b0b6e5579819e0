// Every page: axe in light and dark, headers and policy, 360 px, and the keyboard alone.
import AxeBuilder from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import { formPath, instancePath } from '../support/api';
import { expect, test } from '../support/fixtures';
import { ACCESS_TOKEN, asDetails, AUTHORIZATION, ConnectorForm, SAMPLE } from '../support/form';
import type { IdentityProvider } from '../support/identity-provider';
import { expectNoSidewaysScroll, open, scripted, settled, signIn } from '../support/pages';
import { ADVANCED, agree, OPENING, refuse, REFUSED, TokenForm } from '../support/token';
import { unique, type World } from '../support/world';

const LONG = 'https://a-very-long-address.example/' + 'without-any-place-to-break-'.repeat(12);

/** A form with a token that lacks a scope and is older than the form: every kind of line that the card can have. */
async function formWithToken(page: Page, world: World, idp: IdentityProvider): Promise<TokenForm> {
  const form = await TokenForm.open(page, await world.connection());
  await form.fillFor(idp, idp.clients.basic.id, { Scopes: 'openid books.read books.write' });
  await form.encrypt(idp.clients.basic.secret ?? '');
  await agree(await form.generate(), { without: ['books.write'] });
  await form.expectToken('Changed');
  await form.fill({ 'Company ID': 'changed since' });
  await form.save();
  await expect(form.tokenCard).toContainText('The token is older than the form');
  return form;
}

/** Each page and state by name: how to get there. */
const PAGES: Record<string, (page: Page, world: World, idp: IdentityProvider) => Promise<void>> = {
  'sign-in': async (page) => {
    await page.context().clearCookies();
    await page.goto('/login');
    await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
  },
  'sign-in refused': async (page) => {
    await page.context().clearCookies();
    await page.goto('/login');
    await signIn(page, { email: `${unique('nobody')}@example.test`, password: 'wrong' });
    await expect(page.getByText('That email and password do not match.')).toBeVisible();
  },
  overview: async (page, world) => {
    const key = await world.connection(asDetails(SAMPLE), { instance: unique(`An integration ${'with-a-very-long-name-'.repeat(6)}`) });
    await open(page, `/?q=${encodeURIComponent(key.instance)}`);
    await expect(page.getByRole('link', { name: key.instance, exact: true })).toBeVisible();
  },
  'overview, nothing found': async (page) => {
    await open(page, '/?q=nothing-has-this-name');
  },
  instance: async (page, world) => {
    const key = await world.connection(asDetails(SAMPLE));
    await world.api.save({ ...key, connection: `connection-${'long-'.repeat(30)}` }, {});
    await open(page, instancePath(key));
    await expect(page.getByLabel('Select a process')).toBeVisible();
  },
  form: async (page, world) => {
    const form = await ConnectorForm.open(page, await world.connection(asDetails({ ...SAMPLE, 'Base URL': LONG })));
    await form.expectContent({ ...SAMPLE, 'Base URL': LONG });
  },
  'form with a draft': async (page, world) => {
    const form = await ConnectorForm.open(page, await world.connection(asDetails(SAMPLE)));
    await form.fill({ 'Base URL': LONG });
    await form.keep();
    await form.reload();
    await expect(form.draftNote).toBeVisible();
  },
  'form with errors': async (page, world) => {
    const form = await ConnectorForm.open(page, await world.connection());
    await form.fill({ 'Base URL': 'wrong', 'Authorization Parameters': [['', 'no key']], 'Access Token Parameters': [['a', ''], ['a', '']] });
    await form.button('Save').click();
    await expect(form.summary.getByRole('link')).toHaveCount(3);
  },
  'form with a conflict': async (page, world) => {
    const key = await world.connection(asDetails(SAMPLE));
    const form = await ConnectorForm.open(page, key);
    await form.fill({ 'Base URL': LONG });
    await form.keep();
    await world.api.save(key, asDetails({ ...SAMPLE, 'Base URL': `${LONG}of-somebody-else`, 'Company ID': 'other' }));
    await form.button('Save').click();
    await expect(form.conflict).toBeVisible();
  },
  'form with a token': async (page, world, idp) => {
    await formWithToken(page, world, idp);
  },
  'form that asks before resetting': async (page, world, idp) => {
    const form = await formWithToken(page, world, idp);
    await form.press('Reset Client Secret');
    await expect(page.getByRole('button', { name: 'Reset and revoke' })).toBeVisible();
  },
  'form whose secret has to be entered again': async (page, world, idp) => {
    const form = await formWithToken(page, world, idp);
    await form.unfold(ADVANCED);
    await form.fill({ 'Base URL': LONG });
    await form.save();
    await expect(form.credentials).toContainText('Enter the secret again');
  },
  'form after a refusal': async (page, world, idp) => {
    const form = await TokenForm.open(page, await world.connection());
    await form.fillFor(idp, idp.clients.basic.id);
    await form.encrypt(idp.clients.basic.secret ?? '');
    await refuse(await form.generate());
    await form.expectMessage(REFUSED);
  },
  'form with a known provider': async (page, world) => {
    const form = await TokenForm.open(page, await world.connection());
    await form.fill({ 'Base URL': 'https://quickbooks.api.intuit.com', 'Client ID': 'a-client' });
    await form.choose({ Provider: 'QuickBooks Online' });
    await form.save();
    await expect(page.getByRole('link', { name: 'The provider’s documentation' })).toBeVisible();
  },
  preflight: async (page, world, idp) => {
    const form = await TokenForm.open(page, await world.connection({ authParams: { prompt: LONG } }));
    await form.fillFor(idp, idp.clients.basic.id);
    await form.press('Preflight');
    await expect(page.getByRole('region', { name: 'Authorization request' })).toBeVisible();
  },
  'attempt, on its way': async (page, world, idp) => {
    const form = await TokenForm.open(page, await world.connection());
    await form.fillFor(idp, idp.clients.basic.id);
    await form.encrypt(idp.clients.basic.secret ?? '');
    const provider = await form.generate();
    await expect(provider.getByLabel('Username')).toBeVisible();
    await form.reopen();
    const address = await form.attempt.getByRole('link', { name: 'Continue there' }).getAttribute('href');
    // The page leads on at once: here it stays, to be looked at.
    await page.route('**/oauth/attempts/*', async (route) => {
      const response = await route.fetch();
      const { refresh: _, ...headers } = response.headers();
      await route.fulfill({ response, headers });
    });
    await page.goto(address ?? '');
    await expect(page.getByRole('link', { name: 'Continue to the identity provider' })).toBeVisible();
    await expect(page.getByRole('status')).toContainText(OPENING);
  },
  'attempt, nobody’s': async (page) => {
    await page.goto('/oauth/attempts/00000000-0000-7000-8000-000000000000');
    await expect(page.getByText(/belongs to no attempt of this browser/)).toBeVisible();
  },
  'nothing here': async (page) => {
    await page.goto('/spaces/none/instances/none');
    await expect(page.getByRole('heading', { name: 'There is nothing here' })).toBeVisible();
  },
};

for (const [name, go] of Object.entries(PAGES)) {
  test(`${name}: 360 px wide without sideways scrolling, and axe finds nothing`, async ({ visit, world, idp, complaints }) => {
    for (const status of [400, 401, 404]) complaints.allowStatus(status);
    const page = await visit({ admin: world.anna, viewport: { width: 360, height: 740 } });
    await go(page, world, idp);
    await expectNoSidewaysScroll(page);
    // axe itself needs JavaScript; the markup it looks at is the same without.
    if (!scripted()) return;
    await page.setViewportSize({ width: 1280, height: 900 });
    for (const colorScheme of ['light', 'dark'] as const) {
      // A colour on its way to another is neither.
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const { violations, passes } = await new AxeBuilder({ page }).analyze();
      const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`);
      expect(found, colorScheme).toEqual([]);
      expect(passes.length).toBeGreaterThan(0);
    }
  });
}

test('s37 s41 every page carries a strict policy and tells nothing internal', async ({ visit, world, complaints }) => {
  for (const status of [400, 404]) complaints.allowStatus(status);
  const page = await visit({ admin: world.anna });
  const key = await world.connection();
  const attempt = '/oauth/attempts/00000000-0000-7000-8000-000000000000';
  for (const path of ['/login', '/', instancePath(key), formPath(key), `${formPath(key)}/preflight`, attempt, '/nowhere']) {
    const response = await page.goto(path);
    const headers = response?.headers() ?? {};
    const policy = headers['content-security-policy'] ?? '';
    expect(policy, path).toMatch(/default-src 'self'/);
    expect(policy, path).toMatch(/frame-ancestors '(none|self)'/);
    expect(policy, path).not.toContain('unsafe-inline');
    expect(policy.replaceAll('wasm-unsafe-eval', ''), path).not.toContain('unsafe-eval');
    expect(headers['x-content-type-options'], path).toBe('nosniff');
    const nonces = /'nonce-([^']+)'/.exec(policy)?.[1];
    if (await page.locator('script:not([src])').count()) expect(nonces, path).toBeTruthy();
  }
});

test('s37 the policy does stop a foreign script', { tag: '@javascript' }, async ({ visit, world, complaints }) => {
  complaints.allow(/content security policy/i);
  const page = await visit({ admin: world.anna });
  await ConnectorForm.open(page, await world.connection());
  const ran = await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'document.documentElement.dataset.ran = "yes"';
    document.body.append(script);
    return document.documentElement.dataset['ran'] ?? 'no';
  });
  expect(ran).toBe('no');
});

test('the whole way by keyboard alone', async ({ visit, world }) => {
  const admin = await world.newAdmin();
  const key = await world.connection();
  const page = await visit();
  const tabTo = async (target: Locator): Promise<void> => {
    await expect(target).toBeVisible();
    for (let presses = 0; presses < 60; presses += 1) {
      if (await target.evaluate((element) => element === document.activeElement)) {
        const ring = await target.evaluate((element) => {
          const style = getComputedStyle(element);
          return style.outlineStyle !== 'none' || style.boxShadow !== 'none';
        });
        expect(ring, `a visible focus on ${target}`).toBe(true);
        return;
      }
      await page.keyboard.press('Tab');
    }
    throw new Error(`${target} is not reached by the Tab key`);
  };

  await page.goto(formPath(key));
  const form = new ConnectorForm(page, key);
  await tabTo(page.getByLabel('Email', { exact: true }));
  await page.keyboard.type(admin.email);
  await page.keyboard.press('Tab');
  await page.keyboard.type(admin.password);
  await page.keyboard.press('Enter');
  await expect(form.button('Save')).toBeVisible();
  await page.reload();
  await settled(page);
  await page.keyboard.press('Tab');
  await expect(page.locator(':focus')).toHaveText(/Skip to/i);
  await page.keyboard.press('Enter');
  await tabTo(form.field('Base URL'));
  await page.keyboard.type('https://keyboard.example');
  await tabTo(form.cell(AUTHORIZATION, 'key', 1));
  await page.keyboard.type('k1');
  await page.keyboard.press('Tab');
  await page.keyboard.type('v1');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await expect(page.locator(':focus')).toHaveText(/Add Property/);
  await page.keyboard.press('Enter');
  await expect(form.rowKeys(AUTHORIZATION)).toHaveCount(2);
  await tabTo(form.cell(ACCESS_TOKEN, 'key', 1));
  await page.keyboard.type('k2');
  await tabTo(form.button('Save'));
  await page.keyboard.press('Enter');
  await expect(form.status).toHaveText(/^\s*Saved/);
  expect(await world.api.details(key)).toMatchObject({
    baseURL: 'https://keyboard.example',
    authParams: { k1: 'v1' },
    accessTokenParams: { k2: '' },
  });
});
