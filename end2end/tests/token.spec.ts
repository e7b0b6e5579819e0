// Getting a token at a real identity provider: the whole walk, what is said on it, and each way in which it can fail.
import { randomUUID } from 'node:crypto';
import { expect, test } from '../support/fixtures';
import { scripted } from '../support/pages';
import { agree, INITIALIZING, OPENING, refuse, REFUSED, SUCCESSFUL, TokenForm } from '../support/token';
import { ACCOUNT } from '../support/world';

const FAILED = 'Error attempting to retrieve OAuth Access token. ERROR: ';

test('the walk: a token, still there after a refresh, a restart, a crash, and for another admin', async ({ visit, ownWorld, idp }) => {
  const world = await ownWorld();
  const key = await world.connection();
  const form = await TokenForm.open(await visit({ world, admin: world.anna }), key);
  await form.expectNoToken();
  await expect(form.generateButton).toBeDisabled();
  await form.fillFor(idp, idp.clients.basic.id);
  await form.encrypt(idp.clients.basic.secret ?? '');
  await expect(form.generateButton).toBeEnabled();
  expect(await world.api.read(key)).toMatchObject({ isTokenGenerated: false });

  const provider = await form.generate();
  await agree(provider, { as: 'anna at the provider' });
  await form.expectToken();
  if (scripted()) await expect.poll(() => provider.isClosed(), 'the window closes by itself').toBe(true);
  expect(idp.log).toMatchObject([
    { grantType: 'authorization_code', clientAuth: 'client_secret_basic', clientId: 'demo-client', status: 200 },
  ]);
  expect(await world.api.read(key)).toMatchObject({ isTokenGenerated: true });

  await form.reload();
  await form.expectToken();
  for (const ending of ['stop', 'kill'] as const) {
    await world.program[ending]();
    await world.program.start();
    await form.reload();
    await form.expectToken();
  }
  const other = await TokenForm.open(await visit({ world, admin: world.ben }), key);
  await other.expectToken();
  await expect(other.fact('Generated')).toContainText(`by ${world.anna.email}`);
  await expect(other.history).toContainText(world.anna.email);
  expect(idp.log, 'one token, however often it is looked at').toHaveLength(1);
});

test('Regenerate Token gets another token', async ({ visit, world, idp }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.fillFor(idp, idp.clients.basic.id);
  await form.encrypt(idp.clients.basic.secret ?? '');
  await form.getToken();
  await agree(await form.generate());
  await expect.poll(() => idp.log.length).toBe(2);
  await form.expectToken();
  await form.reload();
  await form.expectToken();
});

test('the messages come in their order', { tag: '@javascript' }, async ({ visit, world, idp }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.fillFor(idp, idp.clients.basic.id);
  await form.encrypt(idp.clients.basic.secret ?? '');
  const said = await form.listen();
  const provider = await form.generate();
  await form.expectMessage(OPENING);
  await agree(provider);
  await form.expectToken();
  expect(await said()).toEqual([OPENING, INITIALIZING, SUCCESSFUL]);

  // The same where the provider takes its time, and the second time.
  idp.control.slow(2_500);
  await agree(await form.generate());
  await form.expectMessage(INITIALIZING);
  await expect(form.attempt.getByRole('progressbar', { name: 'Step 2 of 3' })).toBeVisible();
  await form.expectMessage(SUCCESSFUL);
  expect(await said()).toEqual([OPENING, INITIALIZING, SUCCESSFUL, OPENING, INITIALIZING, SUCCESSFUL]);
});

test('a slow provider is waited for without JavaScript', { tag: '@no-javascript' }, async ({ visit, world, idp }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.fillFor(idp, idp.clients.basic.id);
  await form.encrypt(idp.clients.basic.secret ?? '');
  idp.control.slow(2_500);
  await agree(await form.generate());
  await expect(form.page.getByRole('status')).toContainText(INITIALIZING);
  await form.expectToken();
});

