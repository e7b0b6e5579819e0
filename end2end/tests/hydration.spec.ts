// The form can be used before its program has arrived, and taking over loses nothing.
import { formPath } from '../support/api';
import { expect, test } from '../support/fixtures';
import { ACCESS_TOKEN, AUTHORIZATION, asDetails, ConnectorForm, SAMPLE, type Content } from '../support/form';
import { PROGRAM, settled } from '../support/pages';

test('what was typed before hydration stays, and is kept', { tag: '@javascript' }, async ({ visit, world }) => {
  const key = await world.connection(asDetails(SAMPLE));
  const page = await visit({ admin: world.anna });
  let release = (): void => undefined;
  const held = new Promise<void>((done) => (release = done));
  await page.route(PROGRAM, async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(formPath(key), { waitUntil: 'commit' });
  const form = new ConnectorForm(page, key);
  await form.field('Base URL').fill('https://typed-early.example');
  await form.cell(AUTHORIZATION, 'value', 1).fill('early too');
  await expect(page.locator('body')).not.toHaveAttribute('data-hydrated', 'true');
  release();
  await settled(page);
  const typed: Content = {
    ...SAMPLE,
    'Base URL': 'https://typed-early.example',
    'Authorization Parameters': [['prompt', 'early too'], ...SAMPLE[AUTHORIZATION].slice(1)],
  };
  await form.expectContent(typed);
  await form.keep();
  await form.reload();
  await form.expectContent(typed);
});

test('without its program the form does all it does without JavaScript', { tag: '@javascript' }, async ({ visit, world, complaints }) => {
  complaints.allow(/ERR_FAILED|Failed to fetch|\.wasm/);
  const key = await world.connection();
  const page = await visit({ admin: world.anna });
  await page.route(PROGRAM, (route) => route.abort());
  await page.goto(formPath(key));
  const form = new ConnectorForm(page, key);
  await form.field('Base URL').fill('https://no-program.example');
  await form.cell(ACCESS_TOKEN, 'key', 1).fill('k');
  await page.getByRole('group', { name: AUTHORIZATION }).getByRole('button', { name: /^Add Property/ }).click();
  await expect(form.rowKeys(AUTHORIZATION)).toHaveCount(2);
  await form.expectContent({ 'Base URL': 'https://no-program.example', 'Access Token Parameters': [['k', '']] });
  await form.button('Save').click();
  await expect(form.status).toHaveText(/^\s*Saved/);
  expect(await world.api.details(key)).toMatchObject({ baseURL: 'https://no-program.example', accessTokenParams: { k: '' } });
});

test('with its program no button leaves the page', { tag: '@javascript' }, async ({ visit, world }) => {
  const key = await world.connection();
  const page = await visit({ admin: world.anna });
  const form = await ConnectorForm.open(page, key);
  let loads = 0;
  page.on('load', () => (loads += 1));
  await form.fill(SAMPLE);
  await form.deleteRow(AUTHORIZATION, 1);
  await form.save();
  await form.expectContent({ ...SAMPLE, 'Authorization Parameters': SAMPLE[AUTHORIZATION].slice(1) });
  expect(loads).toBe(0);
});

test('what the browser loads and what it is answered stays small', { tag: '@javascript' }, async ({ visit, world }) => {
  const key = await world.connection(asDetails(SAMPLE));
  const page = await visit({ admin: world.anna });
  let transferred = 0;
  page.on('response', (response) => {
    if (/\.(wasm|js)(\?|$)/.test(response.url())) transferred += Number(response.headers()['content-length']);
  });
  const form = await ConnectorForm.open(page, key);
  expect(transferred).toBeGreaterThan(50_000);
  expect(transferred).toBeLessThanOrEqual(180_000);
  const kept = page.waitForResponse((response) => response.url().endsWith('/api/connector'));
  await form.field('Company ID').fill('another company');
  const answer = await (await kept).body();
  expect(answer.length).toBeLessThanOrEqual(4_096);
  expect(answer.toString()).not.toContain('QuickBooks');
});
