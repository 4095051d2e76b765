/** CLIENT, AUTH, HELLO, limits on clients and what CONFIG SET does to listeners, over real sockets. */
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { freePort, type RunningKvasir, startKvasir } from '../support/kvasir.js';
import { RespClient, RespError, type RespValue } from '../support/resp-client.js';

let server: RunningKvasir;
const open: RespClient[] = [];

beforeAll(async () => {
  server = await startKvasir(['--unixsocketperm', '700'], { unix: true });
});
afterAll(() => server.stop());
afterEach(() => {
  for (const client of open.splice(0)) client.close();
});

async function client(options = {}): Promise<RespClient> {
  const one = await server.connect(options);
  open.push(one);
  return one;
}

/** The fields of one line of CLIENT LIST. */
function fields(line: string): Record<string, string> {
  return Object.fromEntries(
    line.split(' ').map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
}

async function list(by: RespClient, ...filter: string[]): Promise<Record<string, string>[]> {
  const text = (await by.send('CLIENT', 'LIST', ...filter)) as string;
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map(fields);
}

/** Asks until the answer is as wanted. */
async function until(ask: () => Promise<boolean>, timeoutMs = 5000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await ask())) {
    if (Date.now() > deadline) throw new Error('the condition did not come about');
  }
}

function message(value: RespValue): string {
  expect(value).toBeInstanceOf(RespError);
  return (value as RespError).message;
}

const FIELDS =
  'id addr laddr fd name age idle flags capa db sub psub ssub multi watch qbuf qbuf-free argv-mem multi-mem rbs rbp ' +
  'obl oll omem tot-mem events cmd user redir resp lib-name lib-ver tot-net-in tot-net-out tot-cmds';

describe('CLIENT LIST', () => {
  test('has every field in order and the running command as it is', async () => {
    const c = await client();
    const line = ((await c.send('CLIENT', 'INFO')) as string).trimEnd();
    expect(
      line
        .split(' ')
        .map((pair) => pair.split('=')[0])
        .join(' '),
    ).toBe(FIELDS);
    const f = fields(line);
    expect(f).toMatchObject({ cmd: 'client|info', 'argv-mem': '10', flags: 'N', qbuf: '0', 'tot-cmds': '0' });
    expect(f.laddr).toBe(`127.0.0.1:${server.port}`);
    expect(f['tot-net-in']).toBe(String('*2\r\n$6\r\nCLIENT\r\n$4\r\nINFO\r\n'.length));
  });

  test('names of any length are shown whole', async () => {
    const c = await client();
    await c.send('CLIENT', 'SETNAME', 'n'.repeat(5000));
    expect((await list(c, 'NAME', 'n'.repeat(5000))).map((f) => f.name)).toEqual(['n'.repeat(5000)]);
  });

  test('filters and their negations', async () => {
    const [a, b] = [await client(), await client({ path: server.path })];
    await a.send('CLIENT', 'SETNAME', 'alpha');
    await a.send('SELECT', 2);
    await b.send('CLIENT', 'SETNAME', 'beta');
    await b.send('CLIENT', 'SETINFO', 'LIB-NAME', 'lib');
    await b.send('CLIENT', 'CAPA', 'redirect');
    const names = async (...filter: string[]) => (await list(a, ...filter)).map((f) => f.name).sort();
    expect(await names('NAME', 'alpha')).toEqual(['alpha']);
    expect(await names('NOT-NAME', 'alpha')).toEqual(['beta']);
    expect(await names('DB', '2')).toEqual(['alpha']);
    expect(await names('NOT-DB', '2')).toEqual(['beta']);
    expect(await names('LIB-NAME', 'lib')).toEqual(['beta']);
    expect(await names('NOT-LIB-NAME', 'lib')).toEqual(['alpha']);
    expect(await names('CAPA', 'r')).toEqual(['beta']);
    expect(await names('FLAGS', 'U')).toEqual(['beta']);
    expect(await names('NOT-FLAGS', 'N')).toEqual(['beta']);
    expect(await names('IP', '127.0.0.1')).toEqual(['alpha']);
    expect(await names('NOT-IP', '127.0.0.1')).toEqual(['beta']);
    expect(await names('ADDR', `${server.path}:0`)).toEqual(['beta']);
    expect(await names('TYPE', 'normal', 'SKIPME', 'yes')).toEqual(['beta']);
    expect(await names('TYPE', 'replica')).toEqual([]);
    expect(await names('USER', 'default', 'NAME', 'beta')).toEqual(['beta']);
    const [idA, idB] = [await a.send('CLIENT', 'ID'), await b.send('CLIENT', 'ID')];
    expect(await names('ID', `${idA}`, `${idB}`, 'NAME', 'beta')).toEqual(['beta']);
    expect(await names('NOT-ID', `${idA}`)).toEqual(['beta']);
  });
});

