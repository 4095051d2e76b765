/**
 * How a server ends (Valkey: sigShutdownHandler, prepareForShutdown, finishShutdown, abortShutdown).
 *
 *   serving --signal--> asked --tick--> draining --in sync or timeout--> finishing --> exit(0)
 *   serving --SHUTDOWN---------------->                                      |
 *      ^---------------- abort, or a step that refuses ----------------------'
 *
 * Invariants: the process exits only after every step agreed or FORCE overruled it; a refused or aborted
 * shutdown leaves a server that serves; a second SIGINT always ends the process at once.
 *
 * The steps (fsync the AOF, save the RDB, stop background jobs ...) belong to the rooms that own the data:
 * each hands in one `ShutdownStep`, and they run in the order given.
 */
import type { ShutdownControl } from '../commands/context.js';
import type { ShutdownFlags, ShutdownOutcome, ShutdownWord } from '../commands/shutdown.js';
import type { Log } from '../observability/log.js';
import type { PidFile } from './startup.js';
import { notifyMessages } from './supervise.js';

export type { ShutdownFlags, ShutdownOutcome, ShutdownWord };

export interface ShutdownStep {
  /**
   * Does its part of the end, synchronously.
   * @param report tells the supervisor what is going on ("Saving the final RDB snapshot").
   * @returns null when done; a reason like "Error trying to save the DB" when ending now would lose data.
   */
  run(flags: ShutdownFlags, report: (status: string) => void): string | null;
}

/** Replicas get time to catch up before a shutdown, unless NOW. */
export interface ReplicaDrain {
  /** No replica lags. */
  inSync(): boolean;
  /** Pause writes and ask replicas for their offsets. */
  begin(): void;
  /** Undo `begin`: the shutdown does not happen. */
  cancel(): void;
  /** Log who lags and how many are in sync. */
  report(): void;
}

export interface ShutdownHooks {
  log: Log;
  /** Supervisor.notify. */
  notify: (message: string) => void;
  /** Milliseconds, monotonic. */
  now: () => number;
  isLoading: () => boolean;
  /** `shutdown-timeout` in milliseconds; 0 does not wait. */
  timeoutMs: () => number;
  /** `shutdown-on-sigint`, `shutdown-on-sigterm`. */
  signalFlags: (signal: ShutdownSignal) => ShutdownFlags;
  drain: ReplicaDrain | null;
  steps: readonly ShutdownStep[];
  pidFile: PidFile;
  /** Last flush to replicas, then close the listeners. Cannot fail. */
  close: () => void;
  /** Clients blocked in SHUTDOWN get their error. */
  failed: () => void;
  /** Remove temporary files; the process dies right after. */
  abandon: () => void;
  exit: (code: number) => void;
}

export type ShutdownSignal = 'SIGTERM' | 'SIGINT';

const NO_FLAGS: ShutdownFlags = new Set();

export class Shutdown implements ShutdownControl {
  /** A signal came and tick() has not acted on it yet, or the shutdown it asked for is under way. */
  #asked: ShutdownSignal | null = null;
  /** Draining until then (milliseconds); null when not. */
  #deadline: number | null = null;
  #flags: ShutdownFlags = NO_FLAGS;
  readonly #hooks: ShutdownHooks;

  constructor(hooks: ShutdownHooks) {
    this.#hooks = hooks;
  }

  get draining(): boolean {
    return this.#deadline !== null;
  }

  /** How long the shutdown under way waits for replicas at most; null: none is under way. */
  get remainingMs(): number | null {
    return this.#deadline === null ? null : Math.max(0, Math.round(this.#deadline - this.#hooks.now()));
  }

  /** Called for SIGTERM and SIGINT; acts in the next tick(), so that no command is cut in half. */
  signal(signal: ShutdownSignal): void {
    const { log, abandon, exit, isLoading } = this.#hooks;
    // Somebody pressed Ctrl+C twice: they want out, without saving and without waiting for replicas.
    if (this.#asked !== null && signal === 'SIGINT') {
      log.fromSignal('warning', 'You insist... exiting now.');
      abandon();
      exit(1);
      return;
    }
    log.fromSignal(
      'warning',
      isLoading()
        ? 'Received shutdown signal during loading, scheduling shutdown.'
        : `Received ${signal} scheduling shutdown...`,
    );
    this.#asked = signal;
  }

