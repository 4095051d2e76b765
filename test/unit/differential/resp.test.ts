import { describe, expect, it } from 'vitest';
import {
  encode,
  FrameScanner,
  formatBytes,
  ProtocolViolation,
  parseReply,
  quote,
} from '../../interop/differential/resp.js';

const FRAMES = [
  '+OK\r\n',
  '-ERR no\r\n',
  ':-12\r\n',
  '$5\r\nhe\r\no\r\n',
  '$0\r\n\r\n',
  '$-1\r\n',
  '*-1\r\n',
  '*0\r\n',
  '*2\r\n*1\r\n$1\r\na\r\n%1\r\n+k\r\n~2\r\n:1\r\n:2\r\n',
  '_\r\n',
  '#t\r\n',
  ',3.5\r\n',
  '(12345678901234567890\r\n',
  '=7\r\ntxt:abc\r\n',
  '!5\r\nERR x\r\n',
  '|1\r\n+a\r\n*1\r\n:1\r\n$2\r\nhi\r\n',
  '>3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n',
  '%0\r\n',
];

function scan(bytes: Buffer, chunk: number): FrameScanner {
  const scanner = new FrameScanner();
  for (let filled = chunk; ; filled += chunk) {
    scanner.scan(bytes, Math.min(filled, bytes.length));
    if (filled >= bytes.length) return scanner;
  }
}

describe('FrameScanner', () => {
  const bytes = Buffer.from(FRAMES.join(''), 'latin1');
  let end = 0;
  const ends = FRAMES.map((frame) => {
    end += frame.length;
    return end;
  });

  it.each([1, 2, 3, 7, 1000])('finds the ends of all frames in chunks of %i bytes', (chunk) => {
    expect(scan(bytes, chunk).ends).toEqual(ends);
  });

  it('keeps unasked messages out of the replies', () => {
    const push = '>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n';
    const mixed = Buffer.from(`+a\r\n${push}+b\r\n`);
    const scanner = scan(mixed, 5);
    expect(scanner.ends).toEqual([4, mixed.length]);
    expect(scanner.pushes).toEqual([{ start: 4, end: 4 + push.length, before: 1 }]);
  });

  it('does not count an incomplete frame', () => {
    const scanner = scan(Buffer.from('*2\r\n:1\r\n$3\r\nab'), 4);
    expect(scanner.ends).toEqual([]);
    expect(scanner.consumed).toBe(0);
  });

  it('refuses what is no frame', () => {
    expect(() => scan(Buffer.from('+ok\r\n@\r\n'), 100)).toThrow(ProtocolViolation);
  });
});

describe('parseReply', () => {
  it('builds nested aggregates', () => {
    expect(parseReply(Buffer.from(FRAMES[8]!))).toEqual({
      type: '*',
      value: [
        { type: '*', value: [{ type: '$', value: 'a' }] },
        {
          type: '%',
          value: [
            { type: '+', value: 'k' },
            {
              type: '~',
              value: [
                { type: ':', value: '1' },
                { type: ':', value: '2' },
              ],
            },
          ],
        },
      ],
    });
  });

  it('keeps attributes with the element they describe', () => {
    const reply = parseReply(Buffer.from(FRAMES[15]!));
    expect(reply.type).toBe('|');
    expect(reply.value).toHaveLength(3);
  });

  it('tells null from empty', () => {
    expect(parseReply(Buffer.from('$-1\r\n')).value).toBeNull();
    expect(parseReply(Buffer.from('$0\r\n\r\n')).value).toBe('');
    expect(parseReply(Buffer.from('*-1\r\n')).value).toBeNull();
  });
});

it('encodes and quotes bytes', () => {
  expect(encode(['GET', '\xff'])).toBe('*2\r\n$3\r\nGET\r\n$1\r\n\xff\r\n');
  expect(quote('a"b\n\xff')).toBe('"a\\"b\\x0a\\xff"');
  expect(formatBytes(Buffer.from('a\r\n\x00\xff"\\', 'latin1'))).toBe('"a\\r\\n\\x00\\xff\\"\\\\"');
  expect(quote('plain:{tag}')).toBe('plain:{tag}');
});