describe('CLIENT KILL', () => {
  test('others at once, oneself after the reply', async () => {
    const [a, b] = [await client(), await client()];
    const id = await b.send('CLIENT', 'ID');
    const mine = await a.send('CLIENT', 'ID');
    // In one pipeline: the victim is gone for the command that follows.
    const [killed, again] = await a.pipeline([
      ['CLIENT', 'KILL', 'ID', `${id}`],
      ['CLIENT', 'KILL', 'ID', `${id}`],
    ]);
    expect([killed, again]).toEqual([1, 0]);
    await b.closed();
    expect(await a.send('CLIENT', 'KILL', 'ID', `${mine}`, 'SKIPME', 'no')).toBe(1);
    await a.closed();
  });
});

describe('CLIENT REPLY', () => {
  test('SKIP hides its own reply and the next', async () => {
    const c = await client();
    c.write(
      'CLIENT REPLY SKIP\r\nPING a\r\nPING b\r\nCLIENT REPLY OFF\r\nPING c\r\nCLIENT REPLY ON\r\nPING d\r\n',
    );
    expect([await c.readReply(), await c.readReply(), await c.readReply()]).toEqual(['b', 'OK', 'd']);
  });
});

describe('CLIENT PAUSE', () => {
  test('postpones writes until it ends by itself, in order, with nothing arriving', async () => {
    const [a, b] = [await client(), await client()];
    const started = Date.now();
    expect(await a.send('CLIENT', 'PAUSE', 300, 'WRITE')).toBe('OK');
    b.write('SET paused 1\r\nINCR paused\r\nGET paused\r\n');
    await until(async () => (await list(a, 'FLAGS', 'b')).length === 1);
    expect(await a.send('GET', 'paused')).toBe(null);
    expect([await b.readReply(), await b.readReply(), await b.readReply()]).toEqual(['OK', 2, '2']);
    expect(Date.now() - started).toBeGreaterThanOrEqual(299);
    expect(Date.now() - started).toBeLessThan(2000);
  });

  test('UNPAUSE resumes; a second pause never loosens the first', async () => {
    const [a, b] = [await client(), await client()];
    await a.send('CLIENT', 'PAUSE', 60_000, 'WRITE');
    await a.send('CLIENT', 'PAUSE', 10, 'WRITE');
    b.write('SET paused 5\r\n');
    await until(async () => (await list(a, 'FLAGS', 'b')).length === 1);
    expect(await a.send('CLIENT', 'UNPAUSE')).toBe('OK');
    expect(await b.readReply()).toBe('OK');
    expect(await list(a, 'FLAGS', 'b')).toEqual([]);
  });

  test('a paused client that leaves is noticed', async () => {
    const [a, b] = [await client(), await client()];
    await a.send('CLIENT', 'PAUSE', 60_000, 'WRITE');
    b.write('SET paused 6\r\n');
    await until(async () => (await list(a, 'FLAGS', 'b')).length === 1);
    b.close();
    await until(async () => (await list(a, 'FLAGS', 'b')).length === 0);
    await a.send('CLIENT', 'UNPAUSE');
    expect(await a.send('GET', 'paused')).not.toBe('6');
  });
});