test('Generate Token stays disabled until a secret is encrypted', async ({ visit, world, idp }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.fillFor(idp, idp.clients.basic.id);
  await form.save();
  await expect(form.generateButton).toBeDisabled();
  await expect(form.generateButton).toHaveAccessibleDescription('Encrypt the client secret first.');
  await form.secret.fill('typed, not encrypted');
  await expect(form.generateButton).toBeDisabled();
  await form.encrypt(idp.clients.basic.secret ?? '');
  await expect(form.generateButton).toBeEnabled();
});

test('refusing at the provider is said in the words of the original, with what to do', async ({ visit, world, idp }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.fillFor(idp, idp.clients.basic.id);
  await form.encrypt(idp.clients.basic.secret ?? '');
  await refuse(await form.generate());
  const expectRefusal = async (): Promise<void> => {
    await form.expectMessage(REFUSED);
    await expect(form.attempt).toContainText('the person refused');
    await expect(form.attempt).toContainText('Generate the token again. Allow the access there.');
    await form.expectNoToken();
    await expect(form.generateButton).toBeEnabled();
  };
  await expectRefusal();
  await form.reload();
  await expectRefusal();
  await expect(form.history).toContainText('access_denied');
  expect(idp.log, 'no code, so nothing to exchange').toEqual([]);
  await form.getToken();
});

test('a partial consent is a warning that names what was not granted', async ({ visit, world, idp }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.fillFor(idp, idp.clients.basic.id, { Scopes: 'openid  books.read books.write' });
  await form.encrypt(idp.clients.basic.secret ?? '');
  await agree(await form.generate(), { without: ['books.write'] });
  await form.expectToken('Changed');
  const warning = form.tokenCard.getByText('The provider granted less than was asked for. Not granted: books.write', { exact: true });
  await expect(warning).toBeVisible();
  await expect(form.fact('Scopes requested')).toHaveText('openid books.read books.write');
  await expect(form.fact('Scopes granted')).toHaveText('openid books.read');
  await form.reload();
  await expect(warning).toBeVisible();
  await expect(form.state).toHaveText('Changed');
  await agree(await form.generate());
  await expect(form.fact('Scopes granted')).toHaveText('openid books.read books.write');
  await expect(warning).toHaveCount(0);
});

test('a wrong redirect URI: the form says what to register, and then it works', async ({ visit, world, idp, complaints }) => {
  complaints.allowStatus(400);
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.fillFor(idp, idp.clients.strict.id);
  await form.encrypt(idp.clients.strict.secret ?? '');
  for (const time of ['first', 'second']) {
    const provider = await form.generate();
    await expect(provider.getByText('invalid_redirect_uri'), `the ${time} time`).toBeVisible();
    // The provider sends nobody back from there: the person comes back alone.
    if (scripted()) await provider.close();
    await form.reopen();
    await form.expectMessage(OPENING);
    await expect(form.attempt.getByRole('link', { name: 'Continue there' })).toBeVisible();
    await expect(form.page.getByText('Register it with the provider, exactly as it stands.')).toBeVisible();
  }
  const uri = await form.redirectUri.inputValue();
  expect(uri.startsWith(`${world.program.url}/oauth/callback/${ACCOUNT}/`), uri).toBe(true);
  idp.registerStrict(uri);
  await form.getToken();
});

test('a wrong client secret: what the provider said, and what to compare', async ({ visit, world, idp }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.fillFor(idp, idp.clients.basic.id);
  await form.encrypt(`wrong-${randomUUID()}`);
  await agree(await form.generate());
  const expectFailure = async (): Promise<void> => {
    await form.expectMessage(/^Error attempting to retrieve OAuth Access token\. ERROR: .*invalid_client/);
    await expect(form.attempt).toContainText('Compare Client ID and Client Secret with the application you registered there');
    await form.expectNoToken();
  };
  await expectFailure();
  await form.reload();
  await expectFailure();
  expect(idp.log).toMatchObject([{ error: 'invalid_client', status: 401 }]);
});

