/**
 * The replies that command handlers written in TypeScript return, and their encoding in RESP2 and RESP3.
 *
 * A reply is a plain JavaScript value wherever one exists (string: bulk string, number and bigint: integer, null,
 * boolean, array, Map) and an instance of one of the classes below for everything else. Strings are byte strings in
 * latin1, one character a byte, on the way in and out: that is the cheapest form to take across N-API, and it makes
 * `length` the length on the wire.
 *
 * The shapes are those of https://valkey.io/topics/protocol/; what RESP2 has no type for is sent the way Valkey sends
 * it to RESP2 clients (a map as a flat array, a boolean as 0 or 1, a double as a bulk string).
 */

export type RespVersion = 2 | 3;

export type Reply = string | number | bigint | boolean | null | Reply[] | Map<Reply, Reply> | SpecialReply;

/** A reply that no plain JavaScript value stands for. */
export abstract class SpecialReply {
  abstract encode(resp: RespVersion): string;
}

/** `+text`. Line breaks, which would break the framing, become spaces. */
export class Status extends SpecialReply {
  readonly text: string;

  constructor(text: string) {
    super();
    this.text = oneLine(text);
  }

  encode(): string {
    return `+${this.text}\r\n`;
  }
}

/** `-message`. The message starts with its code: `ERR syntax error`, `WRONGTYPE Operation against ...`. */
export class ErrorReply extends SpecialReply {
  readonly message: string;

  constructor(message: string) {
    super();
    this.message = oneLine(message);
  }

  /** The first word, under which INFO errorstats counts the error. */
  get code(): string {
    const end = this.message.indexOf(' ');
    return end < 0 ? this.message : this.message.slice(0, end);
  }

  encode(): string {
    return `-${this.message}\r\n`;
  }
}

/** A floating point number: `,value` or, in RESP2, a bulk string. */
export class Double extends SpecialReply {
  constructor(readonly value: number) {
    super();
  }

  encode(resp: RespVersion): string {
    const text = formatDouble(this.value);
    return resp === 3 ? `,${text}\r\n` : bulk(text);
  }
}

/** Text with a three-letter format (`txt`, `mkd`); a plain bulk string in RESP2. */
export class Verbatim extends SpecialReply {
  constructor(
    readonly format: string,
    readonly text: string,
  ) {
    super();
    if (format.length !== 3) throw new RangeError(`verbatim format must have three characters: '${format}'`);
  }

  encode(resp: RespVersion): string {
    if (resp === 2) return bulk(this.text);
    return `=${this.text.length + 4}\r\n${this.format}:${this.text}\r\n`;
  }
}

/** A map in a given order that may hold a key twice, which a JavaScript Map cannot (`COMMAND DOCS get get`). */
export class MapReply extends SpecialReply {
  constructor(readonly entries: readonly (readonly [Reply, Reply])[]) {
    super();
  }

  encode(resp: RespVersion): string {
    let out = mapHeader(this.entries.length, resp);
    for (const [key, value] of this.entries) out += encodeReply(key, resp) + encodeReply(value, resp);
    return out;
  }
}

/** `~n`; an array in RESP2. */
export class SetReply extends SpecialReply {
  constructor(readonly members: readonly Reply[]) {
    super();
  }

  encode(resp: RespVersion): string {
    return encodeAll(resp === 3 ? '~' : '*', this.members, resp);
  }
}

/** Data that is not the answer to a request: `>n`; an array in RESP2. */
export class PushReply extends SpecialReply {
  constructor(readonly items: readonly Reply[]) {
    super();
  }

  encode(resp: RespVersion): string {
    return encodeAll(resp === 3 ? '>' : '*', this.items, resp);
  }
}

/** The null of commands whose reply is otherwise an array: `*-1` in RESP2, the one null in RESP3. */
export class NullArray extends SpecialReply {
  encode(resp: RespVersion): string {
    return resp === 3 ? '_\r\n' : '*-1\r\n';
  }
}

/** Bytes that are already encoded for the protocol version of the client they go to. */
export class Raw extends SpecialReply {
  constructor(readonly bytes: string) {
    super();
  }

  encode(): string {
    return this.bytes;
  }
}

/** Nothing is sent: the command has answered already, will do so later, or never answers. */
export class NoReply extends SpecialReply {
  encode(): string {
    return '';
  }
}

export const OK = new Status('OK');
export const PONG = new Status('PONG');
export const QUEUED = new Status('QUEUED');
export const NULL_ARRAY = new NullArray();
export const NO_REPLY = new NoReply();
export const SYNTAX_ERROR = new ErrorReply('ERR syntax error');

/** The bytes of `reply` for a client that speaks RESP `resp`, as a latin1 string. */
export function encodeReply(reply: Reply, resp: RespVersion): string {
  switch (typeof reply) {
    case 'string':
      return bulk(reply);
    case 'number':
      if (!Number.isSafeInteger(reply)) throw new RangeError(`not an integer reply: ${reply}`);
      return `:${reply}\r\n`;
    case 'bigint':
      return `:${reply}\r\n`;
    case 'boolean':
      if (resp === 3) return reply ? '#t\r\n' : '#f\r\n';
      return reply ? ':1\r\n' : ':0\r\n';
  }
  if (reply === null) return resp === 3 ? '_\r\n' : '$-1\r\n';
  if (Array.isArray(reply)) return encodeAll('*', reply, resp);
  if (reply instanceof Map) {
    let out = mapHeader(reply.size, resp);
    for (const [key, value] of reply) out += encodeReply(key, resp) + encodeReply(value, resp);
    return out;
  }
  return reply.encode(resp);
}

/**
 * A double in the notation of Valkey's replies: integers up to 2^62 with all their digits, others with an exponent
 * where Valkey's fpconv uses one (a different place than JavaScript's). The digits are the shortest that read back as
 * the same number; fpconv's Grisu2 misses those for about two numbers in a thousand and ends in one or two digits more.
 */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (value === Number.POSITIVE_INFINITY) return 'inf';
  if (value === Number.NEGATIVE_INFINITY) return '-inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  if (Number.isInteger(value) && Math.abs(value) <= 2 ** 62) return BigInt(value).toString();

  const sign = value < 0 ? '-' : '';
  const [mantissa, exponentText] = Math.abs(value).toExponential().split('e') as [string, string];
  const digits = mantissa.replace('.', '');
  const exponent = Number(exponentText);
  const shift = exponent - digits.length + 1; // value = digits * 10^shift
  const magnitude = Math.abs(exponent);
  if (shift >= 0 && magnitude < digits.length + 7) return sign + digits + '0'.repeat(shift);
  if (shift < 0 && (shift > -7 || magnitude < 4)) {
    const point = digits.length + shift;
    if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
    return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
  }
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
  return `${sign}${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${magnitude}`;
}

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

function mapHeader(size: number, resp: RespVersion): string {
  return resp === 3 ? `%${size}\r\n` : `*${size * 2}\r\n`;
}

function encodeAll(type: string, items: readonly Reply[], resp: RespVersion): string {
  let out = `${type}${items.length}\r\n`;
  for (const item of items) out += encodeReply(item, resp);
  return out;
}

function oneLine(text: string): string {
  return /[\r\n]/.test(text) ? text.replace(/[\r\n]/g, ' ') : text;
}