describe('AUTH', () => {
  test('password, HELLO, RESET, and limits before it', async () => {
    const [admin, c] = [await client(), await client()];
    await admin.send('CONFIG', 'SET', 'requirepass', 'secret');
    try {
      const fresh = await client();
      expect(message(await fresh.send('PING'))).toBe('NOAUTH Authentication required.');
      expect(message(await fresh.send('HELLO', 3))).toMatch(/^NOAUTH HELLO must be called/);
      expect(message(await fresh.send('AUTH', 'wrong'))).toMatch(/^WRONGPASS/);
      expect(message(await fresh.send('AUTH', 'nobody', 'secret'))).toMatch(/^WRONGPASS/);
      const hello = await fresh.send('HELLO', 3, 'AUTH', 'default', 'secret', 'SETNAME', 'me');
      expect((hello as Map<string, RespValue>).get('proto')).toBe(3);
      expect(await fresh.send('CLIENT', 'GETNAME')).toBe('me');
      expect(await fresh.send('RESET')).toBe('RESET');
      expect(message(await fresh.send('PING'))).toBe('NOAUTH Authentication required.');
      // What was authenticated stays so.
      expect(await c.send('PING')).toBe('PONG');

      // More arguments than an unauthenticated client may send, behind AUTH in the same packet.
      const many = await client();
      const echo = `*12\r\n$4\r\nMGET\r\n${'$1\r\nx\r\n'.repeat(11)}`;
      many.write(`*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n${echo}`);
      expect(await many.readReply()).toBe('OK');
      expect(await many.readReply()).toEqual(Array(11).fill(null));
      const refused = await client();
      refused.write(echo);
      expect(message(await refused.readReply())).toMatch(/unauthenticated multibulk length/);
      await refused.closed();
    } finally {
      await admin.send('CONFIG', 'SET', 'requirepass', '');
    }
    expect(message(await c.send('AUTH', 'x'))).toMatch(/without any password configured/);
  });
});

describe('limits', () => {
  test('maxclients', async () => {
    const admin = await client();
    await admin.send('CONFIG', 'SET', 'maxclients', 2);
    try {
      await client();
      const refused = await client();
      expect(message(await refused.readReply())).toBe('ERR max number of clients reached');
      await refused.closed();
    } finally {
      await admin.send('CONFIG', 'SET', 'maxclients', 10_000);
    }
    expect(message(await admin.send('CONFIG', 'SET', 'maxclients', 2_000_000_000))).toMatch(
      /The operating system is not able to handle the specified number of clients, try with \d+/,
    );
  });

  test('query buffer', async () => {
    const admin = await client();
    await admin.send('CONFIG', 'SET', 'client-query-buffer-limit', 1024 * 1024);
    try {
      const c = await client();
      c.socket.on('error', () => {});
      c.write(`*2\r\n$4\r\nECHO\r\n$3000000\r\n${'x'.repeat(2_000_000)}`);
      await c.closed();
    } finally {
      await admin.send('CONFIG', 'SET', 'client-query-buffer-limit', 1024 ** 3);
    }
  });

  test('query buffer: also where one read brings a long argument to its end', async () => {
    const admin = await client();
    await admin.send('CONFIG', 'SET', 'client-query-buffer-limit', 1024 * 1024);
    try {
      const c = await client();
      c.socket.on('error', () => {});
      c.write(`*2\r\n$4\r\nECHO\r\n$2000000\r\n${'x'.repeat(2_000_000)}\r\n`);
      await c.closed();
    } finally {
      await admin.send('CONFIG', 'SET', 'client-query-buffer-limit', 1024 ** 3);
    }
  });

  test('what has been parsed of a request is no query buffer', async () => {
    const [admin, c] = [await client(), await client()];
    await c.send('CLIENT', 'SETNAME', 'halfway');
    const field = async (name: string) => {
      const list = String(await admin.send('CLIENT', 'LIST'));
      const line = list.split('\n').find((one) => one.includes(' name=halfway '))!;
      return Number(new RegExp(` ${name}=(\\d+)`).exec(line)![1]);
    };
    c.write(`*1\r\n$3000000\r\n${'v'.repeat(2_000_000)}`);
    await expect.poll(() => field('qbuf')).toBe(2_000_000);
    c.write(`${'v'.repeat(1_000_000)}\r\n`);
    await expect.poll(() => field('qbuf')).toBe(0);
  });

  test('a pipeline cannot pile up more replies than the hard limit', async () => {
    const [admin, c] = [await client(), await client()];
    await admin.send('SET', 'big', 'x'.repeat(15_000));
    await admin.send('CONFIG', 'SET', 'client-output-buffer-limit', 'normal 1000000 0 0');
    try {
      c.write('GET big\r\n'.repeat(1000));
      await c.closed();
    } finally {
      await admin.send('CONFIG', 'SET', 'client-output-buffer-limit', 'normal 0 0 0');
    }
  });

  test('idle clients are closed after the timeout', async () => {
    const [admin, c] = [await client(), await client()];
    await admin.send('CONFIG', 'SET', 'timeout', 1);
    try {
      await Promise.race([c.closed(), until(async () => (await admin.send('PING')) !== 'PONG', 8000)]);
    } finally {
      await admin.send('CONFIG', 'SET', 'timeout', 0);
    }
  });

  test('a pipeline gets one read a turn, so that it does not starve others', async () => {
    const [admin, greedy, other] = [await client(), await client(), await client()];
    const total = 50_000;
    // Both wait behind a pause, so that they start in the same turn whatever the machine is busy with.
    await admin.send('CLIENT', 'PAUSE', 60_000, 'WRITE');
    greedy.write('INCR n\r\n'.repeat(total));
    other.write('SET other 1\r\nGET n\r\n');
    await until(async () => (await list(admin, 'FLAGS', 'b')).length === 2);
    await admin.send('CLIENT', 'UNPAUSE');
    expect(await other.readReply()).toBe('OK');
    // 32 KB of eight bytes each were there from before, and as much may have been read since.
    expect(Number(await other.readReply())).toBeLessThanOrEqual((2 * 32 * 1024) / 8);
    for (let i = 1; i <= total; i++) expect(await greedy.readReply()).toBe(i);
  });
});

