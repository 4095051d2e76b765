/** MODULE, whose modules never exist here, and who may run the commands that are protected: DEBUG and MODULE. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';
import { type RespClient, RespError } from '../support/resp-client.js';

const refusal = (container: string) =>
  new RespError(
    `ERR ${container} command not allowed. If the enable-${container.toLowerCase()}-command option is set to "local", ` +
      'you can run it from a local connection, otherwise you need to set this option in the configuration file, and ' +
      'then restart the server.',
  );

describe('a server that allows modules', () => {
  let server: RunningKvasir;
  let client: RespClient;
  beforeAll(async () => {
    server = await startKvasir(['--enable-module-command', 'local']);
    client = await server.connect();
  });
  afterAll(async () => {
    client.close();
    await server.stop();
  });

  test('has none', async () => {
    expect(await client.send('MODULE', 'LIST')).toEqual([]);
    expect(((await client.send('MODULE', 'HELP')) as string[])[0]).toBe(
      'MODULE <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
    );
  });

  test.each([
    ['LOAD', '/lib/some.so'],
    ['LOAD', '/lib/some.so', 'an', 'argument'],
    ['LOADEX', '/lib/some.so', 'CONFIG', 'name', 'value', 'ARGS', 'an', 'argument'],
  ])('loads none: MODULE %s', async (...args) => {
    const from = server.log.length;
    expect(await client.send('MODULE', ...args)).toEqual(
      new RespError('ERR Error loading the extension. Please check the server logs.'),
    );
    await server.logged(/# Module \/lib\/some\.so failed to load: /, from);
  });

  test('unloads none', async () => {
    expect(await client.send('MODULE', 'UNLOAD', 'some')).toEqual(
      new RespError('ERR Error unloading module: no such module with that name'),
    );
    await server.logged(/# Error unloading module some: no such module with that name/);
  });
});

describe('a server as it is by default', () => {
  let server: RunningKvasir;
  let client: RespClient;
  beforeAll(async () => {
    server = await startKvasir();
    client = await server.connect();
  });
  afterAll(async () => {
    client.close();
    await server.stop();
  });

  test('lists modules and refuses to change them', async () => {
    expect(await client.send('MODULE', 'LIST')).toEqual([]);
    for (const args of [
      ['LOAD', '/lib/some.so'],
      ['LOADEX', '/lib/some.so'],
      ['UNLOAD', 'some'],
    ]) {
      expect(await client.send('MODULE', ...args)).toEqual(refusal('MODULE'));
    }
  });

  test('refuses before it runs anything: in a transaction when the command is queued, in the statistics as a rejection', async () => {
    await client.send('CONFIG', 'RESETSTAT');
    expect(await client.send('MULTI')).toBe('OK');
    expect(await client.send('DEBUG', 'SLEEP', 0)).toEqual(refusal('DEBUG'));
    expect(await client.send('EXEC')).toEqual(
      new RespError('EXECABORT Transaction discarded because of previous errors.'),
    );
    // The number of arguments is looked at before.
    expect(await client.send('DEBUG')).toEqual(
      new RespError("ERR wrong number of arguments for 'debug' command"),
    );
    expect(await client.send('INFO', 'commandstats')).toMatch(
      /^cmdstat_debug:calls=0,usec=0,usec_per_call=0\.00,rejected_calls=2,failed_calls=0\r$/m,
    );
  });
});
