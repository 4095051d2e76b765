/** Comparing the whole keyspace of both servers: every key's type, encoding, expiry and value, in every database. */
import { Connection, type Endpoint } from './connection.js';
import { type RuleName, rules } from './explained.js';
import type { Mismatch, Sides } from './pair.js';
import { encode, formatBytes, parseReply, quote, text } from './resp.js';

const DATABASES = 16;
const EXPIRY_TOLERANCE: RuleName = 'ttl in ms';

/** How a value of each type is read whole; unordered types are compared as sets. A new type is one more line. */
const READERS: Readonly<Record<string, { args: (key: string) => string[]; rule?: RuleName }>> = {
  string: { args: (key) => ['GET', key] },
  hash: { args: (key) => ['HGETALL', key], rule: 'unordered' },
  list: { args: (key) => ['LRANGE', key, '0', '-1'] },
  set: { args: (key) => ['SMEMBERS', key], rule: 'unordered' },
  zset: { args: (key) => ['ZRANGE', key, '0', '-1', 'WITHSCORES'] },
  stream: { args: (key) => ['XINFO', 'STREAM', key, 'FULL', 'COUNT', '0'], rule: 'delivery times' },
};

interface Aspect {
  readonly name: string;
  readonly bytes: Buffer;
  readonly rule?: RuleName;
}

type Dump = Map<string, Aspect[]>;

async function pipeline(connection: Connection, commands: readonly string[][]): Promise<Buffer[]> {
  if (commands.length === 0) return [];
  const outcome = await connection.exchange([commands.map(encode).join('')], commands.length);
  if (outcome !== 'complete') throw new Error(`checkpoint: ${outcome} ${connection.violation}`);
  return commands.map((_, i) => Buffer.from(connection.frame(i)));
}

/** Speaks RESP3, whose maps and sets compare without regard to order. */
async function dump(endpoint: Endpoint): Promise<Dump> {
  const connection = await Connection.open(endpoint);
  const keyspace: Dump = new Map();
  try {
    await connection.call('HELLO', '3');
    for (let database = 0; database < DATABASES; database++) {
      const [, size, list] = await pipeline(connection, [
        ['SELECT', String(database)],
        ['DBSIZE'],
        ['KEYS', '*'],
      ]);
      keyspace.set(`database ${database}`, [{ name: 'DBSIZE', bytes: size! }]);
      const reply = parseReply(list!);
      const names = (Array.isArray(reply.value) ? reply.value : []).map(text).sort();
      const looks = names.flatMap((name) => [
        ['TYPE', name],
        ['OBJECT', 'ENCODING', name],
        ['PEXPIRETIME', name],
      ]);
      const seen = await pipeline(connection, looks);
      const readers = names.map((_, i) => READERS[text(parseReply(seen[3 * i]!))]);
      const reads = names.flatMap((name, i) => (readers[i] ? [readers[i].args(name)] : []));
      const values = await pipeline(connection, reads);
      let read = 0;
      names.forEach((name, i) => {
        const aspects: Aspect[] = [
          { name: 'TYPE', bytes: seen[3 * i]! },
          { name: 'OBJECT ENCODING', bytes: seen[3 * i + 1]! },
          { name: 'PEXPIRETIME', bytes: seen[3 * i + 2]!, rule: EXPIRY_TOLERANCE },
        ];
        const reader = readers[i];
        if (reader) {
          aspects.push({
            name: reads[read]![0]!,
            bytes: values[read]!,
            ...(reader.rule && { rule: reader.rule }),
          });
          read++;
        }
        keyspace.set(`database ${database}, key ${quote(name)}`, aspects);
      });
    }
  } finally {
    connection.close();
  }
  return keyspace;
}

export async function compareKeyspaces(sides: Sides): Promise<Mismatch | null> {
  const [subject, reference] = await Promise.all([dump(sides.subject), dump(sides.reference)]);
  for (const place of new Set([...reference.keys(), ...subject.keys()])) {
    const [a, b] = [subject.get(place), reference.get(place)];
    if (a === undefined || b === undefined) {
      return {
        index: -1,
        subject: `${place}: ${a ? 'exists' : 'missing'}`,
        reference: `${place}: ${b ? 'exists' : 'missing'}`,
      };
    }
    for (let i = 0; i < Math.max(a.length, b.length); i++) {
      const [x, y] = [a[i], b[i]];
      if (x !== undefined && y !== undefined) {
        if (x.bytes.equals(y.bytes)) continue;
        if (x.rule && rules[x.rule].same(parseReply(x.bytes), parseReply(y.bytes))) continue;
      }
      const shown = (aspect: Aspect | undefined): string =>
        aspect ? `${place}: ${aspect.name} ${formatBytes(aspect.bytes)}` : `${place}: nothing`;
      return { index: -1, subject: shown(x), reference: shown(y) };
    }
  }
  return null;
}
