/**
 * Reading RESP2 and RESP3 twice over: `FrameScanner` finds where each reply ends without building anything
 * (replies are compared as bytes), `parseReply` builds a tree for the few that differ. Strings are latin1, one
 * character a byte, everywhere in the tester.
 */

export interface Reply {
  /** The type byte of the frame: + - : $ * _ # , ( = ! % ~ > |  */
  readonly type: string;
  /** The text of a scalar, null for a null, the elements of an aggregate (a map's keys and values alternate). */
  readonly value: string | null | Reply[];
}

const LF = 10;
const ZERO = 48;
const MINUS = 45;

export class ProtocolViolation extends Error {}

/**
 * Invariant: `need` elements are still missing from the frame that began at `start`; `position` is the first
 * byte not yet accounted for and may lie beyond what has arrived when a bulk string is still on its way.
 */
export class FrameScanner {
  /** End offsets of the complete frames, in order. */
  readonly ends: number[] = [];
  /** Ends of the pushed messages that belong to no request; they are not in `ends`. */
  readonly pushes: { start: number; end: number; before: number }[] = [];
  private position = 0;
  private start = 0;
  private need = 1;

  reset(): void {
    this.ends.length = 0;
    this.pushes.length = 0;
    this.position = 0;
    this.start = 0;
    this.need = 1;
  }

  /** Where the last complete frame ended; bytes after it belong to an incomplete one. */
  get consumed(): number {
    return this.start;
  }

  scan(buffer: Buffer, filled: number): void {
    let position = this.position;
    while (position < filled) {
      const type = buffer[position]!;
      let cursor = position + 1;
      while (cursor < filled && buffer[cursor] !== LF) cursor++;
      if (cursor === filled) break;
      let bulk = 0;
      switch (type) {
        case 0x2b: // +
        case 0x2d: // -
        case 0x3a: // :
        case 0x5f: // _
        case 0x23: // #
        case 0x2c: // ,
        case 0x28: // (
          this.need--;
          break;
        case 0x24: // $
        case 0x3d: // =
        case 0x21: {
          // !
          const length = lengthOf(buffer, position);
          if (length >= 0) bulk = length + 2;
          this.need--;
          break;
        }
        case 0x2a: // *
        case 0x7e: // ~
        case 0x3e: // >
          this.need += Math.max(0, lengthOf(buffer, position)) - 1;
          break;
        case 0x25: // %
          this.need += 2 * lengthOf(buffer, position) - 1;
          break;
        case 0x7c: // |: precedes the element it describes, so it is not an element itself
          this.need += 2 * lengthOf(buffer, position);
          break;
        default:
          throw new ProtocolViolation(
            `a reply begins with byte ${type}: ${JSON.stringify(buffer.toString('latin1', position, Math.min(filled, position + 60)))}`,
          );
      }
      if (cursor + 1 + bulk > filled) {
        // Only a bulk string reaches beyond its line: count it when all of it is here. Until then each chunk
        // costs one look at its header, not at its bytes.
        this.need++;
        break;
      }
      position = cursor + 1 + bulk;
      if (this.need === 0) {
        if (buffer[this.start] === 0x3e && isOutOfBand(buffer, this.start)) {
          this.pushes.push({ start: this.start, end: position, before: this.ends.length });
        } else {
          this.ends.push(position);
        }
        this.start = position;
        this.need = 1;
      }
    }
    this.position = position;
  }
}

/** Kinds of push that arrive unasked; every other push frame (a subscription's answer) is a reply. */
const OUT_OF_BAND = ['invalidate', 'message', 'pmessage', 'smessage', 'server-cpu-usage'];

function isOutOfBand(buffer: Buffer, start: number): boolean {
  const kind = buffer.toString('latin1', start, start + 40).split('\r\n')[2];
  return kind !== undefined && OUT_OF_BAND.includes(kind);
}

function lengthOf(buffer: Buffer, position: number): number {
  let cursor = position + 1;
  const negative = buffer[cursor] === MINUS;
  if (negative) cursor++;
  let value = 0;
  for (let byte = buffer[cursor]!; byte >= ZERO && byte <= ZERO + 9; byte = buffer[++cursor]!) {
    value = value * 10 + byte - ZERO;
  }
  return negative ? -value : value;
}

/** Parses the complete frame at the start of `bytes`. */
export function parseReply(bytes: Buffer): Reply {
  let position = 0;
  const element = (): Reply => {
    const type = String.fromCharCode(bytes[position]!);
    const lineEnd = bytes.indexOf(LF, position);
    const line = bytes.toString('latin1', position + 1, lineEnd - 1);
    const header = position;
    position = lineEnd + 1;
    switch (type) {
      case '$':
      case '=':
      case '!': {
        const length = lengthOf(bytes, header);
        if (length < 0) return { type, value: null };
        const value = bytes.toString('latin1', position, position + length);
        position += length + 2;
        return { type, value };
      }
      case '*':
      case '~':
      case '>':
      case '%': {
        const length = lengthOf(bytes, header);
        if (length < 0) return { type, value: null };
        return { type, value: elements(type === '%' ? 2 * length : length) };
      }
      case '|': {
        const attributes = elements(2 * lengthOf(bytes, header));
        return { type, value: [...attributes, element()] };
      }
      case '_':
        return { type, value: null };
      default:
        return { type, value: line };
    }
  };
  const elements = (count: number): Reply[] => {
    const list: Reply[] = [];
    for (let i = 0; i < count; i++) list.push(element());
    return list;
  };
  return element();
}

/** A request in the multibulk form. */
export function encode(args: readonly string[]): string {
  let text = `*${args.length}\r\n`;
  for (const arg of args) text += `$${arg.length}\r\n${arg}\r\n`;
  return text;
}

/** One argument as valkey-cli would accept it. */
export function quote(arg: string, limit = 120): string {
  const plain = /^[\w:.\-+*{}|@<>=/,]+$/.test(arg);
  if (plain && arg.length <= limit) return arg;
  const shown = arg.length > limit ? arg.slice(0, limit) : arg;
  const escaped = shown.replace(/[^ !#-[\]-~]/g, (c) =>
    c === '"' || c === '\\' ? `\\${c}` : `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return arg.length > limit ? `"${escaped}"...(${arg.length} bytes)` : `"${escaped}"`;
}

export function formatCommand(args: readonly string[]): string {
  return args.map((arg) => quote(arg)).join(' ');
}

/** The bytes of a reply for people: escaped to ASCII, cut to a readable length. */
export function formatBytes(bytes: Buffer, limit = 400): string {
  const shown = bytes.toString('latin1', 0, Math.min(bytes.length, limit));
  const text = JSON.stringify(shown).replace(/\\u00([0-9a-f]{2})|[\x7f-\xff]/g, (char, hex) =>
    hex === undefined ? `\\x${char.charCodeAt(0).toString(16)}` : `\\x${hex}`,
  );
  return bytes.length > limit ? `${text}... (${bytes.length} bytes)` : text;
}

/** The elements of an aggregate, or nothing. */
export function items(reply: Reply): Reply[] {
  return Array.isArray(reply.value) ? reply.value : [];
}

/** The text of a scalar; an aggregate or a null gives the empty string. */
export function text(reply: Reply): string {
  return typeof reply.value === 'string' ? reply.value : '';
}
