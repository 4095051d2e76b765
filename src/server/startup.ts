/**
 * What a starting server says and sets about its own process, in the order in which Valkey's main() does it:
 *
 *   logStarting, (initialise), PidFile.create, (process title), showBanner, backlog warning, (listen),
 *   "Server initialized", (load data), logReady, logSmallMaxmemory, OomScore.apply
 *
 * Every function does one of these steps and takes what it needs: none reads the configuration itself.
 * Tools wait for these lines, so their wording is part of the interface.
 */
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { toPath } from '../config/bytes.js';
import { strerror } from '../config/errno.js';
import type { Log } from '../observability/log.js';
import { BUILD, KVASIR_VERSION, VALKEY_VERSION } from '../version.js';

/** Descriptors kept for files, listening sockets and logs on top of `maxclients`. */
export const RESERVED_DESCRIPTORS = 32;
export const DEFAULT_PID_FILE = '/var/run/valkey.pid';

/** What only native code can do to the process. */
export interface ProcessCalls {
  /**
   * Sends one datagram to a Unix socket; a path that begins with `@` is in the abstract namespace.
   * False when it could not be delivered.
   */
  unixDatagramSend(path: string, data: string): boolean;
  /** setrlimit(RLIMIT_NOFILE) of both limits; '' or the text of errno. */
  setOpenFilesLimit(limit: number): string;
  /** What ps shows as the command line; bytes. False: there is no room for it. */
  setTitle(title: string): boolean;
  /** Where reports of signals go ('' is standard output); fatal: whether signals that end the process are reported. */
  installCrashReport(logfile: string, version: string, fatal: boolean): void;
  /** Has the stack logged after so many ms unless it is set again before; 0: no longer. */
  setWatchdog(ms: number): void;
  /** prctl(PR_SET_THP_DISABLE); true on success. */
  disableTransparentHugePages(): boolean;
  /** Large objects of the whole process from malloc's heap rather than from mappings of their own. */
  keepLargeObjectsInHeap(): void;
  /** Where a thread may run; '' or the text of errno. */
  setThreadCpus(thread: 'main' | 'background', cpus: number[]): string;
}

/** The first two lines of a server's log. */
export function logStarting(log: Log): void {
  log.notice('oO0OoO0OoO0Oo Kvasir is starting oO0OoO0OoO0Oo');
  log.notice(
    `Kvasir version=${KVASIR_VERSION}, Valkey version=${VALKEY_VERSION}, bits=64, commit=${BUILD.sha}, ` +
      `modified=${BUILD.dirty ? 1 : 0}, pid=${process.pid}, just started`,
  );
}

/** Follows logStarting: where the configuration came from. */
export function logConfigured(log: Log, bare: boolean, program: string): void {
  if (bare) {
    log.warning(
      'Warning: No config file specified, using the default config. In order to specify a config file use ' +
        `${program} /path/to/valkey.conf`,
    );
  } else {
    log.notice('Configuration loaded');
  }
}

export interface BannerSettings {
  clusterEnabled: boolean;
  port: number;
  tlsPort: number;
  alwaysShowLogo: boolean;
  syslogEnabled: boolean;
  logfile: string;
}

/** A goblet: the mead of poetry is what became of Kvasir. */
const LOGO = [
  '      .-~~~~~~~~~~~~~~~-.',
  '     (___________________)',
  '     |  ~  ~~   ~  ~~  ~ |',
  '     |                   |',
  '     |    K V A S I R    |',
  '      \\                 /',
  "       '.             .'",
  "         '-._______.-'",
  '              | |',
  '              | |',
  '          _.-~   ~-._',
  '         (___________)',
];

/** The art and beside it the facts, ` PID: <pid>` among them, which the test harness of Valkey looks for. */
export function bannerText(settings: BannerSettings, pid = process.pid): string {
  const mode = settings.clusterEnabled ? 'cluster' : 'standalone';
  const facts = new Map<number, string>([
    [3, `Kvasir ${KVASIR_VERSION} (${BUILD.sha}/${BUILD.dirty ? 1 : 0}) 64 bit`],
    [4, `Speaks Valkey ${VALKEY_VERSION}`],
    [6, `Running in ${mode} mode`],
    [7, `Port: ${settings.port || settings.tlsPort}`],
    [8, `PID: ${pid}`],
  ]);
  const width = Math.max(...LOGO.map((line) => line.length)) + 4;
  const lines = LOGO.map((line, row) => {
    const fact = facts.get(row);
    return fact === undefined ? line : `${line.padEnd(width)} ${fact}`;
  });
  return `\n${lines.join('\n')}\n\n`;
}

/** The logo on a terminal or when forced, one line otherwise. */
export function showBanner(log: Log, settings: BannerSettings, isTerminal = process.stdout.isTTY): void {
  const show =
    settings.alwaysShowLogo || (!settings.syslogEnabled && settings.logfile === '' && isTerminal === true);
  if (show) {
    log.raw('notice', bannerText(settings));
  } else {
    const mode = settings.clusterEnabled ? 'cluster' : 'standalone';
    log.notice(`Running mode=${mode}, port=${settings.port || settings.tlsPort}.`);
  }
}

/** Listening is done and data are loaded: one line for every kind of listener. */
export function logReady(log: Log, listeners: readonly ('tcp' | 'unix' | 'tls')[]): void {
  for (const kind of listeners) log.notice(`Ready to accept connections ${kind}`);
}

