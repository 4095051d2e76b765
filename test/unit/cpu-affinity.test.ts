import { expect, test } from 'vitest';
import { applyCpuLists, parseCpuList } from '../../src/server/cpu-affinity.js';

test.each([
  ['0', [0]],
  ['0,2,3', [0, 2, 3]],
  ['0,2-4', [0, 2, 3, 4]],
  ['1-9:4,11', [1, 5, 9, 11]],
])('%s', (text, cpus) => {
  expect(parseCpuList(text)).toEqual(cpus);
});

test.each(['', 'a', '1-', '-1', '3-1', '1:2', '1-5:0', '1,', '0-4096', '1 2'])('%j is no list', (text) => {
  expect(parseCpuList(text)).toBeNull();
});

test('lists are applied to their threads, and what is no list changes nothing', () => {
  const calls: unknown[] = [];
  const setThreadCpus = (...args: unknown[]) => {
    calls.push(args);
    return '';
  };
  applyCpuLists({ setThreadCpus }, '0-1', '1');
  applyCpuLists({ setThreadCpus }, null, '');
  applyCpuLists({ setThreadCpus }, 'all', null);
  expect(calls).toEqual([
    ['main', [0, 1]],
    ['background', [1]],
  ]);
});
