// The first page: what is installed, and the state of its connections.
import { Api, instancePath } from '../support/api';
import { expect, test } from '../support/fixtures';
import { asDetails, ConnectorForm, SAMPLE } from '../support/form';
import { card, line, open, search } from '../support/pages';
import { TokenForm } from '../support/token';
import { ACCOUNT, unique } from '../support/world';

test('each integration names its connections and their states', async ({ visit, world }) => {
  const instance = unique('statuses');
  const page = await visit({ admin: world.anna });
  const expected: [object, string][] = [
    [asDetails(SAMPLE), 'No token'],
    [{ baseURL: 'https://only.example' }, 'Not configured'],
  ];
  for (const [details, status] of expected) {
    const key = await world.connection(details, { instance: `${instance}-${status}` });
    await open(page, '/');
    await search(page, key.instance);
    await expect(card(page, key.instance).getByText(status, { exact: true })).toBeVisible();
  }
});

test('a dead token is green nowhere, and stands before what is well', async ({ visit, world, idp }) => {
  const fine = await world.connection({}, { connection: unique('a-fine') });
  const dead = { ...fine, connection: unique('z-dead') };
  await world.api.save(dead, {});
  const page = await visit({ admin: world.anna });
  for (const key of [fine, dead]) {
    if (key === dead) idp.control.accessTokenSeconds(3);
    const form = await TokenForm.open(page, key);
    await form.fillFor(idp, idp.clients.basic.id);
    await form.encrypt(idp.clients.basic.secret ?? '');
    await form.getToken();
  }
  await open(page, `/?q=${fine.instance}`);
  for (const key of [fine, dead]) await expect(line(page, key).getByText('OK', { exact: true })).toBeVisible();

  idp.control.forgetEverything();
  const runtime = await Api.of(world.program, ACCOUNT, ['--read-access-tokens']);
  await expect(async () => {
    const answer = await runtime.tryAccessToken(dead);
    expect(answer.errors[0]?.message).toMatch(/invalid_grant/);
  }).toPass({ timeout: 15_000 });
  await page.reload();
  const lines = card(page, fine.instance).locator('a.connection');
  await expect(lines).toHaveText([/z-dead.*Broken/, /a-fine.*OK/]);
  await expect(lines.first().locator('.status')).toHaveAttribute('title', /invalid_grant/);
  const [broken, ok] = await lines.locator('.status').evaluateAll((all) => all.map((one) => getComputedStyle(one).color));
  expect(broken).not.toBe(ok);

  await open(page, `${instancePath(fine)}?environment=${fine.environment}&process=${fine.process}`);
  const rows = page.locator('tbody').getByRole('row');
  await expect(rows).toHaveText([/z-dead.*Broken.*invalid_grant/, /a-fine.*OK/]);
  const form = await TokenForm.open(page, dead);
  await expect(form.state).toHaveText('Broken');
  await expect(form.message, 'what went well once is over').toHaveCount(0);
});

test('a draft is announced to the admin who has it, and to nobody else', async ({ visit, world }) => {
  const key = await world.connection(asDetails(SAMPLE));
  const page = await visit({ admin: world.anna });
  const form = await ConnectorForm.open(page, key);
  await form.fill({ 'Company ID': 'typed, not saved' });
  await form.keep();
  await open(page, `/?q=${key.instance}`);
  await expect(card(page, key.instance).getByText('Draft', { exact: true })).toBeVisible();

  const other = await visit({ admin: world.ben });
  await open(other, `/?q=${key.instance}`);
  await expect(card(other, key.instance)).toBeVisible();
  await expect(card(other, key.instance).getByText('Draft', { exact: true })).toBeHidden();
});

test('searching finds by a part of the name, whatever the case, and says when there is nothing', async ({ visit, world }) => {
  const wanted = await world.connection({}, { instance: unique('Übersee Orders') });
  const other = await world.connection({}, { instance: unique('Inland') });
  const page = await visit({ admin: world.anna });
  await open(page, '/');
  await search(page, wanted.instance.toLowerCase().slice(3));
  await expect(card(page, wanted.instance)).toBeVisible();
  await expect(card(page, other.instance)).toBeHidden();
  await expect(page.getByLabel('Search integrations')).toHaveValue(wanted.instance.toLowerCase().slice(3));

  await search(page, '100%_nothing-has-this-name');
  await expect(page.getByRole('main').locator('article, li, tr').filter({ has: page.getByRole('link', { name: wanted.instance }) })).toHaveCount(0);
  await expect(page.getByRole('heading', { name: 'Installed integrations' })).toBeVisible();
});

test('a long list is paged, and every integration is on exactly one page', async ({ visit, world }) => {
  test.slow();
  const prefix = unique('paged');
  const names = Array.from({ length: 60 }, (_, n) => `${prefix}-${String(n).padStart(2, '0')}`);
  for (const instance of names) await world.connection({}, { instance, environment: 'paging', process: 'paging' });
  const page = await visit({ admin: world.anna });
  await open(page, '/');
  await search(page, prefix);
  const links = page.getByRole('main').getByRole('link', { name: new RegExp(`^${prefix}-\\d\\d$`) });
  const more = page.getByRole('link', { name: 'More integrations' });
  const seen: string[] = [];
  let pages = 0;
  while (pages < names.length) {
    pages += 1;
    const shown = (await links.allInnerTexts()).map((text) => text.trim());
    seen.push(...shown);
    if ((await more.count()) === 0) break;
    const address = await more.getAttribute('href');
    await open(page, new URL(address ?? '', page.url()).href);
    await expect(page.getByRole('link', { name: shown[0] ?? '', exact: true })).toBeHidden();
  }
  expect(seen.toSorted()).toEqual(names);
  expect(pages).toBeGreaterThan(1);
});

test('s31 an admin sees the own account only; the first admin sees every account', async ({ visit, world }) => {
  const mine = await world.connection();
  const carla = await visit({ admin: world.carla });
  await open(carla, `/?q=${mine.instance}`);
  await expect(carla.getByRole('heading', { name: 'Installed integrations' })).toBeVisible();
  await expect(carla.getByText(mine.connection)).toHaveCount(0);
  await expect(carla.getByRole('link', { name: mine.instance })).toHaveCount(0);

  const first = await visit({ admin: world.first });
  await open(first, `/?q=${mine.instance}`);
  await expect(card(first, mine.instance)).toBeVisible();
});
