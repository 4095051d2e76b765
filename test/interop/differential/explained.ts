/**
 * The only place where two replies may differ and still count as the same. Every rule names why the real server
 * itself would not answer the same bytes twice (or, for a subject under construction, why the difference is
 * meant). A command asks for a rule by name; without one its replies are compared byte for byte.
 */
import { items, type Reply, text } from './resp.js';

export interface Rule {
  readonly reason: string;
  /** Called only when the bytes differ. */
  same(subject: Reply, reference: Reply): boolean;
}

/** Two servers read their clocks at different moments; busy machines stretch the gap. */
const CLOCK_TOLERANCE_MS = 3000;

const shapeOf = (reply: Reply): string =>
  Array.isArray(reply.value) ? `${reply.type}[${reply.value.map(shapeOf).join()}]` : reply.type;

/** A text that is equal for aggregates with the same elements in any order, at every level. */
const unorderedForm = (reply: Reply): string => {
  const list = items(reply);
  if (!Array.isArray(reply.value))
    return `${reply.type}${reply.value === null ? '-' : JSON.stringify(reply.value)}`;
  const forms: string[] = [];
  if (reply.type === '%') {
    for (let i = 0; i + 1 < list.length; i += 2)
      forms.push(`${unorderedForm(list[i]!)}=${unorderedForm(list[i + 1]!)}`);
  } else {
    for (const item of list) forms.push(unorderedForm(item));
  }
  return `${reply.type}[${forms.sort().join()}]`;
};

const bothErrorsOrNeither = (a: Reply, b: Reply): boolean =>
  a.type !== '-' && b.type !== '-' && a.type === b.type;

const closeIntegers =
  (tolerance: number) =>
  (a: Reply, b: Reply): boolean => {
    if (a.type !== ':' || b.type !== ':') return false;
    const [x, y] = [BigInt(text(a)), BigInt(text(b))];
    if (x < 0n || y < 0n) return x === y;
    const gap = x > y ? x - y : y - x;
    return gap <= BigInt(tolerance);
  };

/** The same of arrays, element by element. */
const closeLists =
  (tolerance: number) =>
  (a: Reply, b: Reply): boolean => {
    const [x, y] = [items(a), items(b)];
    if (a.type !== '*' || b.type !== '*' || x.length !== y.length) return false;
    return x.every((item, i) => closeIntegers(tolerance)(item, y[i]!));
  };
const closeTimes = closeIntegers(CLOCK_TOLERANCE_MS);
const TIME_FIELDS = new Set(['idle', 'inactive', 'seen-time', 'active-time']);

/** Where a reply of XPENDING or XINFO holds a time: behind a name, or in [id, (consumer,) time, deliveries]. */
const isTime = (list: readonly Reply[], i: number): boolean => {
  const kinds = list.map((item) => item.type).join('');
  if (i > 0 && list[i - 1]!.type === '$' && TIME_FIELDS.has(text(list[i - 1]!))) return true;
  return (kinds === '$$::' && i === 2) || (kinds === '$::' && i === 1);
};

const sameButTimes = (a: Reply, b: Reply): boolean => {
  if (!Array.isArray(a.value) || !Array.isArray(b.value)) {
    return a.type === b.type && a.value === b.value;
  }
  const [ours, theirs] = [items(a), items(b)];
  if (a.type !== b.type || ours.length !== theirs.length) return false;
  return ours.every((item, i) =>
    isTime(theirs, i) ? closeTimes(item, theirs[i]!) : sameButTimes(item, theirs[i]!),
  );
};

/** `k1=v1 k2=v2` as pairs. */
const fields = (line: string): [string, string][] =>
  line.split(' ').map((field) => {
    const at = field.indexOf('=');
    return [field.slice(0, at), field.slice(at + 1)];
  });

/** CLIENT LIST fields that hold addresses, times, sizes of buffers or counters of bytes. */
const VOLATILE_CLIENT_FIELDS = new Set([
  ...['id', 'addr', 'laddr', 'fd', 'age', 'idle', 'qbuf', 'qbuf-free', 'argv-mem', 'multi-mem', 'rbs', 'rbp'],
  ...['obl', 'oll', 'omem', 'tot-mem', 'tot-net-in', 'tot-net-out', 'tot-cmds', 'events', 'watch'],
]);

/** The fields of a line of CLIENT LIST. */
export const clientLineFields = (line: string): Map<string, string> => new Map(fields(line));

/** RESP3 says of a verbatim string that it is text. */
const clientLine = (line: string): string =>
  fields(line.replace(/^txt:/, ''))
    .map(([name, value]) => (VOLATILE_CLIENT_FIELDS.has(name) ? name : `${name}=${value}`))
    .join(' ');

/** The names of sections and fields, but those that depend on what has happened or on which modules are loaded. */
const infoNames = (body: string): string =>
  body
    .split('\r\n')
    .map((line) => (line.startsWith('#') ? line : line.slice(0, line.indexOf(':'))))
    .filter((name) => !/^(db\d+|module$|cmdstat_|errorstat_|latency_percentiles_usec_)/.test(name))
    .join('\n');

