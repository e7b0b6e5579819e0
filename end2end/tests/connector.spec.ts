// The connector form: filling, rows, saving, and what it says when something is wrong.
import { expect, test } from '../support/fixtures';
import { ACCESS_TOKEN, asDetails, AUTHORIZATION, ConnectorForm, SAMPLE, type Content } from '../support/form';
import { scripted, settled } from '../support/pages';
import { OTHER_SPACE, unique } from '../support/world';

test('what was filled in and saved is there after a refresh, and for another admin', async ({ visit, world }) => {
  const key = await world.connection();
  const page = await visit({ admin: world.anna });
  const form = await ConnectorForm.open(page, key);
  await form.expectContent({});
  await form.fill(SAMPLE);
  await form.save();
  await form.expectContent(SAMPLE);
  await form.reload();
  await form.expectContent(SAMPLE);
  await expect(form.draftNote).toBeHidden();
  await expect(form.button('Discard changes')).toBeHidden();
  await expect(page.getByText(/Saved by/).first()).toContainText(world.anna.email);
  expect(await world.api.details(key)).toEqual(asDetails(SAMPLE));

  const other = await ConnectorForm.open(await visit({ admin: world.ben }), key);
  await other.expectContent(SAMPLE);
});

test('rows are added and deleted, the right ones, in both tables', async ({ visit, world }) => {
  const key = await world.connection();
  const form = await ConnectorForm.open(await visit({ admin: world.anna }), key);
  await expect(form.rowKeys(AUTHORIZATION)).toHaveCount(1);
  await form.fillRows(AUTHORIZATION, [['a', '1'], ['b', '2'], ['c', '3']]);
  await form.fillRows(ACCESS_TOKEN, [['x', '9'], ['y', '8']]);
  await form.deleteRow(AUTHORIZATION, 2);
  await expect(form.rowKeys(AUTHORIZATION)).toHaveCount(2);
  await form.deleteRow(ACCESS_TOKEN, 1);
  await expect(form.rowKeys(ACCESS_TOKEN)).toHaveCount(1);
  const left: Partial<Content> = {
    'Authorization Parameters': [['a', '1'], ['c', '3']],
    'Access Token Parameters': [['y', '8']],
  };
  await form.expectContent(left);
  await form.save();
  await form.reload();
  await form.expectContent(left);

  await form.deleteRow(ACCESS_TOKEN, 1);
  await expect(form.rowKeys(ACCESS_TOKEN)).toHaveCount(1);
  await form.save();
  await form.reload();
  await form.expectContent({ 'Authorization Parameters': [['a', '1'], ['c', '3']] });
  expect(await world.api.details(key)).toMatchObject({ authParams: { a: '1', c: '3' }, accessTokenParams: {} });
});

test('adding a row to one table leaves everything else that was typed alone', async ({ visit, world }) => {
  const key = await world.connection();
  const form = await ConnectorForm.open(await visit({ admin: world.anna }), key);
  await form.fill({ 'Base URL': 'not a url yet', 'Authorization Parameters': [['', 'no key yet']] });
  await form.addRow(ACCESS_TOKEN);
  await form.expectContent({ 'Base URL': 'not a url yet', 'Authorization Parameters': [['', 'no key yet']] });
});

test('empty rows vanish when saving', async ({ visit, world }) => {
  const key = await world.connection();
  const form = await ConnectorForm.open(await visit({ admin: world.anna }), key);
  await form.fillRows(AUTHORIZATION, [['first', '1'], ['', ''], ['last', '3']]);
  await form.addRow(AUTHORIZATION);
  await form.save();
  await expect(form.rowKeys(AUTHORIZATION)).toHaveCount(2);
  await form.reload();
  await expect(form.cell(AUTHORIZATION, 'key', 1)).toHaveValue('first');
  await expect(form.cell(AUTHORIZATION, 'key', 2)).toHaveValue('last');
  await expect(form.rowKeys(AUTHORIZATION)).toHaveCount(2);
});

test('a key without a value is kept', async ({ visit, world }) => {
  const key = await world.connection();
  const form = await ConnectorForm.open(await visit({ admin: world.anna }), key);
  await form.fillRows(AUTHORIZATION, [['flag', '']]);
  await form.save();
  await form.reload();
  await form.expectContent({ 'Authorization Parameters': [['flag', '']] });
});