describe('listeners', () => {
  test('the permissions of the Unix socket', () => {
    expect(statSync(server.path).mode & 0o777).toBe(0o700);
  });

  test('CONFIG SET port and bind', async () => {
    const one = await startKvasir([], { unix: true });
    try {
      const admin = await one.connect({ path: one.path });
      const kept = await one.connect();
      const refused = async (port: number) => {
        const socket = connect(port, '127.0.0.1');
        const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
        return error.code;
      };
      const port = await freePort();
      expect(await admin.send('CONFIG', 'SET', 'port', port)).toBe('OK');
      expect(await refused(one.port)).toBe('ECONNREFUSED');
      const moved = await RespClient.connect({ port });
      expect([await moved.send('PING'), await kept.send('PING')]).toEqual(['PONG', 'PONG']);

      expect(message(await admin.send('CONFIG', 'SET', 'port', server.port))).toMatch(
        /Unable to listen on this port\. Check server logs\./,
      );
      expect(message(await admin.send('CONFIG', 'SET', 'bind', '999.999.999.999'))).toMatch(
        /Failed to bind to specified addresses\./,
      );
      const again = await RespClient.connect({ port });
      expect(await again.send('CONFIG', 'GET', 'port')).toEqual(['port', `${port}`]);

      // An optional address that this machine does not have is left out.
      expect(await admin.send('CONFIG', 'SET', 'bind', '127.0.0.1 -192.0.2.1')).toBe('OK');
      expect(await (await RespClient.connect({ port })).send('PING')).toBe('PONG');
      expect(message(await admin.send('CONFIG', 'SET', 'bind', '127.0.0.1 192.0.2.1'))).toMatch(
        /Failed to bind/,
      );

      expect(await admin.send('CONFIG', 'SET', 'port', 0)).toBe('OK');
      expect(await refused(port)).toBe('ECONNREFUSED');
      expect(await moved.send('PING')).toBe('PONG');
    } finally {
      await one.kill();
    }
  });
});
