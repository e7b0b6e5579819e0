// An integration's page: environments, processes, connections; and the whole way from an installed pack to a saved form.
import type { Page } from '@playwright/test';
import { instancePath, type Key } from '../support/api';
import { expect, test } from '../support/fixtures';
import { asDetails, ConnectorForm, SAMPLE } from '../support/form';
import { card, open, settled } from '../support/pages';
import { SPACE, unique, type World } from '../support/world';

/** Installs the catalogue's pack through the API. */
async function install(world: World): Promise<Key & { name: string }> {
  const name = unique('Order sync for');
  const answer = await world.api.graphql(
    `mutation { integrationPackInstanceInstall(input: {integrationPackId: "pack-order-sync", integrationPackOverrideName: ${JSON.stringify(name)}}) { id integrationPackOverrideName } }`,
    SPACE,
  );
  expect(answer.errors).toEqual([]);
  const { id } = answer.data?.['integrationPackInstanceInstall'] as { id: string };
  return { space: SPACE, instance: id, environment: 'env-trial', process: 'process-orders', connection: 'connection-shop', name };
}

async function attach(page: Page, environment: string): Promise<void> {
  const attach = page.getByRole('button', { name: /^Attach/ });
  const choice = page.locator('form').filter({ has: attach }).getByRole('combobox');
  const option = choice.locator('option', { hasText: environment });
  await choice.selectOption(await option.getAttribute('value'));
  await attach.click();
  await expect(page.getByLabel('Select a process')).toBeVisible();
  await settled(page);
}

async function show(page: Page, process: string): Promise<void> {
  await page.getByLabel('Select a process').selectOption({ label: process });
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await expect(page.getByLabel('Select a process').locator('option:checked')).toHaveText(process);
  await settled(page);
}

test('from an installed pack to a saved connection', async ({ visit, world }) => {
  const key = await install(world);
  const page = await visit({ admin: world.anna });
  await open(page, `/?q=${encodeURIComponent(key.name)}`);
  await card(page, key.name).getByRole('link', { name: key.name, exact: true }).click();
  await expect(page.getByRole('heading', { name: key.name, level: 1 })).toBeVisible();
  await settled(page);

  await expect(page.getByRole('heading', { name: 'Attach an environment' })).toBeVisible();
  await attach(page, 'Trial');
  await expect(page.getByRole('link', { name: /Trial/ }).first()).toHaveAttribute('aria-current', /.+/);

  await show(page, 'Send orders');
  await expect(page.getByRole('main').getByText('File store').first()).toBeVisible();
  await expect(page.getByText('No OAuth').first()).toBeVisible();
  await expect(page.getByRole('link', { name: /File store/ })).toHaveCount(0);
  await expect(page.getByText('Books', { exact: true })).toHaveCount(0);
  await page.getByRole('link', { name: /^Configure.*Shop/ }).click();
  await expect(page.getByRole('heading', { name: 'Shop', level: 1 })).toBeVisible();
  await settled(page);

  const form = new ConnectorForm(page, key);
  await form.expectContent({});
  await form.fill(SAMPLE);
  await form.save();
  expect(await world.api.details(key)).toMatchObject(asDetails(SAMPLE));

  await page.getByRole('navigation').getByRole('link', { name: key.name }).click();
  await settled(page);
  await show(page, 'Send orders');
  await expect(page.getByRole('link', { name: /^Edit.*Shop/ })).toBeVisible();
  const shop = page.getByRole('row').filter({ hasText: 'Shop' });
  await expect(shop.getByText('No token', { exact: true })).toBeVisible();
  await expect(shop.getByText('Generate a token.', { exact: true })).toBeVisible();
  await show(page, 'Send refunds');
  await expect(page.getByRole('link', { name: /^Configure.*Books/ })).toBeVisible();
});

test('each environment shows its own state', async ({ visit, world }) => {
  const key = await world.connection(asDetails(SAMPLE));
  const second = { ...key, environment: unique('environment') };
  await world.api.save(second, {});
  const page = await visit({ admin: world.anna });
  for (const [{ environment }, status] of [[key, 'No token'], [second, 'Not configured']] as const) {
    await open(page, instancePath(key));
    await page.getByRole('link', { name: environment }).first().click();
    await expect(page).toHaveURL((url) => url.searchParams.get('environment') === environment);
    await settled(page);
    await expect(page.getByRole('link', { name: environment }).first()).toHaveAttribute('aria-current', /.+/);
    await show(page, key.process);
    await expect(page.getByRole('main').getByText(status, { exact: true }).first()).toBeVisible();
    await page.getByRole('link', { name: new RegExp(key.connection) }).first().click();
    await expect(page.getByRole('heading', { name: key.connection, level: 1 })).toBeVisible();
    expect(decodeURIComponent(page.url())).toContain(`/environments/${environment}/`);
    await settled(page);
  }
});

test('a process shows its own connections only', async ({ visit, world }) => {
  const first = await world.connection();
  const second = { ...first, process: unique('process'), connection: unique('connection') };
  await world.api.save(second, {});
  const page = await visit({ admin: world.anna });
  await open(page, `${instancePath(first)}?environment=${first.environment}`);
  for (const [shown, hidden] of [[first, second], [second, first]] as const) {
    await show(page, shown.process);
    await expect(page.getByRole('link', { name: new RegExp(shown.connection) }).first()).toBeVisible();
    await expect(page.getByRole('link', { name: new RegExp(hidden.connection) })).toHaveCount(0);
  }
});
