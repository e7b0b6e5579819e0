// The API beside the form: what one saves the other shows, and a client secret is nowhere.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '../support/fixtures';
import type { Key } from '../support/api';
import { everythingStored } from '../support/database';
import { ACCESS_TOKEN, asDetails, ConnectorForm, SAMPLE } from '../support/form';
import { SPACE, unique } from '../support/world';

const SEED = readFileSync(join(__dirname, '../fixtures/persist-oauth-connector-details.txt'), 'utf8');
const SAMPLE_REQUEST = SEED.slice(SEED.indexOf('Sample Request') + 'Sample Request'.length, SEED.indexOf('Sample Response'));
const SEED_KEY: Key = { space: SPACE, instance: 'test-101', environment: '2', process: '1', connection: '3' };
const SEED_DETAILS =
  '{"baseURL":"https://baseURL.com","companyId":"9341452451293689","clientId":"A","authParams":{"key":"value"},"accessTokenParams":{"key":"value"}}';

test("the seed's sample request, verbatim, is what the form shows", async ({ visit, ownWorld }) => {
  const world = await ownWorld();
  const answer = await world.api.graphql(SAMPLE_REQUEST, SPACE);
  expect(answer.errors).toEqual([]);
  expect(answer.status).toBe(200);
  expect(answer.data).toEqual({
    saveIPackInstanceOauthConnectorDetails: {
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      integrationPackInstanceId: 'test-101',
      isTokenGenerated: false,
      oauthConnectorDetails: SEED_DETAILS,
      processId: '1',
      envId: '2',
      connectionId: '3',
      catalogGuid: SPACE,
    },
  });
  const form = await ConnectorForm.open(await visit({ world, admin: world.anna }), SEED_KEY);
  await form.expectContent({
    'Base URL': 'https://baseURL.com',
    'Company ID': '9341452451293689',
    'Client ID': 'A',
    'Authorization Parameters': [['key', 'value']],
    'Access Token Parameters': [['key', 'value']],
  });
  expect((await world.api.read(SEED_KEY))?.oauthConnectorDetails).toBe(SEED_DETAILS);
});

test('what the form saves the API reads, under the id it had', async ({ visit, world }) => {
  const key = await world.connection();
  const before = await world.api.read(key);
  const form = await ConnectorForm.open(await visit({ admin: world.anna }), key);
  await form.fill(SAMPLE);
  await form.save();
  const after = await world.api.read(key);
  expect(after).toMatchObject({ ...before, oauthConnectorDetails: expect.any(String) });
  expect(JSON.parse(after?.oauthConnectorDetails ?? '')).toEqual(asDetails(SAMPLE));
});

test('what the API saves is in the form at the next load', async ({ visit, world }) => {
  const key = await world.connection(asDetails(SAMPLE));
  const form = await ConnectorForm.open(await visit({ admin: world.anna }), key);
  await form.expectContent(SAMPLE);
  await world.api.save(key, asDetails({ ...SAMPLE, 'Client ID': 'newer', 'Access Token Parameters': [] }));
  await form.reload();
  await form.expectContent({ ...SAMPLE, 'Client ID': 'newer', 'Access Token Parameters': [] });
});

test('keys that the form does not know survive an edit, in their place', async ({ visit, world }) => {
  const key = world.newKey();
  await world.api.save(
    key,
    '{ "futureFlag": [1, 2.50, null],\n "baseURL":"https://a.example", "nested":{"deep":{"ü":"\\u00fc"}}, "big": 12345678901234567890123, "authParams":{"z":"1","a":"2"} }',
  );
  const form = await ConnectorForm.open(await visit({ admin: world.anna }), key);
  await form.expectContent({ 'Base URL': 'https://a.example', 'Authorization Parameters': [['z', '1'], ['a', '2']] });
  await form.fill({ 'Base URL': 'https://b.example' });
  await form.save();
  const text = (await world.api.read(key))?.oauthConnectorDetails ?? '';
  expect(JSON.parse(text)).toMatchObject({
    futureFlag: [1, 2.5, null],
    baseURL: 'https://b.example',
    nested: { deep: { ü: 'ü' } },
    authParams: { z: '1', a: '2' },
  });
  expect(text, 'a number too big for JavaScript').toContain('12345678901234567890123');
  expect(text.indexOf('futureFlag')).toBeLessThan(text.indexOf('baseURL'));
});

