import { strings } from './dataset.js';
import type { ExpiryScenario } from './scenarios.js';
import type { BenchServer } from './server.js';

/** Fields that one command sets with one deadline. */
const FIELDS_PER_COMMAND = 20;

export function expiryScenarios(keys: number, valueSize: number): ExpiryScenario[] {
  const judged = [
    { metric: 'maxUs' as const, name: 'lateness', title: 'removal after the deadline' },
    { metric: 'p999Us' as const, name: 'p999', title: 'GET of others' },
  ];
  return [
    { hashes: 1, label: '1', text: '1 M fields', standard: true },
    { hashes: 100, label: '100', text: '100 × 10,000 fields', standard: false },
  ].flatMap(({ hashes, label, text, standard }) =>
    judged.map(
      ({ metric, name, title }): ExpiryScenario => ({
        kind: 'expiry',
        name: `field-expiry-${label}-${name}`,
        section: 'Fields of hashes that expire, half of Valkey’s peak of GETs',
        title: `${text}: ${title}`,
        target: 1,
        standard,
        metric,
        hashes,
        fields: 1_000_000,
        clients: 50,
        work: { send: 'get', keyspace: keys, valueSize },
        dataset: strings(keys, valueSize),
      }),
    ),
  );
}

export function hashNames(hashes: number): string[] {
  return Array.from({ length: hashes }, (_, i) => `session:${i}`);
}

/** The deadlines of all commands, evenly spread over `spreadMs` from `startMs` on: field i belongs to command i / 20. */
export function deadlines(fields: number, startMs: number, spreadMs: number): number[] {
  const commands = Math.ceil(fields / FIELDS_PER_COMMAND);
  return Array.from({ length: commands }, (_, i) => startMs + Math.floor(((i + 1) * spreadMs) / commands));
}

/** Sets the fields, those of one deadline far from those of the next; rejects if the first deadline came meanwhile. */
export async function setFields(
  server: BenchServer,
  hashes: number,
  fields: number,
  due: readonly number[],
): Promise<void> {
  const names = hashNames(hashes);
  // A stride without a common divisor visits every command once.
  const stride = 7919;
  if (due.length % stride === 0) throw new Error('the stride divides the number of commands');
  let batch: string[][] = [];
  for (let n = 0; n < due.length; n++) {
    const i = (n * stride) % due.length;
    const count = Math.min(FIELDS_PER_COMMAND, fields - i * FIELDS_PER_COMMAND);
    const command = ['HSETEX', names[i % hashes]!, 'PXAT', String(due[i]), 'FIELDS', String(count)];
    for (let f = 0; f < count; f++) command.push(`field:${i * FIELDS_PER_COMMAND + f}`, 'a value of 16 B');
    batch.push(command);
    if (batch.length < 500 && n + 1 < due.length) continue;
    await server.client.pipeline(batch);
    batch = [];
  }
  if (Date.now() >= due[0]!) throw new Error(`setting ${fields} fields took until the first deadline`);
  const present = await server.client.pipeline(names.map((name) => ['HLEN', name]));
  const sum = present.reduce((total, n) => total + Number(n), 0);
  if (sum !== fields) throw new Error(`${server.program.id} holds ${sum} fields instead of ${fields}`);
}

export interface Lateness {
  p50Us: number;
  p99Us: number;
  p999Us: number;
  maxUs: number;
}

/**
 * How long fields stayed after their deadlines, from a series of counts of those present. Counts do not say which
 * fields went; they are taken to go in the order of their deadlines, and each when the first count without it was
 * answered. A field still there at the last count is as late as that.
 *
 * @param due the deadline of each command's fields in milliseconds, rising
 */
export function lateness(
  fields: number,
  due: readonly number[],
  probes: readonly (readonly [sentUs: number, answeredUs: number, present: number])[],
): Lateness {
  const late: number[] = [];
  const dueUs = (field: number) => due[Math.floor(field / FIELDS_PER_COMMAND)]! * 1000;
  for (const [, answeredUs, present] of probes) {
    while (late.length < fields - present) late.push(Math.max(0, answeredUs - dueUs(late.length)));
  }
  const last = probes.at(-1)?.[1];
  if (last === undefined) throw new Error('the fields were never counted');
  while (late.length < fields) late.push(Math.max(0, last - dueUs(late.length)));
  late.sort((a, b) => a - b);
  const at = (share: number) => late[Math.min(late.length - 1, Math.ceil(share * late.length) - 1)]!;
  return { p50Us: at(0.5), p99Us: at(0.99), p999Us: at(0.999), maxUs: late.at(-1)! };
}
