import { expect, test } from 'vitest';
import { globMatch } from '../../src/commands/glob.js';

test.each([
  ['*', 'anything', true],
  ['*', '', false],
  ['', '', true],
  ['', 'a', false],
  ['a*c', 'abbbc', true],
  ['a*c', 'abbb', false],
  ['a**c', 'ac', true],
  ['a?c', 'abc', true],
  ['a?c', 'ac', false],
  ['abc*', 'abc', true],
  ['a[bc]d', 'acd', true],
  ['a[bc]d', 'aed', false],
  ['a[^bc]d', 'aed', true],
  ['a[^bc]d', 'abd', false],
  ['[a-c]', 'b', true],
  ['[c-a]', 'b', true],
  ['[a-c]', 'd', false],
  ['[a-]', '-', false],
  ['[a-]', '^', true],
  ['[\\]]', ']', true],
  ['[ab', 'b', true],
  ['\\*', '*', true],
  ['\\*', 'a', false],
  ['a\\', 'a\\', true],
  ['A', 'a', false],
  ['\xe4?', '\xe4\xff', true],
])('globMatch(%j, %j) is %s', (pattern, text, expected) => {
  expect(globMatch(pattern, text)).toBe(expected);
});

test.each([
  ['GeT', 'gEt', true],
  ['[A-C]x', 'bX', true],
  ['[G]', 'g', true],
  ['[\\G]', 'g', false],
  ['\\G', 'g', true],
  ['\xc4', '\xe4', false],
])('globMatch(%j, %j) is %s without case', (pattern, text, expected) => {
  expect(globMatch(pattern, text, { ignoreCase: true })).toBe(expected);
});

test('many stars cost no exponential time', () => {
  const started = process.cpuUsage().user;
  expect(globMatch(`${'a*'.repeat(60)}b`, 'a'.repeat(500))).toBe(false);
  expect(process.cpuUsage().user - started).toBeLessThan(2_000_000);
});

test('gives up on patterns nested too deeply', () => {
  expect(globMatch('*a'.repeat(900), 'a'.repeat(900))).toBe(true);
  expect(globMatch('*a'.repeat(1100), 'a'.repeat(1100))).toBe(false);
});
