/** Finding and running the two servers that are compared. */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Connection, type Endpoint } from './connection.js';

/** Both servers get exactly these, so that no reply can differ for the sake of the configuration. */
const OPTIONS = [
  ...['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--databases', '16'],
  ...['--enable-debug-command', 'yes', '--enable-protected-configs', 'yes', '--loglevel', 'notice'],
];

const START_PATIENCE_MS = 20_000;

/** The real server's binary: $VALKEY_PEER/bin, ~/.cache/valkey-peer/bin, then PATH; null when there is none. */
export function findValkey(): string | null {
  const folders = [
    ...(process.env.VALKEY_PEER ? [join(process.env.VALKEY_PEER, 'bin')] : []),
    join(homedir(), '.cache/valkey-peer/bin'),
    ...(process.env.PATH ?? '').split(delimiter),
  ];
  for (const folder of folders) {
    const candidate = join(folder, 'valkey-server');
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not here: look on.
    }
  }
  return null;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        address !== null && typeof address === 'object'
          ? resolve(address.port)
          : reject(new Error('no port')),
      );
    });
  });
}

export class Server {
  private constructor(
    readonly endpoint: Endpoint,
    private readonly child: ChildProcess,
    readonly folder: string,
  ) {}

  /** Starts `binary` on a free port and waits until it answers PING. */
  static async start(binary: string, options: readonly string[] = []): Promise<Server> {
    const folder = mkdtempSync(join(tmpdir(), 'kvasir-differential-'));
    const endpoint = { host: '127.0.0.1', port: await freePort() };
    const log = join(folder, 'log');
    const child = spawn(
      binary,
      ['--port', String(endpoint.port), '--dir', folder, '--logfile', log, ...OPTIONS, ...options],
      {
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    );
    let failure: string | null = null;
    child.once('error', (error) => {
      failure = error.message;
    });
    child.once('exit', (code, signal) => {
      failure = `exited with ${code ?? signal}`;
    });
    const server = new Server(endpoint, child, folder);
    const deadline = Date.now() + START_PATIENCE_MS;
    for (;;) {
      try {
        const probe = await Connection.open(endpoint);
        const reply = await probe.call('PING');
        probe.close();
        if (reply.value === 'PONG') return server;
      } catch {
        // Not listening yet.
      }
      if (failure !== null || Date.now() > deadline) {
        const tail = server.logTail();
        await server.stop();
        throw new Error(`${binary} did not start: ${failure ?? 'no answer to PING'}\n${tail}`);
      }
      await new Promise((next) => setTimeout(next, 25));
    }
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** The last lines of the server's log, for reports. */
  logTail(lines = 30): string {
    const log = join(this.folder, 'log');
    return existsSync(log) ? readFileSync(log, 'latin1').split('\n').slice(-lines).join('\n') : '';
  }

  async stop(): Promise<void> {
    if (this.alive && this.child.pid !== undefined) {
      const gone = new Promise((resolve) => this.child.once('exit', resolve));
      this.child.kill('SIGKILL');
      await gone;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
