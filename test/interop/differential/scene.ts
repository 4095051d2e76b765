/**
 * Scenes: several clients at once, on both servers. A step is one pipeline of one client; what it causes anywhere
 * (its replies, messages and invalidations to others, replies to clients that were blocked, closed connections) is
 * waited for and compared before the next step, byte for byte and in order.
 *
 * Replies cannot be counted for that, since a step may block and a push looks like a reply in RESP2. Instead the
 * server is asked: CLIENT LIST says what a client has sent and been sent, whether it is blocked, and how far it has
 * come. Once the acting client's bytes are all read and it has nothing left to run, a second list, which a later turn
 * of the server answers, is final: every byte that it counts has been written.
 */
import { connect, type Socket } from 'node:net';
import { Connection, type Endpoint } from './connection.js';
import { clientLineFields, type RuleName, rules } from './explained.js';
import type { Episode } from './grammar/pattern.js';
import type { Command, Mismatch, Sides } from './pair.js';
import { encode, FrameScanner, formatBytes, formatCommand, parseReply, type Reply, text } from './resp.js';

export interface SceneStep {
  readonly client: number;
  readonly commands: readonly Command[];
  /** Blocks for a moment and goes on by itself: its replies must be waited for, not its being blocked. */
  readonly brief?: true;
  /** Milliseconds to wait after it: something it set expires. */
  readonly pause?: number;
}

export interface SceneOptions {
  readonly name: string;
  readonly clients: number;
  readonly steps: readonly SceneStep[];
  readonly needs: readonly string[];
  /** Keys that are deleted in the end, since they expire. */
  readonly passing?: readonly string[];
}

const PATIENCE_MS = 15_000;
const FIRST_SIZE = 1 << 14;
const DATABASES = 16;

/** An argument that stands for the id of a client of the scene, which differs from server to server. */
export const idOf = (client: number): string => `<the id of client ${client}>`;
const ID_ARGUMENT = /^<the id of client (\d+)>$/;

/** One client's connection to one server: keeps what it is sent until it is looked at. */
class SceneClient {
  private buffer: Buffer = Buffer.allocUnsafeSlow(FIRST_SIZE);
  private filled = 0;
  private looked = 0;
  private dropped = 0;
  private wake: (() => void) | null = null;
  id = '';
  /** Bytes sent. */
  sent = 0;
  closed = false;

  private constructor(private readonly socket: Socket) {}

  static async open(endpoint: Endpoint): Promise<SceneClient> {
    const socket = await new Promise<Socket>((resolve, reject) => {
      const opened = connect({ host: endpoint.host, port: endpoint.port, noDelay: true });
      opened.once('error', reject);
      opened.once('connect', () => {
        opened.off('error', reject);
        resolve(opened);
      });
    });
    const client = new SceneClient(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => client.receive(chunk));
    socket.on('close', () => {
      client.closed = true;
      client.wake?.();
    });
    client.write(encode(['CLIENT', 'ID']));
    await client.until(() => client.filled > 3 && client.buffer[client.filled - 1] === 10);
    client.id = text(parseReply(client.take()));
    return client;
  }

  private receive(chunk: Buffer): void {
    if (this.looked === this.filled) {
      this.dropped += this.filled;
      this.looked = this.filled = 0;
    }
    if (this.filled + chunk.length > this.buffer.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.filled + chunk.length));
      this.buffer.copy(grown, 0, 0, this.filled);
      this.buffer = grown;
    }
    chunk.copy(this.buffer, this.filled);
    this.filled += chunk.length;
    this.wake?.();
  }

  write(bytes: string): void {
    this.sent += bytes.length;
    this.socket.write(bytes, 'latin1');
  }

  /** Bytes received since the beginning. */
  get received(): number {
    return this.dropped + this.filled;
  }

  async until(met: () => boolean): Promise<boolean> {
    if (met()) return true;
    const deadline = setTimeout(() => this.wake?.(), PATIENCE_MS);
    const end = Date.now() + PATIENCE_MS - 1;
    try {
      while (!met()) {
        if (Date.now() >= end) return false;
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
      }
      return true;
    } finally {
      clearTimeout(deadline);
      this.wake = null;
    }
  }

  /** What came since the last call; valid until more arrives. */
  take(): Buffer {
    const from = this.looked;
    this.looked = this.filled;
    return this.buffer.subarray(from, this.filled);
  }

  close(): void {
    this.socket.destroy();
  }
}