test('saving without a change leaves the bytes as they are', async ({ visit, world }) => {
  const key = world.newKey();
  const text = '{ "clientId" :"x",\n\t"baseURL":"https:\\/\\/bytes.example" }';
  await world.api.save(key, text);
  const form = await ConnectorForm.open(await visit({ admin: world.anna }), key);
  await form.expectContent({ 'Base URL': 'https://bytes.example', 'Client ID': 'x' });
  await form.save();
  expect((await world.api.read(key))?.oauthConnectorDetails).toBe(text);
});

test('s22 a client secret that is sent is found nowhere', async ({ visit, ownWorld }) => {
  const canary = `canary-${unique('secret')}`;
  const control = `control-${unique('value')}`;
  const world = await ownWorld({ IPACK_LOG: 'trace' });
  const key = world.newKey();
  const saved = await world.api.save(key, { companyId: control }, { clientSecret: canary });
  const refused = await world.api.trySave(key, { deep: [{ client_secret: canary }] });
  expect(refused.errors).toHaveLength(1);
  expect(refused.errors[0]?.message).toMatch(/deep.*client_secret/);
  const form = await ConnectorForm.open(await visit({ world, admin: world.anna }), key);
  await form.fillRows(ACCESS_TOKEN, [['a', 'b']]);
  await form.save();

  const seen = [JSON.stringify([saved, refused, await world.api.read(key)]), await form.page.content()].join('\n');
  const search = async (when: string): Promise<void> => {
    const stored = await everythingStored(world.program.databaseUrl, world.program.folder);
    expect(stored.includes(control), `the control value is stored, ${when}`).toBe(true);
    expect(stored.includes('dummyClientSecret'), `the placeholder is stored, ${when}`).toBe(true);
    expect(stored.includes(canary), `the secret is stored, ${when}`).toBe(false);
  };
  await search('with the program running');
  expect(seen).toContain(control);
  expect(seen).not.toContain(canary);
  await world.program.kill();
  await search('after a kill');
  await world.program.start();
  await world.program.stop();
  await search('after a clean end');
  expect(world.program.log()).toMatch(/TRACE/i);
  expect(world.program.log()).not.toContain(canary);
});

test('without a token nothing is answered', { tag: '@once' }, async ({ world }) => {
  const ask = (headers: Record<string, string>): Promise<Response> =>
    fetch(`${world.program.url}/graphql`, {
      method: 'POST',
      headers: { SPACE_GUID: SPACE, 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify({ query: '{ environments { id } }' }),
    });
  for (const headers of [{}, { Authorization: 'Bearer x.y.z' }] as Record<string, string>[]) {
    const answer = await ask(headers);
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHORIZED' } }] });
  }
  expect((await ask({ Authorization: `Bearer ${await world.api.jwt()}` })).status).toBe(200);
});

test('too many requests are told when to come back', { tag: '@once' }, async ({ ownWorld }) => {
  const world = await ownWorld({ IPACK_RATE_LIMIT: '5' });
  await world.api.jwt();
  const answers = await Promise.all(Array.from({ length: 40 }, () => world.api.graphql('{ __typename }', SPACE)));
  const limited = answers.filter((answer) => answer.status === 429);
  expect(limited.length).toBeGreaterThan(0);
  expect(answers.some((answer) => answer.status === 200)).toBe(true);
  for (const answer of limited) expect(Number(answer.headers.get('Retry-After'))).toBeGreaterThan(0);
});
