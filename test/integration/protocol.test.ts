/** The wire protocol, byte by byte. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningKvasir, startKvasir } from '../support/kvasir.js';

let server: RunningKvasir;

beforeAll(async () => {
  server = await startKvasir();
});
afterAll(() => server.stop());

/** Writes the pieces, each as a packet of its own, and QUIT; returns everything until the server closes. */
async function exchange(pieces: readonly (string | Buffer)[], quit = true): Promise<string> {
  const socket = connect(server.port, '127.0.0.1');
  socket.setNoDelay(true);
  let answer = '';
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1');
  });
  // The server may close while we are still writing.
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  for (const piece of pieces) {
    await new Promise<void>((resolve) => socket.write(piece as string, 'latin1', () => resolve()));
  }
  if (quit) socket.write('*1\r\n$4\r\nQUIT\r\n');
  await closed;
  return answer;
}

const command = (...args: string[]): string =>
  `*${args.length}\r\n${args.map((a) => `$${a.length}\r\n${a}\r\n`).join('')}`;

describe('requests', () => {
  test('byte by byte', async () => {
    const stream = `${command('SET', 'bytes', 'a\r\nb')}GET bytes\r\n\r\n*0\r\n*-1\r\n${command('ECHO', '')}`;
    expect(await exchange([...stream])).toBe('+OK\r\n$4\r\na\r\nb\r\n$0\r\n\r\n+OK\r\n');
  });

  test('a big argument in pieces, between small commands', async () => {
    const value = 'v'.repeat(300_000);
    const stream = command('PING') + command('SET', 'bigone', value) + command('GET', 'bigone');
    const pieces = [];
    for (let at = 0; at < stream.length; at += 7777) pieces.push(stream.slice(at, at + 7777));
    expect(await exchange(pieces)).toBe(`+PONG\r\n+OK\r\n$300000\r\n${value}\r\n+OK\r\n`);
  });

  // From the third request of one shape on, the server reads the next on the guess that it is alike.
  test('alike big requests one after the other, and others between them', async () => {
    const socket = connect(server.port, '127.0.0.1');
    socket.setNoDelay(true);
    let answer = '';
    let wake = () => {};
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      wake();
    });
    const round = async (pieces: readonly string[], expected: string) => {
      answer = '';
      for (const piece of pieces) {
        await new Promise<void>((resolve) => socket.write(piece, 'latin1', () => resolve()));
      }
      while (answer.length < expected.length) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      expect(answer).toBe(expected);
    };
    const cut = (text: string, ...at: number[]) =>
      [0, ...at].map((from, i) => text.slice(from, [...at, text.length][i]));
    const get = (key: string, value: string) =>
      round([command('GET', key)], `$${value.length}\r\n${value}\r\n`);
    for (const size of [8192, 16_384, 100_000, 1_000_000]) {
      for (let i = 10; i < 30; i++) {
        const key = `alike:${i}`;
        const value = String.fromCharCode(65 + i).repeat(size);
        const set = command('SET', key, value);
        // Whole, then cut in the head, in the value and before the last byte.
        const cuts = [[], [3], [set.length - size - 4], [set.length - 1], [set.length - size + 100]][
          i % 5
        ] as number[];
        await round(cut(set, ...cuts), '+OK\r\n');
        if (i === 24) await round([command('SET', key, 'short')], '+OK\r\n');
        if (i === 15) await round([command('SET', key.slice(1), value)], '+OK\r\n');
        if (i === 20) await round([command('SET', key, value.slice(1))], '+OK\r\n');
        if (i === 24)
          await round([command('SET', key, 'short'), set + command('PING')].slice(0, 1), '+OK\r\n');
        if (i === 25) await round([set + set + command('PING')], '+OK\r\n+OK\r\n+PONG\r\n');
        if (i === 28) await get(key, value);
      }
    }
    await round([command('APPEND', 'alike:app', 'x'.repeat(9000))], ':9000\r\n');
    await round([command('APPEND', 'alike:app', 'y'.repeat(9000))], ':18000\r\n');
    await round([command('APPEND', 'alike:app', 'z'.repeat(9000))], ':27000\r\n');
    await get('alike:app', 'x'.repeat(9000) + 'y'.repeat(9000) + 'z'.repeat(9000));
    socket.destroy();
  });

  // Big arguments are read to places of their own, after a probe where one is expected.
  test.each([1, 2, 3])('big arguments in every order and cut, seed %i', async (seed) => {
    let state = seed;
    const random = (n: number) => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return (state >>> 8) % n;
    };
    const sizes = [0, 9, 16_383, 16_384, 16_384, 16_384, 20_000, 40_000, 65_536, 131_072, 131_073, 200_000];
    const held = new Map<string, string>();
    let stream = '';
    let expected = '';
    for (let i = 0; i < 150; i++) {
      const key = `big:${seed}:${'k'.repeat(random(3) * random(6))}${random(4)}`;
      const value = String.fromCharCode(97 + random(26)).repeat(sizes[random(sizes.length)] as number);
      const kind = random(8);
      if (kind < 4) {
        stream += kind === 0 ? command('SET', key, value, 'PX', '9999999') : command('SET', key, value);
        held.set(key, value);
        expected += '+OK\r\n';
      } else if (kind === 4) {
        stream += command('MSET', key, value, `${key}:2`, value);
        held.set(key, value).set(`${key}:2`, value);
        expected += '+OK\r\n';
      } else if (kind === 5) {
        stream += command('APPEND', key, value);
        held.set(key, (held.get(key) ?? '') + value);
        expected += `:${held.get(key)?.length}\r\n`;
      } else {
        stream += command('GET', key);
        const got = held.get(key);
        expected += got === undefined ? '$-1\r\n' : `$${got.length}\r\n${got}\r\n`;
      }
    }
    const pieces = [];
    for (let at = 0; at < stream.length; ) {
      const cut = [7, 1000, 16_384 + 40, 70_000, 300_000][random(5)] as number;
      pieces.push(stream.slice(at, at + 1 + random(cut)));
      at += (pieces.at(-1) as string).length;
    }
    // Compared by hand: a difference would be printed in full.
    expect((await exchange(pieces)) === `${expected}+OK\r\n`).toBe(true);
  });

  test('more arguments than the fast path takes', async () => {
    const pairs = Array.from({ length: 20_000 }, (_, i) => [`many:${i}`, String(i)]).flat();
    expect(await exchange([command('MSET', ...pairs), command('GET', 'many:19999')])).toBe(
      '+OK\r\n$5\r\n19999\r\n+OK\r\n',
    );
  });

  test('inline quoting', async () => {
    expect(await exchange([`echo """tes"t-'k'e"y"\r\n`, 'echo "\\x41\\n\\"" \r\n', "echo ''\n"])).toBe(
      '$8\r\ntest-key\r\n$3\r\nA\n"\r\n$0\r\n\r\n+OK\r\n',
    );
  });

  test('nothing behind QUIT is executed', async () => {
    await exchange([`${command('SET', 'quit', '1')}${command('QUIT')}${command('SET', 'quit', '2')}`], false);
    expect(await exchange([command('GET', 'quit')])).toBe('$1\r\n1\r\n+OK\r\n');
  });
});