/** One side of a scene: all clients on one server, and who asks about them. */
class Stage {
  readonly ids = new Map<string, number>();

  private constructor(
    readonly clients: readonly SceneClient[],
    private readonly control: Connection,
  ) {
    clients.forEach(({ id }, index) => {
      this.ids.set(id, index);
    });
  }

  static async open(endpoint: Endpoint, clients: number): Promise<Stage> {
    const control = await Connection.open(endpoint);
    const opened: SceneClient[] = [];
    // One after the other: their ids are their order.
    for (let i = 0; i < clients; i++) opened.push(await SceneClient.open(endpoint));
    await control.call('DEBUG', 'SET-ACTIVE-EXPIRE', '0');
    return new Stage(opened, control);
  }

  /** The fields of every client that is still there, by its number in the scene. */
  async look(): Promise<Map<number, Map<string, string>>> {
    const list = text(await this.control.call('CLIENT', 'LIST', 'ID', ...this.clients.map(({ id }) => id)));
    const seen = new Map<number, Map<string, string>>();
    for (const line of list.split('\n')) {
      if (line === '') continue;
      const fields = clientLineFields(line);
      const index = this.ids.get(fields.get('id')!);
      if (index !== undefined) seen.set(index, fields);
    }
    return seen;
  }

  /** Sends a step and waits until nothing more can come of it. */
  async act(step: SceneStep): Promise<Map<number, Map<string, string>>> {
    const actor = this.clients[step.client]!;
    const expected = actor.received + 1;
    actor.write(step.commands.map(({ args }) => encode(this.arguments(args))).join(''));
    if (step.brief && !(await actor.until(() => actor.received >= expected || actor.closed))) {
      throw new Error('no reply to a command that waits for a moment');
    }
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const state = (await this.look()).get(step.client);
      if (state === undefined) break;
      const read = Number(state.get('tot-net-in')) >= actor.sent;
      const blocked = state.get('flags')!.includes('b');
      if (read && (blocked || Number(state.get('qbuf')) === 0)) break;
      if (Date.now() > deadline) throw new Error('a step is not read to its end');
    }
    if (step.pause !== undefined) await new Promise((resolve) => setTimeout(resolve, step.pause));
    const seen = await this.look();
    await this.collect(seen);
    return seen;
  }

  /** Waits for what the server says it has sent, and for the end of what it has closed. */
  private async collect(seen: Map<number, Map<string, string>>): Promise<void> {
    for (let i = 0; i < this.clients.length; i++) {
      const client = this.clients[i]!;
      const state = seen.get(i);
      const due = state === undefined ? 0 : Number(state.get('tot-net-out'));
      const met = state === undefined ? () => client.closed : () => client.received >= due || client.closed;
      if (!(await client.until(met))) throw new Error(`client ${i} did not get what was sent to it`);
    }
  }

  private arguments(args: readonly string[]): string[] {
    return args.map((arg) => {
      const id = ID_ARGUMENT.exec(arg);
      return id === null ? arg : this.clients[Number(id[1])]!.id;
    });
  }

  async close(passing: readonly string[]): Promise<void> {
    for (const client of this.clients) client.close();
    try {
      if (passing.length > 0) {
        const commands = Array.from({ length: DATABASES }, (_, database) => [
          ['SELECT', String(database)],
          ['DEL', ...passing],
        ]).flat();
        await this.control.exchange([commands.map(encode).join('')], commands.length);
      }
      await this.control.call('DEBUG', 'SET-ACTIVE-EXPIRE', '1');
    } finally {
      this.control.close();
    }
  }
}

