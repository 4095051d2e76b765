/**
 * Our server in a directory that outlives it: for tests of what is found there by the next one, and of servers that do
 * not come up.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { freePort, KVASIR_SERVER } from './kvasir.js';
import { RespClient, type RespClientOptions } from './resp-client.js';

const READY = /Ready to accept connections/;
const START_MS = 20_000;

export class KvasirProcess {
  readonly #child: ChildProcess;
  #log = '';
  #wake: () => void = () => {};
  /** The exit code; null after a signal. */
  readonly exited: Promise<number | null>;

  private constructor(
    directory: string,
    options: readonly string[],
    readonly port: number,
  ) {
    this.#child = spawn(
      process.execPath,
      [
        ...[KVASIR_SERVER, '--port', `${port}`, '--bind', '127.0.0.1', '--dir', directory, '--save', ''],
        ...options,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], cwd: directory },
    );
    const read = (chunk: Buffer) => {
      this.#log += chunk.toString('latin1');
      this.#wake();
    };
    this.#child.stdout!.on('data', read);
    this.#child.stderr!.on('data', read);
    this.exited = new Promise((resolve) =>
      this.#child.once('close', (code) => {
        resolve(code);
        this.#wake();
      }),
    );
  }

  /** Does not wait for anything. */
  static async launch(directory: string, options: readonly string[]): Promise<KvasirProcess> {
    return new KvasirProcess(directory, options, await freePort());
  }

  /** Waits until it serves. */
  static async start(directory: string, options: readonly string[]): Promise<KvasirProcess> {
    const server = await KvasirProcess.launch(directory, options);
    await server.logged(READY);
    return server;
  }

  get log(): string {
    return this.#log;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  connect(options: RespClientOptions = {}): Promise<RespClient> {
    return RespClient.connect({ port: this.port, ...options });
  }

  async logged(pattern: RegExp, timeoutMs = START_MS): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    let ended = false;
    void this.exited.then(() => {
      ended = true;
    });
    while (!pattern.test(this.#log)) {
      const left = deadline - Date.now();
      if (left <= 0 || ended) throw new Error(`not logged: ${pattern}\n${this.#log}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.#child.kill(signal);
    await this.exited;
  }
}