  /** Part of every cron, also of the one that runs while data are loaded. */
  tick(): void {
    const { log, isLoading, now, drain, signalFlags } = this.#hooks;
    if (this.#deadline !== null) {
      if (now() >= this.#deadline || drain === null || drain.inSync()) this.#finish();
    } else if (this.#asked !== null) {
      const loading = isLoading();
      const outcome = this.request(loading ? new Set(['nosave']) : signalFlags(this.#asked), null);
      if (loading && outcome === 'failed') {
        log.warning(
          'SIGTERM received but errors trying to shut down the server, check the logs for more information',
        );
      }
    }
  }

  /**
   * Starts the shutdown.
   * @param client short description of the client that sent SHUTDOWN, null for a signal.
   */
  request(flags: ShutdownFlags, client: string | null): ShutdownOutcome {
    const { log, notify, isLoading, now, timeoutMs, drain } = this.#hooks;
    if (this.#deadline !== null) return 'draining';
    // Half-loaded data must never overwrite the file they come from.
    this.#flags = isLoading() ? new Set([...flags].filter((f) => f !== 'save').concat('nosave')) : flags;
    log.notice(
      client === null
        ? 'User requested shutdown...'
        : `User requested shutdown... (user request from '${client}')`,
    );
    notify(notifyMessages.stopping);
    if (drain !== null && !flags.has('now') && timeoutMs() !== 0 && !drain.inSync()) {
      this.#deadline = now() + timeoutMs();
      drain.begin();
      log.notice('Waiting for replicas before shutting down.');
      return 'draining';
    }
    return this.#finish();
  }

  /** SHUTDOWN ABORT. @returns false when there was nothing to abort. */
  abort(): boolean {
    if (this.#deadline !== null) this.#cancel();
    else if (this.#asked !== null) this.#asked = null;
    else return false;
    this.#hooks.log.notice('Shutdown manually aborted.');
    return true;
  }

  #finish(): ShutdownOutcome {
    const { log, notify, drain, steps, pidFile, close, exit } = this.#hooks;
    const force = this.#flags.has('force');
    drain?.report();
    for (const step of steps) {
      const reason = step.run(this.#flags, (status) => notify(notifyMessages.status(status)));
      if (reason === null) continue;
      if (force) {
        log.warning(`${reason}. Exit anyway.`);
        continue;
      }
      log.warning(`${reason}, can't exit.`);
      notify(notifyMessages.status(`${reason}, can't exit.`));
      log.warning('Errors trying to shut down the server. Check the logs for more information.');
      this.#cancel();
      return 'failed';
    }
    pidFile.remove();
    close();
    log.warning('Valkey is now ready to exit, bye bye...');
    // An exit hook that returns (an embedded server, a test) must not be asked again by the next tick.
    this.#asked = null;
    this.#deadline = null;
    exit(0);
    return 'exited';
  }

  #cancel(): void {
    const wasDraining = this.#deadline !== null;
    this.#asked = null;
    this.#flags = NO_FLAGS;
    this.#deadline = null;
    this.#hooks.failed();
    if (wasDraining) this.#hooks.drain?.cancel();
  }
}

const ignore = () => {};

/**
 * Takes the process's signals over for a server program (an embedded server leaves them to its host).
 * SIGPIPE is ignored by Node already. SIGHUP is ignored as in Valkey. SIGUSR1 would make Node open its
 * inspector's port: a server must not do that because somebody mistook its pid for a child's.
 *
 * Node runs signal handlers from the event loop: a signal that comes during a long command is seen after it.
 * @returns undoes it.
 */
export function takeSignals(shutdown: Shutdown, target: NodeJS.EventEmitter = process): () => void {
  const term = () => shutdown.signal('SIGTERM');
  const int = () => shutdown.signal('SIGINT');
  const handlers: [string, () => void][] = [
    ['SIGTERM', term],
    ['SIGINT', int],
    ['SIGHUP', ignore],
    ['SIGUSR1', ignore],
  ];
  for (const [name, handler] of handlers) target.on(name, handler);
  return () => {
    for (const [name, handler] of handlers) target.off(name, handler);
  };
}