function framesOf(bytes: Buffer): Buffer[] {
  const scanner = new FrameScanner();
  scanner.scan(bytes, bytes.length);
  const ends = [...scanner.ends, ...scanner.pushes.map(({ end }) => end)].sort((a, b) => a - b);
  const frames = ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1]!, end));
  if (scanner.consumed < bytes.length) frames.push(bytes.subarray(scanner.consumed));
  return frames;
}

const PATTERN_MESSAGE = /^[*>]4\r\n\$8\r\npmessage\r\n\$(\d+)\r\n/;

/**
 * A message that several patterns of a client match reaches it once for each, in the order of the hash seed: such
 * runs are sorted.
 */
function sortedRuns(frames: Buffer[]): Buffer[] {
  // The same channel and message: everything behind the pattern.
  const rest = (frame: Buffer): string | null => {
    const match = PATTERN_MESSAGE.exec(frame.toString('latin1', 0, 40));
    return match === null ? null : frame.toString('latin1', match[0].length + Number(match[1]));
  };
  const sorted: Buffer[] = [];
  let run: Buffer[] = [];
  let common: string | null = null;
  for (const frame of frames) {
    const own = rest(frame);
    if (own === null || own !== common) {
      sorted.push(...run.sort(Buffer.compare));
      run = [];
      common = own;
    }
    run.push(frame);
  }
  return [...sorted, ...run.sort(Buffer.compare)];
}

/** Numbers of clients instead of their ids; what MONITOR shows without time and address. */
function masked(reply: Reply, ids: ReadonlyMap<string, number>): Reply {
  if (Array.isArray(reply.value))
    return { type: reply.type, value: reply.value.map((item) => masked(item, ids)) };
  if (reply.value === null) return reply;
  if (reply.type === ':' && ids.has(reply.value))
    return { type: ':', value: `client ${ids.get(reply.value)}` };
  if (reply.type === '+') {
    const line = reply.value.replace(/^\d+\.\d{6} \[(\d+) [^\]]*\]/, '[$1]');
    const shown = (id: string): string => (ids.has(id) ? `client ${ids.get(id)}` : id);
    return { type: '+', value: line.replace(/"(\d+)"/g, (_, id: string) => `"${shown(id)}"`) };
  }
  return reply;
}

/** What explains a difference is not known by frame: any rule of the step may. */
function alike(a: Buffer, b: Buffer, stages: Sided<Stage>, allowed: ReadonlySet<RuleName>): boolean {
  if (a.equals(b)) return true;
  const [x, y] = [masked(parseReply(a), stages.subject.ids), masked(parseReply(b), stages.reference.ids)];
  if (JSON.stringify(x) === JSON.stringify(y)) return true;
  for (const name of allowed) if (rules[name].same(x, y)) return true;
  return false;
}

interface Sided<T> {
  readonly subject: T;
  readonly reference: T;
}

/** Fields of CLIENT LIST that both servers must agree on. */
const COMPARED = [
  ...['name', 'flags', 'capa', 'db', 'sub', 'psub', 'ssub', 'multi', 'watch', 'cmd', 'user', 'resp'],
  ...['lib-name', 'lib-ver', 'tot-cmds'],
];

