/**
 * `daemonize yes`. Node cannot fork, so the server goes to the background by starting itself again: same
 * program and arguments, a session of its own, standard streams on /dev/null. The environment variable below
 * tells the second process that it is the daemon, and which descriptor leads back to the first one.
 *
 * The first process waits until the daemon is ready or gone and exits with 0 or with the daemon's exit code,
 * so `kvasir-server --daemonize yes && valkey-cli ping` works, and a port that is taken is seen by the caller.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import type { Readable } from 'node:stream';

const MARKER = 'KVASIR_DAEMON_FD';
const READY_FD = 3;

/** The daemon's side of the way back; null in any process that was not started by `startDaemon`. */
export class DaemonSide {
  #fd: number;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** Looks for the marker and removes it, so that no child of ours inherits it. */
  static detect(env: NodeJS.ProcessEnv = process.env): DaemonSide | null {
    const fd = Number(env[MARKER]);
    delete env[MARKER];
    return fd === READY_FD ? new DaemonSide(fd) : null;
  }

  /** Lets the first process exit with 0. A second call does nothing. */
  ready(): void {
    if (this.#fd < 0) return;
    const fd = this.#fd;
    this.#fd = -1;
    try {
      writeSync(fd, '+');
    } catch {
      // The first process was killed meanwhile; the daemon lives on, as it would after fork.
    }
    closeSync(fd);
  }
}

export interface DaemonCommand {
  /** What to run: Node's own path by default. */
  execPath?: string;
  /** Node's flags, the program and its arguments. */
  args: readonly string[];
  /** Where the server was started: relative paths in `args` are meant from here, whatever `dir` says. */
  cwd: string;
  /** What was read from standard input (one character per byte), for a server configured there. */
  stdin?: string | undefined;
  env?: NodeJS.ProcessEnv;
}

/** @returns the exit code for the first process. */
export function startDaemon(command: DaemonCommand): Promise<number> {
  const nowhere = openSync('/dev/null', 'r+');
  const child = spawn(command.execPath ?? process.execPath, command.args, {
    cwd: command.cwd,
    detached: true,
    env: { ...(command.env ?? process.env), [MARKER]: String(READY_FD) },
    stdio: [command.stdin === undefined ? nowhere : 'pipe', nowhere, nowhere, 'pipe'],
  });
  closeSync(nowhere);
  // A daemon that dies before it has read its configuration is seen by its exit code, not by EPIPE.
  child.stdin?.on('error', () => {});
  child.stdin?.end(command.stdin, 'latin1');
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
    (child.stdio[READY_FD] as Readable).once('data', () => {
      child.unref();
      resolve(0);
    });
  });
}