test('f07 an identity provider that is down is a sentence, and then it works', async ({ visit, world, idp }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.fillFor(idp, idp.clients.basic.id);
  await form.encrypt(idp.clients.basic.secret ?? '');
  idp.control.failNextToken(1, 503);
  await agree(await form.generate());
  await form.expectMessage(new RegExp(`^${FAILED.replaceAll('.', '\\.')}.*HTTP 503`));
  await expect(form.attempt).toContainText('Try again in a few minutes');
  await form.getToken();
});

test('a Base URL without an identity provider behind it is a sentence, without leaving the form', async ({ visit, world }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.fill({ 'Base URL': world.program.url, 'Client ID': 'anyone' });
  await form.encrypt('any secret');
  // With JavaScript a window opens at once, and closes when there is nowhere to go.
  const opened = scripted() ? await form.generate() : undefined;
  if (!opened) await form.generateButton.click();
  await form.expectMessage(/^Error attempting to retrieve OAuth Access token\. ERROR: ./);
  if (opened) await expect.poll(() => opened.isClosed()).toBe(true);
  await form.expectNoToken();
});

test('after an edit the page names what the token is older than', async ({ visit, world, idp }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.fillFor(idp, idp.clients.basic.id);
  await form.encrypt(idp.clients.basic.secret ?? '');
  await form.getToken();
  const before = await form.fact('Configuration').textContent();
  await form.fill({ 'Company ID': '4711', 'Access Token Parameters': [['resource', 'urn:books']] });
  await form.save();
  const note = form.tokenCard.getByText(/^The token is older than the form/);
  await expect(note).toHaveText(
    'The token is older than the form: Company ID, Access Token Parameters changed since. Regenerate it to match.',
  );
  await expect(form.state).toHaveText('Changed');
  await form.reload();
  await expect(note).toBeVisible();
  await expect(form.state).toHaveText('Changed');
  await expect(form.fact('Configuration')).toHaveText(before ?? '');
  await form.deleteRow('Access Token Parameters', 1);
  await form.save();
  await expect(note).toHaveText('The token is older than the form: Company ID changed since. Regenerate it to match.');
  await agree(await form.generate());
  await expect(note).toHaveCount(0);
  await expect(form.fact('Configuration')).not.toHaveText(before ?? '');
});

test('beside a secret that must be entered again nothing says that all is well', async ({ visit, world, idp }) => {
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await expect(form.state).toHaveText('Not configured');
  await form.fillFor(idp, idp.clients.basic.id);
  await form.save();
  await expect(form.state).toHaveText('No token');
  await form.encrypt(idp.clients.basic.secret ?? '');
  await expect(form.state).toHaveText('No token');
  await form.getToken();
  await form.fill({ 'Client ID': idp.clients.strict.id });
  await form.save();
  const expectAsked = async (): Promise<void> => {
    await expect(form.generateButton).toHaveAccessibleDescription('Enter the client secret again: Client ID changed since it was encrypted.');
    await expect(form.state).toHaveText('No token');
    await expect(form.state).toHaveAttribute('title', 'Enter the client secret again: Client ID changed since it was encrypted.');
    await expect(form.fact('State')).toHaveText('No token');
  };
  await expectAsked();
  await form.reload();
  await expectAsked();
  await form.fill({ 'Client ID': idp.clients.basic.id });
  await form.save();
  await form.expectToken();
});

test('the history tells each step with its actor, and no secret', async ({ visit, world, idp }) => {
  const secret = idp.clients.basic.secret ?? '';
  const form = await TokenForm.open(await visit({ admin: world.anna }), await world.connection());
  await form.fillFor(idp, idp.clients.basic.id);
  await form.encrypt(secret);
  await form.getToken();
  await form.reload();
  for (const step of ['encrypted a secret', 'Authorization code at 127.0.0.1']) await expect(form.history).toContainText(step);
  await expect(form.history.getByText(world.anna.email).first()).toBeVisible();
  await expect(form.history).not.toContainText(secret);
});
