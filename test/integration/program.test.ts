import { expect, test } from 'vitest';
import { startKvasir } from '../support/kvasir.js';

test('restart', async () => {
  const server = await startKvasir([], { unix: true });
  const c = await server.connect();
  expect(await c.send('PING')).toBe('PONG');
  c.close();
  await server.restart();
  await server.stop('SIGINT');
});
