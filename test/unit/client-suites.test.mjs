import { expect, test } from 'vitest';
import { compare, readReport } from '../interop/client-suites/report.mjs';

const outcomes = (report) => [...report].map(([name, { outcome, message }]) => [name, outcome, message]);

test("mocha's JSON", () => {
  const one = { file: 'a.js', fullTitle: 'x' };
  const report = readReport(
    JSON.stringify({ passes: [one, one], failures: [{ ...one, err: { message: 'ERR\n no' } }], pending: [] }),
  );
  expect(outcomes(report)).toEqual([
    ['a.js :: x', 'passed', ''],
    ['a.js :: x (2)', 'passed', ''],
    ['a.js :: x (3)', 'failed', 'ERR no'],
  ]);
});

test("vitest's JSON", () => {
  const assertionResults = [
    { fullName: 'x', status: 'passed' },
    { fullName: 'y', status: 'failed', failureMessages: ['no'] },
    { fullName: 'z', status: 'todo' },
  ];
  expect(outcomes(readReport(JSON.stringify({ testResults: [{ name: 'a.ts', assertionResults }] })))).toEqual(
    [
      ['a.ts :: x', 'passed', ''],
      ['a.ts :: y', 'failed', 'no'],
      ['a.ts :: z', 'skipped', ''],
    ],
  );
});

test("JUnit's XML", () => {
  const report = readReport(`<?xml version="1.0"?><testsuites><testsuite>
    <testcase classname="a" name="x[&quot;1&quot;]" time="0.1" />
    <testcase classname="a" name="y"><failure message="1 &lt; 2">trace</failure></testcase>
    <testcase classname="a" name="z"><skipped type="pytest.skip" message="old"/></testcase>
    <testcase classname="a" name="s"><error message="at setup"/></testcase>
  </testsuite></testsuites>`);
  expect(outcomes(report)).toEqual([
    ['a :: x["1"]', 'passed', ''],
    ['a :: y', 'failed', '1 < 2'],
    ['a :: z', 'skipped', ''],
    ['a :: s', 'failed', 'at setup'],
  ]);
});

test('what three reports say', () => {
  const report = (cases) =>
    new Map(
      Object.entries(cases).map(([name, passed]) => [
        name,
        { outcome: passed ? 'passed' : 'failed', message: '' },
      ]),
    );
  const result = compare({
    valkey: report({ good: true, bad: false, odd: false, eval: true, hook: true, wrong: true }),
    kvasir: report({ good: true, bad: false, odd: true, eval: false, wrong: false }),
    without: report({ good: true, bad: false, odd: false, eval: false, wrong: true }),
  });
  expect(
    Object.fromEntries(Object.entries(result).map(([kind, cases]) => [kind, cases.map((c) => c.name)])),
  ).toEqual({
    'passes on both': ['good'],
    'fails on both': ['bad'],
    'waits for commands that Kvasir lacks': ['eval', 'hook'],
    'fails on Valkey only': ['odd'],
    'fails on Kvasir only': ['wrong'],
  });
});
