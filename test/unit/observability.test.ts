import { describe, expect, test } from 'vitest';
import { Config, findParameter } from '../../src/config/config.js';
import type { LatencyRow } from '../../src/native/addon.js';
import { pour } from '../../src/observability/art.js';
import { humanBytes, safeName, seconds } from '../../src/observability/format.js';
import { latencyGraph, latencyReport } from '../../src/observability/latency.js';
import { type MemoryFigures, memoryReport } from '../../src/observability/memory.js';
import { sparkline } from '../../src/observability/sparkline.js';

test('sizes for people', () => {
  expect(humanBytes(0)).toBe('0B');
  expect(humanBytes(1023)).toBe('1023B');
  expect(humanBytes(1536)).toBe('1.50K');
  expect(humanBytes(2 ** 30)).toBe('1.00G');
  expect(humanBytes(3.5 * 2 ** 50)).toBe('3.50P');
});

test('seconds have six decimals', () => {
  expect(seconds(0)).toBe('0.000000');
  expect(seconds(12_000_034)).toBe('12.000034');
});

test('names cannot break lines or fields', () => {
  expect(safeName('a#b:c\r\nd|e')).toBe('a_b_c__d|e');
});

describe('sparkline', () => {
  test('heights and labels', () => {
    const samples = [0, 1, 2, 3, 4, 5, 6].map((value) => ({ value, label: value === 6 ? '12s' : '3s' }));
    expect(sparkline(samples, 80, 2)).toBe('   _o##\n_o#||||\n       \n3333331\nssssss2\n      s\n');
  });

  test('a flat line, and more samples than columns', () => {
    const samples = [5, 5, 5].map((value) => ({ value, label: '1s' }));
    expect(sparkline(samples, 2, 1)).toBe('__\n  \n11\nss\n\n_\n \n1\ns\n');
  });
});

const ROW: LatencyRow = [
  'command',
  500,
  900,
  3,
  [
    [1000, 300],
    [1100, 100],
    [1190, 500],
  ],
];

test('LATENCY GRAPH', () => {
  const [head, line, ...rest] = latencyGraph(ROW, 1200).split('\n');
  expect(head).toBe('command - high 500 ms, low 100 ms (all time high 500 ms)');
  expect(line).toBe('-'.repeat(80));
  expect(rest.slice(-4)).toEqual(['311', 'mm0', '  s', '']);
});

describe('LATENCY DOCTOR', () => {
  function config(...settings: [string, string][]): Config {
    const made = new Config();
    for (const [name, value] of settings) expect(made.load(findParameter(name)!, [value], false)).toBeNull();
    return made;
  }

  test('the figures of an event', () => {
    expect(latencyReport([ROW], config(), 1200)).toContain(
      '1. command: 3 latency spikes (average 300ms, mean deviation 133ms, period 66.67 sec). Worst all time event 500ms.\n',
    );
  });

  test('advice depends on the configuration', () => {
    const tuning = "Please use 'CONFIG SET slowlog-log-slower-than 5000'";
    const enabling = "'CONFIG SET slowlog-log-slower-than 5000'. If the Slow log is disabled";
    const threshold: [string, string] = ['latency-monitor-threshold', '5'];
    expect(latencyReport([ROW], config(threshold), 1200)).toContain(tuning);
    const off = config(threshold, ['slowlog-log-slower-than', '-1']);
    expect(latencyReport([ROW], off, 1200)).toContain(enabling);
    const fine = latencyReport([ROW], config(threshold, ['slowlog-log-slower-than', '5000']), 1200);
    expect(fine).not.toContain(tuning);
    expect(fine).toContain('- Check your Slow Log');
  });

  test('an event nobody has advice for', () => {
    expect(latencyReport([['something', 1, 1, 1, [[1, 1]]]], config(), 2)).toContain('not easy to fix');
  });
});

test('MEMORY DOCTOR', () => {
  const calm = { ratio: 1, bytes: 0 };
  const figures = {
    used: 100e6,
    peak: 110e6,
    clientsNormal: 0,
    fragmentation: calm,
    allocatorFragmentation: calm,
    allocatorRss: calm,
    rssOverhead: calm,
  } as MemoryFigures;
  expect(memoryReport({ ...figures, used: 1e6 }, 1)).toContain('is empty');
  expect(memoryReport(figures, 1)).toContain("can't find any memory issue");
  expect(memoryReport({ ...figures, peak: 160e6 }, 1)).toContain(' * Peak memory: ');
  expect(memoryReport({ ...figures, fragmentation: { ratio: 2, bytes: 100e6 } }, 1)).toContain(
    ' * High total RSS: ',
  );
  expect(memoryReport({ ...figures, clientsNormal: 1e6 }, 2)).toContain(' * Big client buffers: ');
});

test('the picture of LOLWUT has its size and depends on chance only', () => {
  const chance = (seed: number) => () => {
    seed = (seed * 48271) % 0x7fffffff;
    return seed / 0x7fffffff;
  };
  const picture = pour(30, 7, chance(1));
  expect(picture.split('\n').map((line) => line.length)).toEqual([30, 30, 30, 30, 30, 30, 30, 0]);
  expect(pour(30, 7, chance(1))).toBe(picture);
  expect(pour(30, 7, chance(2))).not.toBe(picture);
});
