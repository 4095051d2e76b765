import { describe, expect, it } from 'vitest';
import { axisEnd, svgChart } from '../../bench/lib/chart.js';
import { fillSeconds, numbered } from '../../bench/lib/dataset.js';
import { deadlines, lateness } from '../../bench/lib/expiry.js';
import { benchmarkCommand, parseBenchmarkOutput } from '../../bench/lib/load.js';
import { expectedSeconds } from '../../bench/lib/measure.js';
import { alignedTable, markdownReport, meets, significant, textReport } from '../../bench/lib/report.js';
import { commandStats, infoField } from '../../bench/lib/resp.js';
import { type BenchResults, EMPTY_SAMPLE, type Sample } from '../../bench/lib/results.js';
import { allScenarios, selectScenarios } from '../../bench/lib/scenarios.js';
import { compare, median, medianSample } from '../../bench/lib/stats.js';

const sample = (cpuUs: number, throughput = 1000, waited = 0): Sample => ({
  ...EMPTY_SAMPLE,
  cpuUs,
  throughput,
  p50Us: 100,
  p99Us: 200,
  p999Us: 300,
  maxUs: 400,
  waited,
});

const about = {
  name: 'get-c50-p1',
  section: 'Without pipelining',
  title: 'GET, 50 clients',
  metric: 'cpuUs',
  load: 'kvasir-load',
  rate: null,
  target: 0.93,
} as const;

function fixedResults(): BenchResults {
  return {
    format: 1,
    date: '2026-01-02',
    host: { cpu: 'Test <CPU>', cores: 2, memoryGb: 8, kernel: '6.1', node: '20.0.0', loadAverage: 0.1 },
    servers: [
      { id: 'kvasir', path: '/k', version: 'Kvasir server v=9.1.2' },
      { id: 'valkey', path: '/v', version: 'Valkey server v=9.1.2 sha=0:0' },
    ],
    settings: {
      rounds: 3,
      seconds: 2,
      warmup: 1,
      expirySeconds: 60,
      keys: 1000,
      valueSize: 64,
      serverCore: 0,
      loadCore: 1,
    },
    scenarios: [
      compare(
        about,
        new Map([
          ['kvasir', [sample(8, 120_000), sample(8.1), sample(7.9)]],
          ['valkey', [sample(10, 100_000), sample(10.1), sample(9.9)]],
        ]),
      ),
      compare(
        {
          ...about,
          name: 'memory',
          section: 'Memory per key',
          title: '1 M | keys',
          metric: 'bytesPerKey',
          target: 1,
        },
        new Map([
          ['kvasir', [{ ...EMPTY_SAMPLE, bytesPerKey: 90 }]],
          ['valkey', [{ ...EMPTY_SAMPLE, bytesPerKey: 60 }]],
        ]),
      ),
    ],
  };
}

describe('statistics', () => {
  it('takes medians of odd and even lists, field by field', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(() => median([])).toThrow();
    const m = medianSample([sample(1, 30), sample(2, 20), sample(9, 10)]);
    expect(m.cpuUs).toBe(2);
    expect(m.throughput).toBe(20);
    expect(m.bytesPerKey).toBeNull();
  });

  it('compares with the faster of several builds, and gives the range of the rounds', () => {
    const result = compare(
      about,
      new Map([
        ['kvasir', [sample(4), sample(5), sample(6)]],
        ['valkey', [sample(20), sample(20), sample(20)]],
        ['valkey2', [sample(10), sample(10), sample(10)]],
      ]),
    );
    expect(result.valkeyId).toBe('valkey2');
    expect(result.ratio).toBe(0.5);
    expect([result.ratioMin, result.ratioMax]).toEqual([0.4, 0.6]);
    expect(Object.keys(result.others)).toEqual(['valkey']);
    expect(result.spread).toBeCloseTo(0.4);
    expect(result.noisy).toBe(true);
  });

  it('calls a disturbed server noisy even if its samples agree', () => {
    const quiet = [sample(1), sample(1)];
    const disturbed = [sample(1, 1, 0.2), sample(1, 1, 0.2)];
    const judge = (kvasir: Sample[]) =>
      compare(about, new Map(Object.entries({ kvasir, valkey: quiet }))).noisy;
    expect(judge(quiet)).toBe(false);
    expect(judge(disturbed)).toBe(true);
  });

  it('refuses a scenario without a usable figure', () => {
    const sides = new Map([
      ['kvasir', [EMPTY_SAMPLE]],
      ['valkey', [sample(1)]],
    ]);
    expect(() => compare(about, sides)).toThrow('cpuUs');
    expect(() => compare(about, new Map([['kvasir', [sample(1)]]]))).toThrow('nothing');
  });
});

