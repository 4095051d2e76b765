import { connect, type Socket } from 'node:net';

interface Waiting {
  resolve: (value: string) => void;
  reject: (error: Error) => void;
}

function encode(args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((a) => `$${Buffer.byteLength(a)}\r\n${a}\r\n`).join('')}`;
}

/**
 * A RESP2 client for what the benchmark asks a server between measurements: replies that are a simple string, an
 * integer, an error (rejects), a bulk string or an array of strings and integers (as lines).
 */
export class RespClient {
  private buffer = Buffer.alloc(0);
  private readonly waiting: Waiting[] = [];

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk) => {
      this.buffer = this.buffer.length === 0 ? chunk : Buffer.concat([this.buffer, chunk]);
      let at = 0;
      for (let end = this.deliver(at); end !== null; end = this.deliver(at)) at = end;
      this.buffer = this.buffer.subarray(at);
    });
    socket.on('error', (error) => this.fail(error));
    socket.on('close', () => this.fail(new Error('the server closed the connection')));
  }

  static open(port: number): Promise<RespClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RespClient(socket));
      });
    });
  }

  command(...args: string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      this.socket.write(encode(args));
    });
  }

  /** Sends all commands without waiting in between; their replies. */
  pipeline(commands: readonly (readonly string[])[]): Promise<string[]> {
    const replies = commands.map(
      () => new Promise<string>((resolve, reject) => this.waiting.push({ resolve, reject })),
    );
    this.socket.write(commands.map(encode).join(''));
    return Promise.all(replies);
  }

  close(): void {
    this.socket.destroy();
  }

  private fail(error: Error): void {
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }

  /** Reads one reply from `at` on; where it ends, or null if it has not arrived whole. */
  private read(at: number): { value: string; error: boolean; end: number } | null {
    const line = this.buffer.indexOf('\r\n', at);
    if (line < 0) return null;
    const type = this.buffer.toString('latin1', at, at + 1);
    const text = this.buffer.toString('latin1', at + 1, line);
    let end = line + 2;
    if (type === '+' || type === ':' || type === '-') return { value: text, error: type === '-', end };
    const length = Number(text);
    if (type === '$') {
      if (length < 0) return { value: '', error: false, end };
      if (this.buffer.length < end + length + 2) return null;
      return { value: this.buffer.toString('utf8', end, end + length), error: false, end: end + length + 2 };
    }
    if (type !== '*') return { value: `unexpected reply type ${type}`, error: true, end };
    const items: string[] = [];
    for (let i = 0; i < length; i++) {
      const item = this.read(end);
      if (item === null) return null;
      items.push(item.value);
      end = item.end;
    }
    return { value: items.join('\n'), error: false, end };
  }

  private deliver(at: number): number | null {
    const next = this.waiting[0];
    if (!next || at >= this.buffer.length) return null;
    const reply = this.read(at);
    if (reply === null) return null;
    this.waiting.shift();
    if (reply.error) next.reject(new Error(reply.value));
    else next.resolve(reply.value);
    return reply.end;
  }
}

/** The value of one field of an INFO reply. */
export function infoField(info: string, field: string): string | undefined {
  for (const line of info.split('\r\n')) {
    if (line.startsWith(`${field}:`)) return line.slice(field.length + 1);
  }
  return undefined;
}

/** Calls and microseconds of one command in a reply to `INFO commandstats`; zeros if it was not called. */
export function commandStats(info: string, command: string): { calls: number; usec: number } {
  const match = /^calls=(\d+),usec=(\d+),/.exec(infoField(info, `cmdstat_${command}`) ?? '');
  return { calls: Number(match?.[1] ?? 0), usec: Number(match?.[2] ?? 0) };
}