export function logSmallMaxmemory(log: Log, maxmemory: number): void {
  if (maxmemory > 0 && maxmemory < 1024 * 1024) {
    log.warning(
      `WARNING: You specified a maxmemory value that is less than 1MB (current value is ${maxmemory} bytes). Are ` +
        'you sure this is what you really want?',
    );
  }
}

/**
 * The pid file: written when a path is configured or the server runs in the background, removed at the end.
 * Failing to write it is logged and nothing more.
 */
export class PidFile {
  /** One character per byte, as the configuration has it. */
  readonly path: string | null;
  readonly #log: Log;

  constructor(log: Log, path: string, background: boolean) {
    this.#log = log;
    this.path = path !== '' ? path : background ? DEFAULT_PID_FILE : null;
  }

  create(): void {
    if (this.path === null) return;
    try {
      writeFileSync(toPath(this.path), `${process.pid}\n`);
    } catch (error) {
      this.#log.warning(`Failed to write PID file: ${strerror(error)}`);
    }
  }

  remove(): void {
    if (this.path === null) return;
    this.#log.notice('Removing the pid file.');
    try {
      unlinkSync(toPath(this.path));
    } catch {
      // Somebody else removed it, or it could not be written in the first place.
    }
  }
}

/** Open-files limit of this process as the kernel shows it: [soft, hard], Infinity for unlimited. */
export function openFilesLimit(
  limits = readFileSync('/proc/self/limits', 'latin1'),
): [number, number] | null {
  const match = /^Max open files\s+(\S+)\s+(\S+)/m.exec(limits);
  if (match === null) return null;
  const value = (text: string) => (text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text));
  return [value(match[1]!), value(match[2]!)];
}

/**
 * Makes room for `maxclients` descriptors and `RESERVED_DESCRIPTORS` more. (Node itself has already raised
 * the soft limit to the hard one; what is left to try is the hard limit, which only root may raise.)
 * @returns the number of clients there is room for, or null when the server cannot start at all.
 */
export function adjustOpenFilesLimit(
  log: Log,
  maxclients: number,
  current: [number, number] | null,
  raise: ProcessCalls['setOpenFilesLimit'],
): number | null {
  if (current === null) {
    const reduced = 1024 - RESERVED_DESCRIPTORS;
    log.warning(
      'Unable to obtain the current NOFILE limit, assuming 1024 and setting the max clients configuration accordingly.',
    );
    return Math.min(maxclients, reduced);
  }
  const wanted = maxclients + RESERVED_DESCRIPTORS;
  const [soft] = current;
  if (soft >= wanted) return maxclients;

  // The highest of wanted, wanted - 16, wanted - 32 ... that the system grants. Looked for by halving: CONFIG SET
  // maxclients may ask for billions while clients wait.
  let error = '';
  let granted = Math.ceil((wanted - soft) / 16);
  for (let refused = -1; refused + 1 < granted; ) {
    const steps = refused === -1 ? 0 : Math.floor((refused + granted) / 2);
    const failure = raise(wanted - 16 * steps);
    if (failure === '') {
      granted = steps;
    } else {
      error = failure;
      refused = steps;
    }
  }
  const best = Math.max(wanted - 16 * granted, soft);
  if (best >= wanted) {
    log.notice(`Increased maximum number of open files to ${wanted} (it was originally set to ${soft}).`);
    return maxclients;
  }
  if (best <= RESERVED_DESCRIPTORS) {
    log.warning(
      `Your current 'ulimit -n' of ${soft} is not enough for the server to start. Please increase your open file ` +
        `limit to at least ${wanted}. Exiting.`,
    );
    return null;
  }
  const reduced = best - RESERVED_DESCRIPTORS;
  log.warning(`You requested maxclients of ${maxclients} requiring at least ${wanted} max file descriptors.`);
  log.warning(`Server can't set maximum open files to ${wanted} because of OS error: ${error}.`);
  log.warning(
    `Current maximum open files is ${best}. maxclients has been reduced to ${reduced} to compensate for low ulimit. ` +
      "If you need higher maxclients increase 'ulimit -n'.",
  );
  return reduced;
}

export interface OomScoreSettings {
  mode: 'no' | 'relative' | 'absolute';
  /** `oom-score-adj-values`: primary, replica, background child. */
  values: readonly [number, number, number];
}

/** oom-score-adj: remembers the value the process was started with, so that `no` restores it. */
export class OomScore {
  #base: number | null = null;
  readonly #log: Log;
  readonly #path: string;

  constructor(log: Log, path = '/proc/self/oom_score_adj') {
    this.#log = log;
    this.#path = path;
  }

  /** @returns false when the kernel refused; CONFIG SET then fails. */
  apply(settings: OomScoreSettings, replica: boolean): boolean {
    let value: number;
    if (settings.mode !== 'no') {
      if (this.#base === null) {
        try {
          this.#base = Number.parseInt(readFileSync(this.#path, 'latin1'), 10) || 0;
        } catch (error) {
          this.#log.warning(`Unable to read oom_score_adj: ${strerror(error)}`);
          return false;
        }
      }
      value = settings.values[replica ? 1 : 0];
      if (settings.mode === 'relative') value += this.#base;
      value = Math.max(-1000, Math.min(1000, value));
    } else if (this.#base !== null) {
      value = this.#base;
      this.#base = null;
    } else {
      return true;
    }
    try {
      writeFileSync(this.#path, `${value}\n`);
      return true;
    } catch (error) {
      this.#log.warning(`Unable to write oom_score_adj: ${strerror(error)}`);
      return false;
    }
  }
}