describe('reports', () => {
  it('prints three significant figures', () => {
    expect([0.1234, 1.234, 12.34, 123.4, 12345.6, null].map(significant)).toEqual([
      '0.123',
      '1.23',
      '12.3',
      '123',
      '12346',
      '–',
    ]);
  });

  it('judges a target by the printed ratio', () => {
    expect(meets(1.004, 1)).toBe(true);
    expect(meets(1.006, 1)).toBe(false);
    expect(meets(0.93, 0.93)).toBe(true);
  });

  it('aligns columns under their headings, whatever the width of a heading row', () => {
    const table = alignedTable(
      ['a', 'number'],
      [['one very long section heading'], ['x', '1'], ['longer', '22']],
    );
    expect(table.split('\n')).toEqual([
      'a       number',
      '──────────────',
      'one very long section heading',
      'x            1',
      'longer      22',
    ]);
  });

  it('puts ratio, range, target and both sides into one row', () => {
    const lines = textReport(fixedResults()).split('\n');
    const row = lines.find((l) => l.includes('GET, 50 clients'))!;
    expect(row.trim().split(/ {2,}/)).toEqual([
      'GET, 50 clients',
      'CPU µs/req',
      '8.00',
      '10.0',
      '0.80',
      '0.80..0.80',
      '0.93 met',
      '1.00 / 1.00',
      '100 / 100',
      '200 / 200',
      '300 / 300',
    ]);
    expect(lines.find((l) => l.includes('B/key'))).toContain('1.50..1.50  1.00 missed');
  });

  it('writes Markdown tables whose cells cannot break them', () => {
    const markdown = markdownReport(fixedResults());
    const row = markdown.split('\n').find((l) => l.includes('keys'))!;
    expect(row).toContain('1 M \\| keys');
    const header = markdown.split('\n').find((l) => l.startsWith('| Scenario'))!;
    const bars = (line: string) => line.replaceAll('\\|', '').split('|').length;
    expect(bars(row)).toBe(bars(header));
  });

  it('draws bars in proportion to the ratio, inside the picture', () => {
    const svg = svgChart(fixedResults());
    const bars = [...svg.matchAll(/<rect x="290.0" y="[\d.]+" width="([\d.]+)" height="12"/g)].map((m) =>
      Number(m[1]),
    );
    const unit = Number(/<rect x="290.0" y="[\d.]+" width="([\d.]+)" height="5"/.exec(svg)![1]);
    expect(bars[0]! / unit).toBeCloseTo(0.8, 2);
    expect(bars[1]! / unit).toBeCloseTo(1.5, 2);
    expect(svg).toContain('Test &lt;CPU&gt;');
    expect(svg.match(/<text/g)!.length).toBe(svg.match(/<\/text>/g)!.length);
    const height = Number(/viewBox="0 0 860 (\d+)"/.exec(svg)![1]);
    for (const [, y] of svg.matchAll(/ y="([\d.]+)"/g)) expect(Number(y)).toBeLessThan(height);
  });

  it('ends the axis beyond the longest bar, within limits', () => {
    expect(axisEnd([0.5])).toBe(1.25);
    expect(axisEnd([1.5])).toBe(1.75);
    expect(axisEnd([9])).toBe(2.5);
  });
});

