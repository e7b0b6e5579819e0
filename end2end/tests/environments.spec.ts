// "Applies to": the same values for every environment of an integration, or for one.
import { expect, test } from '../support/fixtures';
import { ConnectorForm } from '../support/form';
import { unique, type World } from '../support/world';
import type { Key } from '../support/api';

async function twoEnvironments(world: World): Promise<[Key, Key, Key]> {
  const here = await world.connection({ baseURL: 'https://here.example', kept: 'here' });
  const there = { ...here, environment: unique('environment') };
  const elsewhere = { ...here, connection: unique('connection') };
  await world.api.save(there, { baseURL: 'https://there.example', kept: 'there' });
  await world.api.save(elsewhere, { baseURL: 'https://elsewhere.example' });
  return [here, there, elsewhere];
}

test('this environment only', async ({ visit, world }) => {
  const [here, there] = await twoEnvironments(world);
  const page = await visit({ admin: world.anna });
  const form = await ConnectorForm.open(page, here);
  await expect(page.getByLabel('This environment only')).toBeChecked();
  await form.fill({ 'Base URL': 'https://changed.example' });
  await form.save();
  expect(await world.api.details(here)).toMatchObject({ baseURL: 'https://changed.example' });
  expect(await world.api.details(there)).toEqual({ baseURL: 'https://there.example', kept: 'there' });
});

test('every environment of this integration, and no other connection', async ({ visit, world }) => {
  const [here, there, elsewhere] = await twoEnvironments(world);
  const page = await visit({ admin: world.anna });
  const form = await ConnectorForm.open(page, here);
  await form.fill({ 'Base URL': 'https://everywhere.example', 'Client ID': 'the same' });
  await page.getByLabel('Every environment of this integration').check();
  await form.keep();
  await form.reload();
  await expect(page.getByLabel('Every environment of this integration')).toBeChecked();
  await form.save();
  for (const key of [here, there]) {
    expect(await world.api.details(key)).toMatchObject({ baseURL: 'https://everywhere.example', clientId: 'the same' });
  }
  expect(await world.api.details(there), 'keys the form does not know').toMatchObject({ kept: 'there' });
  expect(await world.api.details(elsewhere)).toEqual({ baseURL: 'https://elsewhere.example' });

  const other = await ConnectorForm.open(await visit({ admin: world.ben }), there);
  await other.expectContent({ 'Base URL': 'https://everywhere.example', 'Client ID': 'the same' });
});