export const rules = {
  'ttl in ms': {
    reason: 'relative expiry counts from the moment each server executes the command',
    same: closeIntegers(CLOCK_TOLERANCE_MS),
  },
  'ttl in s': {
    reason: 'as above, after rounding to seconds',
    same: closeIntegers(Math.ceil(CLOCK_TOLERANCE_MS / 1000)),
  },
  'ttls in ms': {
    reason: 'relative expiry, of several fields',
    same: closeLists(CLOCK_TOLERANCE_MS),
  },
  'ttls in s': {
    reason: 'as above, after rounding to seconds',
    same: closeLists(Math.ceil(CLOCK_TOLERANCE_MS / 1000)),
  },
  'seconds since': {
    reason:
      'idle times are read from a clock of one second resolution, and RENAME or COPY may keep an older stamp',
    same: closeIntegers(30),
  },
  'delivery times': {
    reason: 'each server notes the time at which it delivers an entry or hears from a consumer',
    same: sameButTimes,
  },
  unordered: {
    reason: 'the order follows the hash seed, which every server draws at random',
    same: (a, b) => unorderedForm(a) === unorderedForm(b),
  },
  subscription: {
    reason: 'unsubscribing from everything goes in the order of the hash seed',
    same: (a, b) => {
      const [x, y] = [items(a), items(b)];
      return x.length === 3 && y.length === 3 && text(x[0]!) === text(y[0]!) && text(x[2]!) === text(y[2]!);
    },
  },
  shape: {
    reason: 'the value is an address, a clock, a size or a random choice; type and structure must agree',
    same: (a, b) => bothErrorsOrNeither(a, b) && shapeOf(a) === shapeOf(b),
  },
  kind: {
    reason:
      'content and number of elements are the server’s own (logs, statistics, cursors); the type must agree',
    same: (a, b) => bothErrorsOrNeither(a, b),
  },
  'scan step': {
    reason:
      'cursor and what one step yields follow the hash seed; complete loops are compared as sets instead',
    same: (a, b) =>
      items(a).length === 2 &&
      items(b).length === 2 &&
      items(a)[0]!.type === items(b)[0]!.type &&
      items(a)[1]!.type === items(b)[1]!.type,
  },
  'number or null': {
    reason: 'MEMORY USAGE depends on the allocator; LFU counters grow at random',
    same: (a, b) => a.type === ':' && b.type === ':',
  },
  hello: {
    reason: 'the connection’s id is its own',
    same: (a, b) => {
      const masked = (reply: Reply): string =>
        items(reply)
          .map((item, i, all) => (i > 0 && text(all[i - 1]!) === 'id' ? item.type : JSON.stringify(item)))
          .join();
      return a.type === b.type && a.type !== '-' && masked(a) === masked(b);
    },
  },
  'client line': {
    reason: 'ids, addresses, ages and buffer sizes are the connection’s own; every other field must agree',
    same: (a, b) => {
      if (a.type !== b.type || a.type === '-') return false;
      return (
        text(a).split('\n').map(clientLine).join('\n') === text(b).split('\n').map(clientLine).join('\n')
      );
    },
  },
  'client list': {
    reason: 'closed connections leave the list at their own pace; the names of the fields must agree',
    same: (a, b) => {
      if (a.type !== b.type || a.type === '-') return false;
      const names = (reply: Reply): string =>
        fields(text(reply).split('\n')[0] ?? '')
          .map(([name]) => name)
          .join();
      return names(a) === names(b) || text(a) === '' || text(b) === '';
    },
  },
  info: {
    reason: 'values are the server’s own; sections and field names and their order must agree',
    same: (a, b) => a.type === b.type && a.type !== '-' && infoNames(text(a)) === infoNames(text(b)),
  },
  'config names': {
    reason: 'paths, ports and pids differ and the order follows the hash seed; the set of names must agree',
    same: (a, b) => {
      const names = (reply: Reply): string =>
        items(reply)
          .filter((_, i) => i % 2 === 0)
          .map(text)
          .sort()
          .join();
      return a.type === b.type && names(a) === names(b);
    },
  },
  'once built': {
    reason: 'of a command that is not built the subject does not know where its keys are',
    same: (a) => a.type === '-' && text(a) === 'ERR Invalid command specified',
  },
  'subset of commands': {
    reason: 'a command not yet built is not listed; whatever is listed must exist in Valkey',
    same: (a, b) => {
      if (a.type === ':' && b.type === ':') return Number(text(a)) <= Number(text(b));
      const known = new Set(items(b).map(unorderedForm));
      return a.type === b.type && a.type !== '-' && items(a).every((item) => known.has(unorderedForm(item)));
    },
  },
} as const satisfies Record<string, Rule>;

export type RuleName = keyof typeof rules;