describe('scenarios', () => {
  const all = allScenarios({ keys: 1000, valueSize: 64, prefetchKeys: 5000, loadSeconds: 2, avx512: true });
  const select = (selection: { only?: string; section?: string; full?: boolean }) =>
    selectScenarios(all, { full: false, ...selection });

  it('have unique names and cover the whole grid', () => {
    expect(new Set(all.map((s) => s.name)).size).toBe(all.length);
    for (const command of ['set', 'get', 'incr', 'mset', 'mixed']) {
      for (const clients of [50, 1000]) {
        for (const depth of [1, 16, 32, 64]) {
          expect(all.some((s) => s.name === `${command}-c${clients}-p${depth}`)).toBe(true);
        }
      }
    }
  });

  it('measure every command that has a target, at both depths', () => {
    const standard = new Map(select({}).map((s) => [s.name, s.target]));
    const commands = [
      'lpush',
      'lpop',
      'lrange-100',
      'lrange-600',
      'sadd',
      'sismember',
      'hset',
      'hget',
      'hgetall',
    ]
      .concat(['zadd', 'zrange-100', 'zrangebyscore-100', 'zrank', 'xadd', 'xrange-100', 'xreadgroup'])
      .concat(['publish', 'multi-10']);
    for (const command of commands) {
      expect([command, standard.get(`${command}-p1`), standard.get(`${command}-p32`)]).toEqual([
        command,
        0.95,
        0.75,
      ]);
    }
    for (const [command, target] of [
      ['bitcount-64k', 0.5],
      ['bitcount-1m', 0.65],
      ['bitcount-256m', 0.95],
      ['pfcount-1', 0.5],
      ['pfcount-10', 0.5],
      ['pfmerge-10', 0.5],
    ] as const) {
      expect([command, standard.get(command), standard.get(`${command}-avx2`)]).toEqual([command, target, 1]);
    }
    for (const type of ['list', 'hash', 'set', 'zset', 'stream']) {
      for (const size of ['10', '128', '1000', '1m']) expect(standard.get(`memory-${type}-${size}`)).toBe(1);
    }
    expect(standard.get('field-expiry-1-lateness')).toBe(1);
    expect(standard.get('field-expiry-1-p999')).toBe(1);
  });

  it('judge AVX-512 kernels only where there are some', () => {
    const plain = allScenarios({ keys: 1, valueSize: 1, prefetchKeys: 1, loadSeconds: 1, avx512: false });
    expect(plain.find((s) => s.name === 'bitcount-64k')!.target).toBeNull();
    expect(plain.find((s) => s.name === 'bitcount-64k-avx2')!.target).toBe(1);
  });

  it('run by default only where a target is set, in less than 25 minutes', () => {
    const standard = select({});
    expect(standard.every((s) => s.target !== null)).toBe(true);
    expect(standard.filter((s) => s.kind === 'memory')).toHaveLength(26);
    expect(select({ full: true })).toHaveLength(all.length);
    const defaults = { rounds: 5, seconds: 1, warmup: 0.25, expirySeconds: 60 };
    const full = allScenarios({
      keys: 1e6,
      valueSize: 64,
      prefetchKeys: 1e7,
      loadSeconds: 1.25,
      avx512: true,
    });
    const seconds = expectedSeconds(selectScenarios(full, { full: false }), defaults, 2);
    expect(seconds).toBeLessThan(25 * 60);
    expect(
      expectedSeconds(selectScenarios(full, { full: false }), { ...defaults, rounds: 10 }, 2),
    ).toBeGreaterThan(seconds * 1.5);
  });

  it('are selected by names and patterns, in their own order', () => {
    const names = select({ only: 'p99-*, get-c50-p1' }).map((s) => s.name);
    expect(names).toEqual(['get-c50-p1', 'p99-get', 'p99-set']);
    expect(() => select({ only: 'get.c50.p1' })).toThrow('no scenario');
  });

  it('are selected by the beginnings of sections, standard or all', () => {
    const sets = select({ section: 'sets' });
    expect(sets.length).toBeGreaterThan(3);
    expect(sets.every((s) => s.section.startsWith('Sets') && s.standard)).toBe(true);
    expect(select({ section: 'sets', full: true }).length).toBeGreaterThan(sets.length);
    expect(new Set(select({ section: 'pub, SORTED' }).map((s) => s.section)).size).toBe(2);
    expect(() => select({ section: 'graphs' })).toThrow('no section');
  });

  it('name as many keys as their commands can make', () => {
    for (const s of all) {
      const words = s.dataset.steps.flatMap((step) => (typeof step.send === 'string' ? [] : step.send));
      expect(words.every((w) => w !== '')).toBe(true);
      // A key number below the step's keyspace and every key of a fixed name.
      const keys = s.dataset.steps.reduce((sum, step) => {
        if (typeof step.send === 'string') return sum + step.keyspace;
        const commands = step.send.join(' ').split(' ; ');
        return (
          sum +
          commands.reduce(
            (n, c) =>
              n +
              (c.split(' ')[c.startsWith('XGROUP') ? 2 : 1]!.includes('__rand_int__') ? step.keyspace : 1),
            0,
          )
        );
      }, 0);
      expect([s.name, keys]).toEqual([s.name, s.dataset.keys]);
    }
  });

  it('switch one option and nothing else', () => {
    for (const on of all.filter((s) => s.name.endsWith('-on'))) {
      const off = all.find((s) => s.name === on.name.replace(/-on$/, '-off'))!;
      expect(on.kind === 'load' && on.serverArgs).toEqual([]);
      expect(off.kind === 'load' && off.serverArgs.length).toBe(2);
      const plain = (s: object) => ({ ...s, name: '', title: '', serverArgs: [] });
      expect(plain(off)).toEqual(plain(on));
    }
  });
});

