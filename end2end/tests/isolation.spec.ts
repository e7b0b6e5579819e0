// All five ids together are the key: what differs in one of them is another connection.
import { expect, test } from '../support/fixtures';
import { asDetails, ConnectorForm, SAMPLE } from '../support/form';
import { open } from '../support/pages';
import { formPath, instancePath, type Key } from '../support/api';
import { SECOND_SPACE, unique } from '../support/world';

const PARTS: Record<keyof Key, () => string> = {
  space: () => SECOND_SPACE,
  instance: () => unique('instance'),
  environment: () => unique('environment'),
  process: () => unique('process'),
  connection: () => unique('connection'),
};

for (const part of Object.keys(PARTS) as (keyof Key)[]) {
  test(`another ${part} is another connection`, async ({ visit, world }) => {
    const one = await world.connection({ companyId: 'of the first' });
    const other = { ...one, [part]: PARTS[part]() };
    await world.api.save(other, { companyId: 'of the second' });
    const page = await visit({ admin: world.anna });

    const first = await ConnectorForm.open(page, one);
    await first.fill(SAMPLE);
    await first.keep();
    const second = await ConnectorForm.open(await page.context().newPage(), other);
    await second.expectContent({ 'Company ID': 'of the second' });
    await expect(second.draftNote).toBeHidden();

    await first.save();
    await second.reload();
    await second.expectContent({ 'Company ID': 'of the second' });
    expect(await world.api.details(other)).toEqual({ companyId: 'of the second' });

    await second.fill({ 'Company ID': 'changed in the second' });
    await second.save();
    await first.reload();
    await first.expectContent(SAMPLE);
    expect(await world.api.details(one)).toEqual(asDetails(SAMPLE));
  });
}

test('s31 what belongs to another account is as absent as what never was', async ({ visit, world, complaints }) => {
  complaints.allowStatus(404);
  const key = await world.connection({ baseURL: 'https://not-for-carla.example' });
  const page = await visit({ admin: world.carla });
  const nowhere = { ...key, space: 'no-such-space' };
  const pages: string[] = [];
  for (const path of [formPath(key), formPath(nowhere), instancePath(key), instancePath(nowhere)]) {
    await open(page, path, 404);
    await expect(page.getByRole('heading', { name: 'There is nothing here' })).toBeVisible();
    pages.push(await page.getByRole('main').innerText());
  }
  expect(new Set(pages).size).toBe(1);
});