describe('errors end the connection after what came before', () => {
  test.each([
    ['*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n', "expected '$', got 'f'"],
    ['*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$-10\r\n', 'invalid bulk length'],
    ['*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$2000000000\r\n', 'invalid bulk length'],
    ['*3000000000\r\n', 'invalid multibulk length'],
    ['*a\r\n', 'invalid multibulk length'],
    ['set "x\r\n', 'unbalanced quotes in request'],
    ['a'.repeat(70_000), 'too big inline request'],
    [`*${'1'.repeat(70_000)}`, 'too big mbulk count string'],
    [`*1\r\n$${'1'.repeat(70_000)}`, 'too big bulk count string'],
    ['*1\r\n$4\r\nPINGxx', 'invalid CRLF in request'],
  ])('%.20j', async (bytes, text) => {
    expect(await exchange([command('PING') + bytes], false)).toBe(
      `+PONG\r\n-ERR Protocol error: ${text}\r\n`,
    );
  });

  test('HTTP is not talked to', async () => {
    expect(await exchange(['POST / HTTP/1.1\r\nHost: x\r\n\r\nSET http 1\r\n'], false)).toBe('');
    expect(await exchange([command('GET', 'http')])).toBe('$-1\r\n+OK\r\n');
  });
});

describe('replies', () => {
  test('of a pipeline that outgrow the memory of a turn', async () => {
    const value = 'v'.repeat(10_000);
    const requests = [command('SET', 'large', value)];
    let expected = '+OK\r\n';
    for (let i = 0; i < 500; i++) {
      requests.push(command('GET', 'large'), command('ECHO', String(i)));
      expected += `$10000\r\n${value}\r\n$${String(i).length}\r\n${i}\r\n`;
    }
    // What follows QUIT is not answered, wherever the replies before it were cut.
    requests.push(command('QUIT'), command('GET', 'large').repeat(100));
    expect((await exchange([requests.join('')], false)) === `${expected}+OK\r\n`).toBe(true);
  });

  test('of a transaction that outgrow it', async () => {
    const value = 'w'.repeat(15_000);
    const gets = command('GET', 'wide').repeat(300);
    const answer = await exchange([
      command('SET', 'wide', value) + command('MULTI') + gets + command('EXEC'),
    ]);
    const expected = `+OK\r\n+OK\r\n${'+QUEUED\r\n'.repeat(300)}*300\r\n${`$15000\r\n${value}\r\n`.repeat(300)}+OK\r\n`;
    expect(answer === expected).toBe(true);
  });

  test('a slow reader gets everything', async () => {
    const value = 'w'.repeat(100_000);
    const socket = connect(server.port, '127.0.0.1');
    await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
    socket.write(command('SET', 'slow', value) + command('GET', 'slow').repeat(200) + command('QUIT'));
    // Nothing is read until the server cannot send any more: what is left must survive overwriting the key.
    const other = await server.connect();
    for (;;) {
      const text = (await other.send('CLIENT', 'LIST', 'SKIPME', 'yes')) as string;
      if (/ flags=c .* events=[^ ]*w/.test(text)) break;
    }
    await other.send('SET', 'slow', 'x'.repeat(100_000));
    let size = 0;
    let overwritten = false;
    socket.on('data', (chunk: Buffer) => {
      size += chunk.length;
      overwritten ||= chunk.includes('x');
    });
    await new Promise<void>((resolve) => socket.once('close', () => resolve()));
    other.close();
    expect(overwritten).toBe(false);
    expect(size).toBe('+OK\r\n'.length * 2 + 200 * (value.length + '$100000\r\n\r\n'.length));
  });
});
