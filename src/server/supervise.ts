/**
 * Life under a supervisor: `supervised no|upstart|systemd|auto`.
 *
 * systemd is told through the datagram socket that NOTIFY_SOCKET names (sd_notify(3)): a path or, with a
 * leading `@`, a name in the abstract namespace. upstart is told by stopping ourselves once.
 */
import type { Log } from '../observability/log.js';
import type { ProcessCalls } from './startup.js';

export type SupervisedMode = 'no' | 'upstart' | 'systemd' | 'auto';

/** What systemd is told, in the order of a server's life. */
export const notifyMessages = {
  loading: 'STATUS=Kvasir is loading...\n',
  /** MAINPID: the service may have been started through a wrapper (npm, a shell). */
  ready: (pid: number) => `READY=1\nMAINPID=${pid}\n`,
  accepting: 'STATUS=Ready to accept connections\n',
  acceptingReadOnly:
    'STATUS=Ready to accept connections in read-only mode. Waiting for MASTER <-> REPLICA sync\n',
  stopping: 'STOPPING=1\n',
  status: (text: string) => `STATUS=${text.replace(/\n/g, ' ')}\n`,
} as const;

export interface SuperviseEnvironment {
  env: NodeJS.ProcessEnv;
  send: ProcessCalls['unixDatagramSend'];
  /** Stops this process until somebody continues it. */
  stop: () => void;
}

/** The supervisor of this process. `active` is what is really there, whatever was configured. */
export class Supervisor {
  readonly active: 'none' | 'upstart' | 'systemd';
  readonly #log: Log;
  readonly #around: SuperviseEnvironment;

  /** Detects, reports the start, and logs what it found, as Valkey does before it would go to the background. */
  constructor(log: Log, configured: SupervisedMode, around: SuperviseEnvironment) {
    this.#log = log;
    this.#around = around;
    let mode = configured;
    if (mode === 'auto') {
      if (around.env.UPSTART_JOB !== undefined) {
        log.verbose('Upstart supervision detected.');
        mode = 'upstart';
      } else if (around.env.NOTIFY_SOCKET !== undefined) {
        log.verbose('Systemd supervision detected.');
        mode = 'systemd';
      }
    }
    if (mode === 'upstart' && this.#startUpstart()) this.active = 'upstart';
    else if (mode === 'systemd' && this.#startSystemd()) this.active = 'systemd';
    else this.active = 'none';
  }

  /** The server takes requests. A replica that has no data yet only reads. */
  ready(waitingForPrimary: boolean): void {
    this.notify(waitingForPrimary ? notifyMessages.acceptingReadOnly : notifyMessages.accepting);
    this.notify(notifyMessages.ready(process.pid));
  }

  /** Tells systemd; nothing happens without one. */
  notify(message: string): void {
    if (this.active === 'systemd') this.#send(message);
  }

  #send(message: string): boolean {
    const socket = this.#around.env.NOTIFY_SOCKET;
    if (socket === undefined || socket === '') {
      this.#log.warning('systemd supervision error: NOTIFY_SOCKET not found!');
      return false;
    }
    if (!/^[/@]./.test(socket) || !this.#around.send(socket, message)) {
      this.#log.warning(`systemd supervision error: cannot send to ${socket}`);
      return false;
    }
    return true;
  }

  #startSystemd(): boolean {
    if (!this.#send(notifyMessages.loading)) return false;
    this.#log.notice(
      'Supervised by systemd. Please make sure you set appropriate values for TimeoutStartSec and TimeoutStopSec ' +
        'in your service unit.',
    );
    return true;
  }

  #startUpstart(): boolean {
    if (this.#around.env.UPSTART_JOB === undefined) {
      this.#log.warning('upstart supervision requested, but UPSTART_JOB not found!');
      return false;
    }
    this.#log.notice('supervised by upstart, will stop to signal readiness.');
    this.#around.stop();
    delete this.#around.env.UPSTART_JOB;
    return true;
  }
}