test('what is wrong is said beside it and at the top, and nothing is lost or saved', async ({ visit, world }) => {
  const key = await world.connection({ baseURL: 'https://before.example' });
  const page = await visit({ admin: world.anna });
  const form = await ConnectorForm.open(page, key);
  const wrong: Content = {
    'Base URL': 'ftp://files.example',
    'Company ID': 'kept as typed',
    'Client ID': '',
    'Authorization Parameters': [['prompt', 'a'], ['', 'lonely'], ['prompt', 'b']],
    'Access Token Parameters': [['prompt', 'fine here']],
  };
  await form.fill(wrong);
  await form.button('Save').click();

  const problems = [
    [form.field('Base URL'), 'Enter a URL that starts with https:// or http://'],
    [form.cell(AUTHORIZATION, 'key', 2), 'This value has no key'],
    [form.cell(AUTHORIZATION, 'key', 3), 'This key stands twice in this table'],
  ] as const;
  for (const [field, message] of problems) {
    await expect(field).toHaveAttribute('aria-invalid', 'true');
    await expect(field).toHaveAccessibleDescription(new RegExp(message));
    await expect(form.summary.getByRole('link', { name: new RegExp(message) })).toBeVisible();
  }
  await expect(form.cell(ACCESS_TOKEN, 'key', 1)).not.toHaveAttribute('aria-invalid', 'true');
  await expect(form.cell(AUTHORIZATION, 'key', 1)).not.toHaveAttribute('aria-invalid', 'true');
  await form.expectContent(wrong);
  expect(await world.api.details(key)).toEqual({ baseURL: 'https://before.example' });

  await settled(page);
  if (scripted()) await expect(form.summary).toBeFocused();
  await form.summary.getByRole('link', { name: /has no key/ }).click();
  await expect(form.cell(AUTHORIZATION, 'key', 2)).toBeFocused();

  await form.reload();
  await form.expectContent(wrong);

  await form.field('Base URL').fill('https://files.example');
  await form.cell(AUTHORIZATION, 'key', 2).fill('lonely');
  await form.cell(AUTHORIZATION, 'key', 3).fill('prompt2');
  await form.save();
  await expect(form.summary).toBeHidden();
  await expect(form.field('Base URL')).not.toHaveAttribute('aria-invalid', 'true');
  expect(await world.api.details(key)).toMatchObject({ baseURL: 'https://files.example', companyId: 'kept as typed' });
});

test('a client secret has no place in the parameters', async ({ visit, world }) => {
  const key = await world.connection();
  const form = await ConnectorForm.open(await visit({ admin: world.anna }), key);
  await form.fillRows(ACCESS_TOKEN, [['client_secret', 'oops']]);
  await form.button('Save').click();
  await expect(form.cell(ACCESS_TOKEN, 'key', 1)).toHaveAttribute('aria-invalid', 'true');
  await expect(form.summary).toBeVisible();
  expect(await world.api.details(key)).toEqual({});
});

test('discarding goes back to what was saved', async ({ visit, world }) => {
  const key = await world.connection(asDetails(SAMPLE));
  const form = await ConnectorForm.open(await visit({ admin: world.anna }), key);
  await expect(form.button('Discard changes')).toBeHidden();
  await form.fill({ 'Base URL': 'https://never-mind.example' });
  await form.deleteRow(AUTHORIZATION, 1);
  await form.keep();
  await expect(form.draftNote).toBeVisible();
  await form.button('Discard changes').click();
  await form.expectContent(SAMPLE);
  await expect(form.draftNote).toBeHidden();
  await form.reload();
  await form.expectContent(SAMPLE);
});

test('Enter in a field saves', async ({ visit, world }) => {
  const key = await world.connection();
  const form = await ConnectorForm.open(await visit({ admin: world.anna }), key);
  await form.fill({ 'Base URL': 'https://enter.example', 'Authorization Parameters': [['k', 'v']] });
  await form.cell(AUTHORIZATION, 'value', 1).press('Enter');
  await expect(form.status).toHaveText(/^\s*Saved/);
  await form.expectContent({ 'Base URL': 'https://enter.example', 'Authorization Parameters': [['k', 'v']] });
  expect(await world.api.details(key)).toMatchObject({ baseURL: 'https://enter.example', authParams: { k: 'v' } });
});

