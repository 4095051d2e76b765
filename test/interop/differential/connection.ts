/**
 * A pipelined connection made for throughput: one growing buffer an exchange, replies located but not built, and
 * no event objects per reply. `exchange` sends bytes and resolves when as many replies as expected have arrived,
 * the peer has closed, or time is up; the caller compares buffers.
 */
import { connect, type Socket } from 'node:net';
import { encode, FrameScanner, ProtocolViolation, parseReply, type Reply } from './resp.js';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Why an exchange ended. */
export type Outcome = 'complete' | 'closed' | 'timeout' | 'protocol violation';

const FIRST_SIZE = 1 << 16;
const READ_SIZE = 1 << 18;

export class Connection {
  private socket!: Socket;
  private buffer: Buffer = Buffer.allocUnsafeSlow(FIRST_SIZE);
  private filled = 0;
  private readonly scanner = new FrameScanner();
  private expected = 0;
  private settle: ((outcome: Outcome) => void) | null = null;
  private timer: NodeJS.Timeout | null = null;
  /** The peer has closed or reset the connection. */
  closed = false;
  /** Explains a `protocol violation`. */
  violation = '';

  private constructor(private readonly patience: number) {}

  static open(endpoint: Endpoint, patience = 15_000): Promise<Connection> {
    const connection = new Connection(patience);
    return new Promise((resolve, reject) => {
      const socket = connect({
        host: endpoint.host,
        port: endpoint.port,
        noDelay: true,
        onread: {
          buffer: Buffer.allocUnsafeSlow(READ_SIZE),
          callback: (size, chunk) => {
            connection.receive(chunk as Buffer, size);
            return true;
          },
        },
      });
      connection.socket = socket;
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        // A reset is an ordinary way for a server to close; 'close' follows.
        socket.on('error', () => {});
        resolve(connection);
      });
      socket.once('close', () => {
        connection.closed = true;
        connection.finish('closed');
      });
    });
  }

  /** The local port, by which the server's CLIENT LIST knows us. */
  get localPort(): number {
    return this.socket.localPort ?? 0;
  }

  /**
   * Sends the pieces one write each, the later ones in later turns of the loop, and waits for `expected` replies
   * (Infinity: until the peer closes). Earlier replies are forgotten; surplus bytes of the previous exchange are
   * reported by `surplus` before the call.
   */
  exchange(pieces: readonly string[], expected: number): Promise<Outcome> {
    this.filled = 0;
    this.scanner.reset();
    this.expected = expected;
    if (this.closed) return Promise.resolve('closed');
    return new Promise((resolve) => {
      this.settle = resolve;
      this.timer = setTimeout(() => this.finish('timeout'), this.patience);
      void this.send(pieces);
      if (expected === 0) setImmediate(() => this.finish('complete'));
    });
  }

  private async send(pieces: readonly string[]): Promise<void> {
    for (let i = 0; i < pieces.length; i++) {
      if (i > 0) await new Promise((next) => setImmediate(next));
      if (this.closed) return;
      this.socket.write(pieces[i]!, 'latin1');
    }
  }

  private receive(chunk: Buffer, size: number): void {
    if (this.filled + size > this.buffer.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.filled + size));
      this.buffer.copy(grown, 0, 0, this.filled);
      this.buffer = grown;
    }
    chunk.copy(this.buffer, this.filled, 0, size);
    this.filled += size;
    try {
      this.scanner.scan(this.buffer, this.filled);
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      this.violation = error.message;
      this.finish('protocol violation');
      return;
    }
    if (this.scanner.ends.length >= this.expected) this.finish('complete');
  }

  private finish(outcome: Outcome): void {
    const settle = this.settle;
    if (settle === null) return;
    this.settle = null;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    settle(outcome);
  }

  get replyCount(): number {
    return this.scanner.ends.length;
  }

  /** All bytes since the exchange began, pushes and incomplete frames included. A view, valid until the next one. */
  get received(): Buffer {
    return this.buffer.subarray(0, this.filled);
  }

  /** The bytes of one reply of the current exchange. A view, valid until the next exchange. */
  frame(index: number): Buffer {
    const { ends, pushes } = this.scanner;
    let start = index === 0 ? 0 : ends[index - 1]!;
    for (const push of pushes) if (push.before === index) start = push.end;
    return this.buffer.subarray(start, ends[index]!);
  }

  /** The unasked messages of the current exchange, in order, each with the number of replies before it. */
  get pushed(): string[] {
    return this.scanner.pushes.map(
      (push) => `${push.before} ${this.buffer.toString('latin1', push.start, push.end)}`,
    );
  }

  /** One command, its reply parsed. For control connections and episodes, which are not hot. */
  async call(...args: string[]): Promise<Reply> {
    const outcome = await this.exchange([encode(args)], 1);
    if (outcome !== 'complete')
      throw new Error(`${args.slice(0, 3).join(' ')}: ${outcome} ${this.violation}`);
    return parseReply(this.frame(0));
  }

  close(): void {
    this.finish('closed');
    this.socket.destroy();
  }
}
