// "Applies to": the same values for every environment of an integration, or for one.
import { expect, test } from '../support/fixtures';
import { ConnectorForm } from '../support/form';
import { unique, type World } from '../support/world';
import { formPath, type Key } from '../support/api';

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

test('an environment attached later gets what was saved for every one', async ({ visit, world }) => {
  const [here] = await twoEnvironments(world);
  const late = { ...here, instance: unique('instance'), environment: unique('late') };
  // Known to the Space through another instance, and not yet attached to this one.
  await world.api.save(late, { baseURL: 'https://another-instance.example' });
  const page = await visit({ admin: world.anna });
  const form = await ConnectorForm.open(page, here);
  await form.fill({ 'Base URL': 'https://for-all.example' });
  await page.getByLabel('Every environment of this integration').check();
  await form.save();
  await page.goto(formPath(here).split('/environments/')[0] ?? '/');
  const attach = page.getByRole('button', { name: /^Attach/ });
  await page.locator('form').filter({ has: attach }).getByRole('combobox').selectOption({ label: `${late.environment} (TEST)` });
  await attach.click();
  await expect(page.getByRole('link', { name: late.environment })).toHaveAttribute('aria-current', 'true');
  expect(await world.api.details({ ...here, environment: late.environment })).toMatchObject({ baseURL: 'https://for-all.example' });
});
