/**
 * Our server as a program, for tests over real sockets.
 *
 *   const server = await startKvasir(['--maxclients', '100']);   // a free port of the loopback interface
 *   const client = await server.connect();
 *   …
 *   await server.stop();                                         // SIGTERM; throws unless it exits with 0
 *
 * It needs what `npm run build` makes: dist/ and the addon.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RespClient, type RespClientOptions } from './resp-client.js';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The program, as a user would call it. */
export const KVASIR_SERVER = join(root, 'bin/kvasir-server');

const READY = 'Ready to accept connections';
const PORT_TAKEN = 'Failed listening on port';
const START_MS = 20_000;
const STOP_MS = 10_000;

export interface KvasirSettings {
  /** Listen on a Unix socket (`path`) as well. */
  unix?: boolean;
  /** Listen here; without it a free port is looked for. 0: no TCP. */
  port?: number;
  /** Flags for Node itself, such as --expose-gc. */
  nodeFlags?: readonly string[];
  env?: NodeJS.ProcessEnv;
  /** What to start instead of Node with the program: a command such as `ip netns exec NAME`, put before them. */
  wrapper?: readonly string[];
}

export class RunningKvasir {
  #child: ChildProcess;
  #log = '';
  #exited: Promise<unknown>;
  /** Who waits for the log to grow. */
  readonly #waiting = new Set<() => void>();

  private constructor(
    readonly port: number,
    /** The Unix socket; '' without one. */
    readonly path: string,
    /** Its working directory, removed at the end. */
    readonly directory: string,
    private readonly options: readonly string[],
    private readonly settings: KvasirSettings,
  ) {
    this.#child = this.#spawn();
    this.#exited = once(this.#child, 'exit');
  }

  static async start(options: readonly string[], settings: KvasirSettings): Promise<RunningKvasir> {
    // Between the probe and the server's bind somebody else can take the port.
    for (let attempt = 1; ; attempt++) {
      const port = settings.port ?? (await freePort());
      const directory = mkdtempSync(join(tmpdir(), 'kvasir-'));
      const path = settings.unix ? join(directory, 'kvasir.sock') : '';
      const server = new RunningKvasir(port, path, directory, options, settings);
      try {
        await server.#ready();
        return server;
      } catch (error) {
        await server.kill();
        if (settings.port !== undefined || attempt === 5 || !server.log.includes(PORT_TAKEN)) throw error;
      }
    }
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Everything it has written to standard output and standard error, over all restarts. */
  get log(): string {
    return this.#log;
  }

  connect(options: RespClientOptions = {}): Promise<RespClient> {
    return RespClient.connect({
      ...(this.port === 0 ? { path: this.path } : { port: this.port }),
      ...options,
    });
  }

  /** Resolves when the log, from character `from` on, matches. */
  async logged(pattern: RegExp, from = 0, timeoutMs = 10_000): Promise<RegExpExecArray> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const match = pattern.exec(this.#log.slice(from));
      if (match !== null) return match;
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`not logged in ${timeoutMs} ms: ${pattern}\n${this.#log}`);
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, left);
        this.#waiting.add(wake);
      });
    }
  }

  /** Ends it as an operator would. @throws unless it exits with code 0. */
  async stop(signal: 'SIGTERM' | 'SIGINT' = 'SIGTERM'): Promise<void> {
    await this.#end(signal);
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Ends it without a chance to say goodbye. */
  async kill(): Promise<void> {
    if (this.#running) {
      this.#child.kill('SIGKILL');
      await this.#exited;
    }
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Ends it and starts it again: same address, same options, same directory. */
  async restart(): Promise<void> {
    await this.#end('SIGTERM');
    const from = this.#log.length;
    this.#child = this.#spawn();
    this.#exited = once(this.#child, 'exit');
    await this.#ready(from);
  }

  /** Resolves with [code, signal] once it has ended by itself. */
  async exit(): Promise<[number | null, NodeJS.Signals | null]> {
    await this.#exited;
    return [this.#child.exitCode, this.#child.signalCode];
  }

  get #running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#running) this.#child.kill(signal);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await this.#exited;
    clearTimeout(timer);
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== 0) {
      throw new Error(`kvasir-server ended with ${signalCode ?? exitCode} after ${signal}:\n${this.#log}`);
    }
  }

  #spawn(): ChildProcess {
    const { nodeFlags = [], wrapper = [], env } = this.settings;
    const [program, ...args] = [
      ...wrapper,
      process.execPath,
      ...nodeFlags,
      KVASIR_SERVER,
      ...['--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', this.directory, '--save', ''],
      ...(this.path === '' ? [] : ['--unixsocket', this.path]),
      ...this.options,
    ];
    const child = spawn(program!, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      cwd: this.directory,
    });
    const read = (chunk: Buffer) => {
      this.#log += chunk.toString('latin1');
      for (const wake of this.#waiting) wake();
    };
    child.stdout!.on('data', read);
    child.stderr!.on('data', read);
    return child;
  }

  /** Waits for one line of readiness per kind of listener. */
  async #ready(from = 0): Promise<void> {
    const kinds = Number(this.port !== 0) + Number(this.path !== '');
    const ended = this.#exited.then(() => {
      throw new Error(`kvasir-server does not start:\n${this.#log.slice(from)}`);
    });
    const pattern = new RegExp(`(?:${READY}[^]*?){${kinds}}`);
    await Promise.race([this.logged(pattern, from, START_MS), ended]);
    ended.catch(() => {});
  }
}

/**
 * Starts a server with nothing on disk and waits until it serves.
 * @param options its command line, after address and directory
 */
export function startKvasir(
  options: readonly string[] = [],
  settings: KvasirSettings = {},
): Promise<RunningKvasir> {
  return RunningKvasir.start(options, settings);
}

export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Runs the program to its end: --version, --help, configurations it refuses. */
export async function runKvasir(
  args: readonly string[],
  { stdin = '', env = {}, cwd = tmpdir() }: { stdin?: string; env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<Finished> {
  const child = spawn(process.execPath, [KVASIR_SERVER, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    cwd,
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), START_MS);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString('latin1');
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('latin1');
  });
  // A program that reads no standard input may be gone before we have written it.
  child.stdin.on('error', () => {});
  child.stdin.end(stdin, 'latin1');
  await once(child, 'close');
  clearTimeout(timer);
  return { code: child.exitCode, signal: child.signalCode, stdout, stderr };
}

/** A port of the loopback interface that nobody listened on a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