test('long, foreign and hostile values come back as they were typed', async ({ visit, world }) => {
  const key = await world.connection();
  const page = await visit({ admin: world.anna });
  const form = await ConnectorForm.open(page, key);
  const odd: Content = {
    'Base URL': `https://bücher.example/${'långt/'.repeat(400)}`,
    'Company ID': '株式会社 🏢 שלום "quoted" \'single\' & <b>bold</b>',
    'Client ID': '</script><script>document.title="owned"</script>',
    'Authorization Parameters': [
      ['päramètre[0][x]', 'a=b&c=d%20+%2B#f'],
      ['{"json":true}', '\\u0041 \\n C:\\temp'],
      ['long', '0123456789'.repeat(5_000)],
    ],
    'Access Token Parameters': [['emoji 👩‍👩‍👧', 'e\u0301 is not \u00e9']],
  };
  await form.fill(odd);
  await form.save();
  await form.reload();
  await form.expectContent(odd);
  await expect(page).not.toHaveTitle(/owned/);
  expect(await world.api.details(key)).toEqual(asDetails(odd));
});

test('ids that need escaping have a form of their own', async ({ visit, world }) => {
  const key = await world.connection(
    { baseURL: 'https://escaped.example' },
    { instance: unique('Île 50 % / a?b#c'), environment: unique('env/ä'), process: unique('..%2F'), connection: unique('ein "Name" & mehr+') },
  );
  const page = await visit({ admin: world.anna });
  const form = await ConnectorForm.open(page, key);
  await expect(page.getByRole('heading', { name: key.connection, level: 1 })).toBeVisible();
  await form.expectContent({ 'Base URL': 'https://escaped.example' });
  await form.fill({ 'Company ID': 'saved through a strange address' });
  await form.save();
  await form.reload();
  await form.expectContent({ 'Base URL': 'https://escaped.example', 'Company ID': 'saved through a strange address' });
});

test('values used before are suggested, within the account only', async ({ visit, world }) => {
  const word = unique('suggested');
  await world.connection({ baseURL: `https://${word}.example`, authParams: { [`key-${word}`]: 'v' } });
  const suggestions = async (form: ConnectorForm, field: 'Base URL' | 'key'): Promise<string[]> => {
    const input = field === 'key' ? form.cell(AUTHORIZATION, 'key', 1) : form.field(field);
    await input.focus();
    const list = await input.getAttribute('list');
    return form.page.locator(`datalist[id="${list}"] option`).evaluateAll((all) => all.map((option) => (option as HTMLOptionElement).value));
  };
  const form = await ConnectorForm.open(await visit({ admin: world.anna }), await world.connection());
  await expect.poll(() => suggestions(form, 'Base URL')).toContain(`https://${word}.example`);
  await expect.poll(() => suggestions(form, 'key')).toContain(`key-${word}`);

  const foreignKey = world.newKey({ space: OTHER_SPACE });
  await world.otherApi.save(foreignKey, { baseURL: 'https://carlas-own.example' });
  const secondKey = { ...foreignKey, connection: unique('connection') };
  await world.otherApi.save(secondKey, {});
  const foreign = await ConnectorForm.open(await visit({ admin: world.carla }), secondKey);
  await expect.poll(() => suggestions(foreign, 'Base URL')).toContain('https://carlas-own.example');
  expect(await suggestions(foreign, 'Base URL')).not.toContain(`https://${word}.example`);
});

test('the history tells who saved what, and no values', async ({ visit, world }) => {
  const key = await world.connection();
  const page = await visit({ admin: world.anna });
  const form = await ConnectorForm.open(page, key);
  await form.fill({ 'Client ID': 'not-for-the-history' });
  await form.save();
  await form.reload();
  const history = page.getByRole('region', { name: 'History' }).or(page.getByRole('complementary', { name: 'History' })).first();
  await expect(history).toContainText(world.anna.email);
  await expect(history).toContainText('Client ID');
  await expect(history).not.toContainText('not-for-the-history');
});
