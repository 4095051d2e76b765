import type { Dataset } from './dataset.js';
import type { CommandTimeScenario } from './scenarios.js';

const BITMAPS = [
  { label: '64k', text: '64 KB', bytes: 64 << 10, target: 0.5, calls: 50_000 },
  { label: '1m', text: '1 MB', bytes: 1 << 20, target: 0.65, calls: 10_000 },
  { label: '256m', text: '256 MB', bytes: 256 << 20, target: 0.95, calls: 50 },
];
const HLLS = Array.from({ length: 10 }, (_, i) => `visitors:${i}`);
/** Of a HyperLogLog: enough for the dense form, as a busy page's. */
const VISITORS = 100_000;

function dataset(): Dataset {
  const add = HLLS.flatMap((key, i) => [
    ...(i === 0 ? [] : [';']),
    'PFADD',
    key,
    ...Array.from({ length: 20 }, () => 'visitor:__rand_int__'),
  ]);
  return {
    name: 'bitmaps and HyperLogLogs',
    keys: BITMAPS.length + HLLS.length,
    steps: [
      ...BITMAPS.map(({ label, bytes }) => ({
        send: ['SET', `bits:${label}`, '__data__'],
        requests: 1,
        keyspace: 1,
        valueSize: bytes,
      })),
      { send: add, requests: VISITORS / 20, keyspace: 1_000_000_000, valueSize: 0 },
    ],
  };
}

/**
 * Commands whose time goes into a loop over bytes, once with Kvasir's fastest kernels and once with AVX2, which is
 * what Valkey has. PFCOUNT of one key answers from its cache unless that is marked stale: the highest bit of the
 * header's last byte.
 */
export function commandTimeScenarios(avx512: boolean): CommandTimeScenario[] {
  const data = dataset();
  const list = [
    ...BITMAPS.map(({ label, text, target, calls }) => ({
      name: `bitcount-${label}`,
      title: `BITCOUNT of ${text}`,
      command: 'bitcount',
      send: ['BITCOUNT', `bits:${label}`],
      target,
      calls,
    })),
    {
      name: 'pfcount-1',
      title: 'PFCOUNT of a dense key, not cached',
      command: 'pfcount',
      send: ['SETBIT', HLLS[0]!, '120', '1', ';', 'PFCOUNT', HLLS[0]!],
      target: 0.5,
      calls: 20_000,
    },
    {
      name: 'pfcount-10',
      title: 'PFCOUNT of 10 dense keys',
      command: 'pfcount',
      send: ['PFCOUNT', ...HLLS],
      target: 0.5,
      calls: 20_000,
    },
    {
      name: 'pfmerge-10',
      title: 'PFMERGE of 10 dense keys',
      command: 'pfmerge',
      send: ['PFMERGE', 'visitors', ...HLLS],
      target: 0.5,
      calls: 20_000,
    },
  ];
  const sets = [
    {
      kernels: 'auto',
      suffix: '',
      section: 'Time inside the command',
      target: (t: number) => (avx512 ? t : null),
    },
    {
      kernels: 'avx2',
      suffix: '-avx2',
      section: 'Time inside the command, Kvasir with AVX2',
      target: () => 1,
    },
  ];
  return sets.flatMap(({ kernels, suffix, section, target }) =>
    list.map(
      ({ name, title, command, send, calls, target: own }): CommandTimeScenario => ({
        kind: 'command',
        name: name + suffix,
        section,
        title,
        target: target(own),
        standard: true,
        command,
        work: { send, keyspace: 1, valueSize: 0 },
        calls,
        kernels,
        dataset: data,
        serverArgs: ['--enable-debug-command', 'yes'],
      }),
    ),
  );
}
