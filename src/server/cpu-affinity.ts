/** Where threads may run: server-cpulist and bio-cpulist. */

import type { ProcessCalls } from './startup.js';

/**
 * The CPUs that a list such as `0,2-3,8-20:4` names (`-` a range, `:` its stride).
 * @returns null if it is not such a list
 */
export function parseCpuList(text: string): number[] | null {
  const cpus: number[] = [];
  for (const part of text.split(',')) {
    const match = /^(\d+)(?:-(\d+)(?::(\d+))?)?$/.exec(part);
    if (match === null) return null;
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[2]);
    const stride = match[3] === undefined ? 1 : Number(match[3]);
    if (first > last || stride === 0 || last >= MAX_CPUS) return null;
    for (let cpu = first; cpu <= last; cpu += stride) cpus.push(cpu);
  }
  return cpus;
}

/** What the kernel's set of CPUs holds (CPU_SETSIZE). */
const MAX_CPUS = 1024;

/** Applies the lists. One that is none, or names no CPU of this machine, changes nothing, as in Valkey. */
export function applyCpuLists(
  calls: Pick<ProcessCalls, 'setThreadCpus'>,
  server: string | null,
  bio: string | null,
): void {
  for (const [thread, text] of [
    ['main', server],
    ['background', bio],
  ] as const) {
    const cpus = text === null || text === '' ? null : parseCpuList(text);
    if (cpus !== null) calls.setThreadCpus(thread, cpus);
  }
}
