/** The real Valkey beside us, for differential tests: where its server is, and one of it running for a test. */

import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from './kvasir.js';
import { RespClient } from './resp-client.js';

/** The path of valkey-server: in $VALKEY_PEER/bin, ~/.cache/valkey-peer/bin or on PATH. */
export function findValkeyServer(): string | undefined {
  const directories = [
    ...(process.env.VALKEY_PEER ? [join(process.env.VALKEY_PEER, 'bin')] : []),
    join(homedir(), '.cache', 'valkey-peer', 'bin'),
    ...(process.env.PATH ?? '').split(delimiter),
  ];
  for (const directory of directories) {
    const path = join(directory, 'valkey-server');
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not here; the next one
    }
  }
  return undefined;
}

export interface RunningValkey {
  readonly port: number;
  connect(options?: { timeoutMs?: number; statuses?: boolean }): Promise<RespClient>;
  stop(): Promise<void>;
}

/** Starts a server with nothing on disk, on a free port of the loopback interface, and waits until it serves. */
export async function startValkey(binary: string, options: readonly string[] = []): Promise<RunningValkey> {
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), 'valkey-peer-'));
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', directory, '--save', '', ...options];
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await exited;
    }
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await ready(child);
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, connect: (clientOptions) => RespClient.connect({ port, ...clientOptions }), stop };
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = '';
    const timer = setTimeout(() => reject(new Error(`valkey-server does not serve:\n${output}`)), 10_000);
    const settle = (settled: () => void) => {
      clearTimeout(timer);
      settled();
    };
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('Ready to accept connections')) settle(resolve);
    };
    child.stdout!.on('data', read);
    child.stderr!.on('data', read);
    child.once('error', (error) => settle(() => reject(error)));
    child.once('exit', () => settle(() => reject(new Error(`valkey-server has ended:\n${output}`))));
  });
}
