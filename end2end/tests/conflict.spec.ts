// Somebody else saves in between: both versions are shown, neither is lost, the later admin chooses.
import type { Page } from '@playwright/test';
import { expect, test } from '../support/fixtures';
import { asDetails, AUTHORIZATION, ConnectorForm, resolve, SAMPLE, type Content } from '../support/form';
import type { Key } from '../support/api';
import type { World } from '../support/world';

const THEIRS: Content = { ...SAMPLE, 'Base URL': 'https://bens.example', 'Authorization Parameters': [['prompt', 'bens']] };
const MINE: Content = { ...SAMPLE, 'Base URL': 'https://annas.example', 'Authorization Parameters': [['prompt', 'annas']] };

/** Anna and Ben open the same form, Ben saves first, Anna presses Save. */
async function collide(world: World, visit: (how: { admin: World['anna'] }) => Promise<Page>): Promise<[ConnectorForm, Key]> {
  const key = await world.connection({ ...asDetails(SAMPLE), unknown: { kept: true } });
  const anna = await ConnectorForm.open(await visit({ admin: world.anna }), key);
  const ben = await ConnectorForm.open(await visit({ admin: world.ben }), key);
  for (const [form, content] of [[anna, MINE], [ben, THEIRS]] as const) {
    await form.deleteRow(AUTHORIZATION, 2);
    await expect(form.rowKeys(AUTHORIZATION)).toHaveCount(1);
    await form.fill(content);
  }
  await anna.keep();
  await ben.save();
  await anna.button('Save').click();
  await expect(anna.conflict).toBeVisible();
  return [anna, key];
}

test('s40 a stale save shows both versions and changes nothing', async ({ visit, world }) => {
  const [anna, key] = await collide(world, visit);
  const panel = anna.page.getByRole('table').filter({ has: anna.page.getByRole('columnheader', { name: 'Saved version' }) });
  for (const text of ['https://bens.example', 'https://annas.example', 'bens', 'annas']) {
    await expect(panel.getByText(text).first()).toBeVisible();
  }
  await expect(panel.getByRole('rowheader', { name: 'Company ID' })).toHaveCount(0);
  await expect(anna.page.getByText(world.ben.email).first()).toBeVisible();
  expect(await world.api.details(key)).toEqual({ ...asDetails(THEIRS), unknown: { kept: true } });
  await anna.reload();
  await expect(anna.conflict).toBeVisible();
  await expect(panel.getByText('https://annas.example').first()).toBeVisible();
  await expect(panel.getByText('https://bens.example').first()).toBeVisible();
});

test('choosing what was saved', async ({ visit, world }) => {
  const [anna, key] = await collide(world, visit);
  await resolve(anna, { 'Base URL': 'saved', 'Authorization Parameters': 'saved' });
  await anna.expectContent(THEIRS);
  expect(await world.api.details(key)).toEqual({ ...asDetails(THEIRS), unknown: { kept: true } });
});

test('choosing what I typed', async ({ visit, world }) => {
  const [anna, key] = await collide(world, visit);
  await resolve(anna, { 'Base URL': 'mine', 'Authorization Parameters': 'mine' });
  await anna.expectContent(MINE);
  expect(await world.api.details(key)).toEqual({ ...asDetails(MINE), unknown: { kept: true } });
});

test('choosing one of each', async ({ visit, world }) => {
  const [anna, key] = await collide(world, visit);
  await resolve(anna, { 'Base URL': 'mine', 'Authorization Parameters': 'saved' });
  const mixed = { ...THEIRS, 'Base URL': 'https://annas.example' };
  await anna.expectContent(mixed);
  await anna.reload();
  await anna.expectContent(mixed);
  await expect(anna.conflict).toBeHidden();
  expect(await world.api.details(key)).toEqual({ ...asDetails(mixed), unknown: { kept: true } });
});

test('discarding in a conflict leaves what was saved', async ({ visit, world }) => {
  const [anna, key] = await collide(world, visit);
  await anna.button('Discard changes').click();
  await anna.expectContent(THEIRS);
  await expect(anna.conflict).toBeHidden();
  expect(await world.api.details(key)).toEqual({ ...asDetails(THEIRS), unknown: { kept: true } });
});

test('a save by the API in between is a conflict too', async ({ visit, world }) => {
  const key = await world.connection(asDetails(SAMPLE));
  const form = await ConnectorForm.open(await visit({ admin: world.anna }), key);
  await form.fill({ 'Client ID': 'typed in the form' });
  await form.keep();
  await world.api.save(key, asDetails({ ...SAMPLE, 'Client ID': 'saved by a program' }));
  await form.button('Save').click();
  await expect(form.conflict).toBeVisible();
  expect(await world.api.details(key)).toMatchObject({ clientId: 'saved by a program' });
  await resolve(form, { 'Client ID': 'mine' });
  expect(await world.api.details(key)).toMatchObject({ clientId: 'typed in the form' });
});

test('changes to different fields both survive', async ({ visit, world }) => {
  const key = await world.connection(asDetails(SAMPLE));
  const anna = await ConnectorForm.open(await visit({ admin: world.anna }), key);
  const ben = await ConnectorForm.open(await visit({ admin: world.ben }), key);
  await anna.fill({ 'Base URL': 'https://annas.example' });
  await anna.keep();
  await ben.fill({ 'Company ID': 'of ben' });
  await ben.save();
  await anna.button('Save').click();
  await expect(anna.conflict).toBeVisible();
  // Each row comes with the side chosen that keeps both changes.
  await anna.button('Save my choices').click();
  await expect(anna.status).toHaveText(/^\s*Saved/);
  const both = { ...SAMPLE, 'Base URL': 'https://annas.example', 'Company ID': 'of ben' };
  await anna.expectContent(both);
  expect(await world.api.details(key)).toEqual(asDetails(both));
});

test('a third save while choosing is a conflict again', async ({ visit, world }) => {
  const [anna, key] = await collide(world, visit);
  const third = { ...THEIRS, 'Base URL': 'https://third.example' };
  await world.api.save(key, asDetails(third));
  await anna.button('Save my choices').click();
  await expect(anna.page.getByText('https://third.example').first()).toBeVisible();
  await expect(anna.conflict).toBeVisible();
  expect(await world.api.details(key)).toEqual(asDetails(third));
});