function compareStates(stages: Sided<Stage>, seen: Sided<Map<number, Map<string, string>>>): Mismatch | null {
  for (let i = 0; i < stages.subject.clients.length; i++) {
    const [a, b] = [seen.subject.get(i), seen.reference.get(i)];
    if (a === undefined || b === undefined) {
      if (a === b) continue;
      const shown = (state: unknown): string => `client ${i} is ${state === undefined ? 'closed' : 'open'}`;
      return { index: -1, subject: shown(a), reference: shown(b) };
    }
    for (const field of COMPARED) {
      if (a.get(field) === b.get(field)) continue;
      const shown = (state: Map<string, string>): string => `client ${i}: ${field}=${state.get(field)}`;
      return { index: -1, subject: shown(a), reference: shown(b) };
    }
    const target = (stage: Stage, state: Map<string, string>): string => {
      const id = state.get('redir')!;
      return stage.ids.has(id) ? `client ${stage.ids.get(id)}` : id;
    };
    const [x, y] = [target(stages.subject, a), target(stages.reference, b)];
    if (x !== y)
      return { index: -1, subject: `client ${i}: redir=${x}`, reference: `client ${i}: redir=${y}` };
  }
  return null;
}

const rulesOf = (steps: readonly SceneStep[]): RuleName[] =>
  steps.flatMap(({ commands }) => commands.flatMap(({ rule }) => (rule === undefined ? [] : [rule])));

/** What EXEC answers is what the commands before it do. */
const rulesAt = (steps: readonly SceneStep[], i: number): ReadonlySet<RuleName> => {
  const step = steps[i]!;
  const executes = step.commands.some(({ args }) => args[0] === 'EXEC');
  return new Set(rulesOf(executes ? steps.slice(0, i + 1).filter((s) => s.client === step.client) : [step]));
};

function compareBytes(stages: Sided<Stage>, allowed: ReadonlySet<RuleName>): Mismatch | null {
  for (let i = 0; i < stages.subject.clients.length; i++) {
    const [a, b] = [stages.subject.clients[i]!.take(), stages.reference.clients[i]!.take()];
    if (a.equals(b)) continue;
    const [ours, theirs] = [sortedRuns(framesOf(a)), sortedRuns(framesOf(b))];
    for (let k = 0; k < Math.max(ours.length, theirs.length); k++) {
      const [x, y] = [ours[k], theirs[k]];
      if (x !== undefined && y !== undefined && alike(x, y, stages, allowed)) continue;
      const shown = (frame: Buffer | undefined): string =>
        `client ${i} gets ${frame === undefined ? 'nothing' : formatBytes(frame)}`;
      return { index: -1, subject: shown(x), reference: shown(y) };
    }
  }
  return null;
}

const shownStep = ({ client, commands, pause }: SceneStep): string => {
  const words = commands.map(({ args }) => formatCommand(args));
  return `(${client}) ${words.join(' ; ')}${pause === undefined ? '' : ` ; wait ${pause} ms`}`;
};

export function scene(options: SceneOptions): Episode {
  const { name, clients, steps, needs, passing = [] } = options;
  return {
    name,
    needs,
    size: steps.length,
    lines: steps.map(shownStep),
    without: (from, to) => scene({ ...options, steps: [...steps.slice(0, from), ...steps.slice(to)] }),
    run: async (_pair, sides: Sides, note): Promise<Mismatch | null> => {
      const [subject, reference] = await Promise.all([
        Stage.open(sides.subject, clients),
        Stage.open(sides.reference, clients),
      ]);
      const stages = { subject, reference };
      try {
        let state: Map<number, Map<string, string>> | null = null;
        for (let i = 0; i < steps.length; i++) {
          const step = steps[i]!;
          // A blocked client sends nothing, a closed one cannot; both servers agreed on who is which.
          const actor = state?.get(step.client);
          if (state !== null && (actor === undefined || actor.get('flags')!.includes('b'))) continue;
          const [a, b] = await Promise.all([subject.act(step), reference.act(step)]);
          const mismatch =
            compareBytes(stages, rulesAt(steps, i)) ?? compareStates(stages, { subject: a, reference: b });
          if (mismatch !== null) {
            return {
              index: -1,
              step: i,
              subject: `after ${shownStep(step)}: ${mismatch.subject}`,
              reference: mismatch.reference,
            };
          }
          for (const command of step.commands) note?.(command, '');
          state = a;
        }
        return null;
      } finally {
        await Promise.all([subject.close(passing), reference.close(passing)]);
      }
    },
  };
}