describe('datasets', () => {
  it('number words to equal width', () => {
    expect(numbered(11, (n, i) => [n, String(i * 2)]).slice(-4)).toEqual(['09', '18', '10', '20']);
  });

  it('take longer to fill the more there is', () => {
    const step = { send: 'set', requests: 1e6, keyspace: 1e6, valueSize: 64 };
    const one = fillSeconds({ name: '', keys: 1e6, steps: [step] });
    expect(one).toBeGreaterThan(0.5);
    expect(fillSeconds({ name: '', keys: 2e6, steps: [step, step] })).toBeCloseTo(2 * one);
  });
});

describe('lateness of expiry', () => {
  it('spreads deadlines evenly, twenty fields to each', () => {
    const due = deadlines(1000, 5000, 100);
    expect(due).toHaveLength(50);
    expect([due[0], due[1], due.at(-1)]).toEqual([5002, 5004, 5100]);
  });

  it('takes fields to go in the order of their deadlines', () => {
    const due = [1000, 1010]; // 20 fields each
    const late = lateness(40, due, [
      [999_000, 999_100, 40],
      [1_000_900, 1_001_000, 30], // ten are 1 ms late
      [1_004_900, 1_005_000, 20], // ten 5 ms
      [1_011_900, 1_012_000, 0], // twenty 2 ms
    ]);
    expect(late).toEqual({ p50Us: 2000, p99Us: 5000, p999Us: 5000, maxUs: 5000 });
  });

  it('counts what never went until the end', () => {
    const late = lateness(20, [1000], [[1_500_000, 1_500_000, 1]]);
    expect(late.maxUs).toBe(500_000);
    expect(() => lateness(20, [1000], [])).toThrow('never counted');
  });

  it('does not count fields that went early as negative', () => {
    expect(lateness(20, [1000], [[900_000, 900_000, 0]]).maxUs).toBe(0);
  });
});

describe('valkey-benchmark', () => {
  it('gets the templates of every mix that it can send', () => {
    expect(benchmarkCommand('set')).toEqual(['SET', 'key:__rand_int__', '__data__']);
    expect(benchmarkCommand('mset:3')).toHaveLength(7);
    expect(benchmarkCommand('mixed:80/20')).toBeNull();
    expect(benchmarkCommand(['LPOP', 'l'])).toBeNull();
  });

  it('is read from its final report', () => {
    const text = [
      '  100000 requests completed in 0.17 seconds',
      '98.438% <= 1.695 milliseconds (cumulative count 98464)',
      '99.902% <= 3.159 milliseconds (cumulative count 99904)',
      '100.000% <= 3.551 milliseconds (cumulative count 100000)',
      'Summary:',
      '  throughput summary: 588235.31 requests per second',
      '  latency summary (msec):',
      '          avg       min       p50       p95       p99       max',
      '        1.200     0.376     1.191     1.599     1.735     3.551',
    ].join('\n');
    const figures = parseBenchmarkOutput(text);
    expect(figures.requests).toBe(100_000);
    expect(figures.throughput).toBe(588_235.31);
    expect([figures.p50Us, figures.p99Us, figures.p999Us, figures.maxUs]).toEqual([1191, 1735, 3159, 3551]);
    expect(() => parseBenchmarkOutput('')).toThrow('not understood');
  });
});

it('reads INFO fields by their whole name', () => {
  expect(infoField('# Server\r\nxprocess_id:1\r\nprocess_id:42\r\n', 'process_id')).toBe('42');
  expect(infoField('a:1\r\n', 'b')).toBeUndefined();
});

it('reads calls and time of a command', () => {
  const info =
    '# Commandstats\r\ncmdstat_get:calls=5,usec=12,usec_per_call=2.40,rejected_calls=0,failed_calls=0\r\n';
  expect(commandStats(info, 'get')).toEqual({ calls: 5, usec: 12 });
  expect(commandStats(info, 'set')).toEqual({ calls: 0, usec: 0 });
});
