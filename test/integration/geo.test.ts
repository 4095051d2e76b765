/** Places over a socket: adding them, what is known of them, searches in all shapes and forms. */

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';
import { type RespClient, RespError } from '../support/resp-client.js';

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
beforeEach(async () => {
  await client.send('FLUSHALL');
  await client.send('GEOADD', 'sicily', 13.361389, 38.115556, 'Palermo', 15.087269, 37.502669, 'Catania');
  await client.send('GEOADD', 'sicily', 14.014, 37.1915, 'edge1', 17.24151, 38.788135, 'edge2');
});

test('places have scores, positions, hashes and distances', async () => {
  expect(await client.send('ZSCORE', 'sicily', 'Palermo')).toBe('3479099956230698');
  expect(await client.send('GEODIST', 'sicily', 'Palermo', 'Catania', 'km')).toBe('166.2742');
  expect(await client.send('GEODIST', 'sicily', 'Palermo', 'nowhere')).toBeNull();
  expect(await client.send('GEOHASH', 'sicily', 'Palermo', 'Catania')).toEqual([
    'sqc8b49rny0',
    'sqdtr74hyu0',
  ]);
  expect(await client.send('GEOPOS', 'sicily', 'Palermo', 'nowhere')).toEqual([
    ['13.36138933897018433', '38.11555639549629859'],
    null,
  ]);
  expect(await client.send('GEOADD', 'sicily', 'XX', 'CH', 13, 38, 'Palermo', 1, 1, 'new')).toBe(1);
  expect(await client.send('GEOADD', 'sicily', 200, 0, 'x')).toEqual(
    new RespError('ERR invalid longitude,latitude pair 200.000000,0.000000'),
  );
});

test('searches by circle, box and polygon', async () => {
  expect(
    await client.send('GEOSEARCH', 'sicily', 'FROMLONLAT', 15, 37, 'BYRADIUS', 200, 'km', 'ASC'),
  ).toEqual([...['Catania', 'edge1', 'Palermo']]);
  const box = ['FROMMEMBER', 'Catania', 'BYBOX', 400, 400, 'km', 'DESC'];
  expect(await client.send('GEOSEARCH', 'sicily', ...box, 'WITHDIST', 'COUNT', 1)).toEqual([
    ['edge2', '236.5292'],
  ]);
  expect(await client.send('GEOSEARCH', 'sicily', 'BYPOLYGON', 3, 13, 39, 13, 37, 15.5, 37, 'ASC')).toEqual([
    ...['edge1', 'Palermo'],
  ]);
  expect(await client.send('GEORADIUS_RO', 'sicily', 15, 37, 100, 'km', 'WITHCOORD', 'WITHHASH')).toEqual([
    ['Catania', 3479447370796909, ['15.08726745843887329', '37.50266842333162032']],
    ['edge1', 3476105854307753, ['14.01399761438369751', '37.19150098436885088']],
  ]);
  expect(await client.send('GEORADIUSBYMEMBER', 'sicily', 'Palermo', 1, 'm')).toEqual(['Palermo']);
});

test('the nearest of places that are equally far away are those that Valkey picks', async () => {
  const twins = Array.from({ length: 12 }, (_, i) => [15.1, 37.5, `twin${i}`]).flat();
  await client.send('GEOADD', 'twins', ...twins, 15.2, 37.5, 'other');
  const nearest = (n: number) =>
    client.send('GEOSEARCH', 'twins', 'FROMLONLAT', 15.1, 37.5, 'BYRADIUS', 100, 'km', 'COUNT', n, 'ASC');
  const members = await client.send('ZRANGE', 'twins', 0, 11);
  expect(await nearest(20)).toEqual([...(members as string[]), 'other']);
  // As Valkey 9.1.2 answers.
  expect(await nearest(3)).toEqual(['twin0', 'twin1', 'twin10']);
});

test('results are stored as hashes or distances', async () => {
  const around = ['sicily', 'FROMLONLAT', 15, 37, 'BYRADIUS', 200, 'km'];
  expect(await client.send('GEOSEARCHSTORE', 'out', ...around)).toBe(3);
  expect(await client.send('ZSCORE', 'out', 'Palermo')).toBe('3479099956230698');
  expect(await client.send('GEOSEARCHSTORE', 'out', ...around, 'STOREDIST')).toBe(3);
  expect(Number(await client.send('ZSCORE', 'out', 'Catania'))).toBeCloseTo(56.44126, 4);
  expect(await client.send('GEORADIUS', 'sicily', 0, 0, 1, 'm', 'STORE', 'out')).toBe(0);
  expect(await client.send('EXISTS', 'out')).toBe(0);
  expect(await client.send('GEORADIUS', 'sicily', 0, 0, 1, 'm', 'STORE', 'out', 'WITHDIST')).toEqual(
    new RespError(
      'ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options',
    ),
  );
});
