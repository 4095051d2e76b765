import { describe, expect, it } from 'vitest';
import { axisEnd, svgChart } from '../../bench/lib/chart.js';
import { benchmarkCommand, parseBenchmarkOutput } from '../../bench/lib/load.js';
import { alignedTable, markdownReport, meets, significant, textReport } from '../../bench/lib/report.js';
import { infoField } from '../../bench/lib/resp.js';
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
    settings: { rounds: 3, seconds: 2, warmup: 1, keys: 1000, valueSize: 64, serverCore: 0, loadCore: 1 },
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
  const all = allScenarios({ keys: 1000, valueSize: 64, prefetchKeys: 5000 });

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

  it('run by default exactly where a target is set', () => {
    const standard = selectScenarios(all, undefined, false);
    expect(standard.every((s) => s.target !== null)).toBe(true);
    expect(standard).toHaveLength(all.filter((s) => s.target !== null).length);
    expect(standard.filter((s) => s.kind === 'memory')).toHaveLength(6);
    expect(selectScenarios(all, undefined, true)).toHaveLength(all.length);
  });

  it('are selected by names and patterns, in their own order', () => {
    const names = selectScenarios(all, 'p99-*, get-c50-p1', false).map((s) => s.name);
    expect(names).toEqual(['get-c50-p1', 'p99-get', 'p99-set']);
    expect(() => selectScenarios(all, 'get.c50.p1', false)).toThrow('no scenario');
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

describe('valkey-benchmark', () => {
  it('gets the templates of every mix that it can send', () => {
    expect(benchmarkCommand('set')).toEqual(['SET', 'key:__rand_int__', '__data__']);
    expect(benchmarkCommand('mset:3')).toHaveLength(7);
    expect(benchmarkCommand('mixed:80/20')).toBeNull();
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
