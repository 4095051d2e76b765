import type { Work } from './load.js';

/** A load of kvasir-load that runs once, its key numbers in order: a part of what a server holds. */
export interface FillStep extends Work {
  requests: number;
}

/** What a server holds when a scenario starts. Scenarios that name the same one may share a process. */
export interface Dataset {
  name: string;
  /** DBSIZE once it is filled. */
  keys: number;
  steps: readonly FillStep[];
}

export function strings(keys: number, valueSize: number): Dataset {
  const step: FillStep = { send: 'set', requests: keys, keyspace: keys, valueSize };
  return { name: `${keys} strings of ${valueSize} B`, keys, steps: [step] };
}

export function counters(keys: number): Dataset {
  const send = ['SET', 'ctr:__rand_int__', '1000'];
  return { name: `${keys} counters`, keys, steps: [{ send, requests: keys, keyspace: keys, valueSize: 0 }] };
}

/** `keys` collections that one command each creates; `send` has `__rand_int__` in its key. */
export function oneCommandEach(keys: number, send: readonly string[], valueSize = 0): FillStep {
  return { send, requests: keys, keyspace: keys, valueSize };
}

/** Words that `word` gives for 0 to n - 1, the numbers padded to equal width. */
export function numbered(n: number, word: (number: string, index: number) => string[]): string[] {
  const width = String(n - 1).length;
  return Array.from({ length: n }, (_, i) => word(String(i).padStart(width, '0'), i)).flat();
}

/** The seconds that filling takes, roughly: it goes through the server's one core, too. */
export function fillSeconds(dataset: Dataset): number {
  let us = 0;
  for (const { send, requests, valueSize } of dataset.steps) {
    const words = typeof send === 'string' ? 3 : send.length;
    us += requests * (0.8 + words * 0.08 + valueSize / 2000) + 20_000;
  }
  return us / 1e6;
}
