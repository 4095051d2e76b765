import { connect, type Socket } from 'node:net';

/**
 * A RESP2 client for the few questions the benchmark asks a server between measurements: one command at a time,
 * replies that are a simple string, an integer, an error (rejects) or a bulk string.
 */
export class RespClient {
  private buffer = Buffer.alloc(0);
  private waiting: { resolve: (value: string) => void; reject: (error: Error) => void } | null = null;

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk) => {
      this.buffer = Buffer.concat([this.buffer, chunk]);
      this.deliver();
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
    if (this.waiting) return Promise.reject(new Error('one command at a time'));
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      const parts = args.map((a) => `$${Buffer.byteLength(a)}\r\n${a}\r\n`);
      this.socket.write(`*${args.length}\r\n${parts.join('')}`);
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private fail(error: Error): void {
    const waiting = this.waiting;
    this.waiting = null;
    waiting?.reject(error);
  }

  private deliver(): void {
    const end = this.buffer.indexOf('\r\n');
    if (end < 0 || !this.waiting) return;
    const line = this.buffer.toString('latin1', 1, end);
    const type = this.buffer.toString('latin1', 0, 1);
    let next = end + 2;
    let value = line;
    if (type === '$') {
      const length = Number(line);
      if (length >= 0) {
        if (this.buffer.length < next + length + 2) return;
        value = this.buffer.toString('utf8', next, next + length);
        next += length + 2;
      } else {
        value = '';
      }
    }
    this.buffer = this.buffer.subarray(next);
    const { resolve, reject } = this.waiting;
    this.waiting = null;
    if (type === '-') reject(new Error(value));
    else if (type === '+' || type === ':' || type === '$') resolve(value);
    else reject(new Error(`unexpected reply type ${type}`));
  }
}

/** The value of one field of an INFO reply. */
export function infoField(info: string, field: string): string | undefined {
  for (const line of info.split('\r\n')) {
    if (line.startsWith(`${field}:`)) return line.slice(field.length + 1);
  }
  return undefined;
}
