// What was typed and not saved: it outlives a refresh, the browser, the program, and a second tab.
import { chromium } from '@playwright/test';
import { chromium as how } from '../support/chromium';
import { expect, test } from '../support/fixtures';
import { asDetails, AUTHORIZATION, ConnectorForm, SAMPLE, type Content } from '../support/form';
import { scripted, settled, signIn } from '../support/pages';
import { formPath } from '../support/api';

const TYPED: Partial<Content> = {
  'Base URL': 'https://half-typed.examp',
  'Client ID': 'typed, not saved',
  'Authorization Parameters': [['prompt', 'half'], ['', 'no key yet']],
};

test('refreshing in the middle of typing loses nothing, and saves nothing', async ({ visit, world }) => {
  const key = await world.connection({ companyId: 'saved before' });
  const form = await ConnectorForm.open(await visit({ admin: world.anna }), key);
  await form.fill(TYPED);
  await form.keep();
  await form.reload();
  await form.expectContent({ ...TYPED, 'Company ID': 'saved before' });
  await expect(form.draftNote).toBeVisible();
  await expect(form.button('Discard changes')).toBeVisible();
  expect(await world.api.details(key)).toEqual({ companyId: 'saved before' });
});

test('a single letter is kept within moments', { tag: '@javascript' }, async ({ visit, world }) => {
  const key = await world.connection(asDetails(SAMPLE));
  const form = await ConnectorForm.open(await visit({ admin: world.anna }), key);
  await form.field('Company ID').press('End');
  await form.page.keyboard.type('7');
  await expect(form.status).toHaveText(/Not saved yet|All changes kept/, { timeout: 400 });
  await expect(form.status).toHaveText(/All changes kept/, { timeout: 2_500 });
  await form.reload();
  await form.expectContent({ ...SAMPLE, 'Company ID': `${SAMPLE['Company ID']}7` });
});

test('"Not saved yet" stands there until the server has it', { tag: '@javascript' }, async ({ visit, world }) => {
  const key = await world.connection();
  const page = await visit({ admin: world.anna });
  const form = await ConnectorForm.open(page, key);
  let release = (): void => undefined;
  const held = new Promise<void>((done) => (release = done));
  await page.route('**/api/connector', async (route) => {
    await held;
    await route.continue();
  });
  const sent = page.waitForRequest('**/api/connector');
  await form.field('Base URL').pressSequentially('https://slow.example');
  await expect(form.status).toHaveText(/Not saved yet/);
  await sent;
  await expect(form.status).toHaveText(/Not saved yet/);
  release();
  await expect(form.status).toHaveText(/All changes kept/);
});

test('typing in a burst is sent a few times, not once for each letter', { tag: '@javascript' }, async ({ visit, world }) => {
  const key = await world.connection();
  const page = await visit({ admin: world.anna });
  const form = await ConnectorForm.open(page, key);
  let posts = 0;
  page.on('request', (request) => (posts += request.url().endsWith('/api/connector') ? 1 : 0));
  const text = 'https://forty-letters-in-one-go.example/x';
  await form.field('Base URL').pressSequentially(text, { delay: 10 });
  await form.keep();
  expect(posts).toBeGreaterThan(0);
  expect(posts).toBeLessThan(text.length / 4);
});

test('the browser is killed in mid-edit, another one goes on', async ({ visit, world }) => {
  const key = await world.connection(asDetails(SAMPLE));
  const server = await chromium.launchServer(how);
  try {
    const browser = await chromium.connect(server.wsEndpoint());
    const context = await browser.newContext({ baseURL: world.program.url, javaScriptEnabled: scripted() });
    const page = await context.newPage();
    await page.goto(formPath(key));
    await signIn(page, world.anna);
    await settled(page);
    const form = new ConnectorForm(page, key);
    await form.expectContent(SAMPLE);
    await form.fill({ 'Base URL': 'https://typed-before-the-crash.example' });
    await form.keep();
  } finally {
    await server.kill();
  }
  const page = await visit();
  await page.goto(formPath(key));
  await signIn(page, world.anna);
  await settled(page);
  const form = new ConnectorForm(page, key);
  await form.expectContent({ ...SAMPLE, 'Base URL': 'https://typed-before-the-crash.example' });
  await expect(form.draftNote).toBeVisible();
});

test('the program is killed in mid-edit, the draft is there when it is back', async ({ visit, ownWorld }) => {
  const world = await ownWorld();
  const key = await world.connection(asDetails(SAMPLE));
  const page = await visit({ world, admin: world.anna });
  const form = await ConnectorForm.open(page, key);
  await form.fill({ 'Company ID': 'typed before the crash' });
  await form.keep();
  await world.program.kill();
  await world.program.start();
  await form.reload();
  await form.expectContent({ ...SAMPLE, 'Company ID': 'typed before the crash' });
  await form.save();
  expect(await world.api.details(key)).toMatchObject({ companyId: 'typed before the crash' });
});

test('typing goes on while the program is away', { tag: '@javascript' }, async ({ visit, ownWorld, complaints }) => {
  complaints.allow(/ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/);
  const world = await ownWorld();
  const key = await world.connection();
  const page = await visit({ world, admin: world.anna });
  const form = await ConnectorForm.open(page, key);
  await world.program.kill();
  const failed = page.waitForEvent('requestfailed');
  await form.field('Base URL').fill('https://typed-meanwhile.example');
  await failed;
  await expect(form.status).not.toHaveText(/All changes kept/);
  await world.program.start();
  await form.field('Company ID').fill('typed afterwards');
  await form.keep();
  await form.reload();
  await form.expectContent({ 'Base URL': 'https://typed-meanwhile.example', 'Company ID': 'typed afterwards' });
});

test('a draft is seen in a second tab, and by no other admin', async ({ visit, world }) => {
  const key = await world.connection(asDetails(SAMPLE));
  const page = await visit({ admin: world.anna });
  const form = await ConnectorForm.open(page, key);
  await form.fill({ 'Company ID': 'in the first tab' });
  await form.keep();
  const second = await ConnectorForm.open(await page.context().newPage(), key);
  await second.expectContent({ ...SAMPLE, 'Company ID': 'in the first tab' });
  const other = await ConnectorForm.open(await visit({ admin: world.ben }), key);
  await other.expectContent(SAMPLE);
  await expect(other.draftNote).toBeHidden();
});

test('two tabs of one admin never undo each other', async ({ visit, world }) => {
  const key = await world.connection(asDetails(SAMPLE));
  const page = await visit({ admin: world.anna });
  const first = await ConnectorForm.open(page, key);
  const second = await ConnectorForm.open(await page.context().newPage(), key);
  await first.fill({ 'Base URL': 'https://first-tab.example' });
  await first.keep();
  await second.fill({ 'Company ID': 'second tab' });
  await second.keep();
  await first.fillRows(AUTHORIZATION, [['prompt', 'first tab again']]);
  await first.keep();

  const both: Content = {
    ...SAMPLE,
    'Base URL': 'https://first-tab.example',
    'Company ID': 'second tab',
    'Authorization Parameters': [['prompt', 'first tab again'], ...SAMPLE[AUTHORIZATION].slice(1)],
  };
  await second.reload();
  await second.expectContent(both);
  await first.save();
  expect(await world.api.details(key)).toEqual(asDetails(both));
});
