// What was saved outlives the program, however it ends.
import { expect, test } from '../support/fixtures';
import { asDetails, ConnectorForm, SAMPLE } from '../support/form';

for (const ending of ['kill', 'stop'] as const) {
  const how = ending === 'kill' ? 'killed (SIGKILL)' : 'stopped (SIGTERM)';
  test(`s41 the program is ${how} between saving and loading`, async ({ visit, ownWorld }) => {
    const world = await ownWorld();
    const key = await world.connection();
    const form = await ConnectorForm.open(await visit({ world, admin: world.anna }), key);
    await form.fill(SAMPLE);
    await form.save();
    const before = await world.api.read(key);
    await world.program[ending]();
    await expect(fetch(`${world.program.url}/healthz`)).rejects.toThrow();
    await world.program.start();
    await form.reload();
    await form.expectContent(SAMPLE);
    expect(await world.api.details(key)).toEqual(asDetails(SAMPLE));
    expect(await world.api.read(key)).toEqual(before);
  });
}
