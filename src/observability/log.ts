/**
 * The server's log, line for line what Valkey 9.1.2 prints (server.c: serverLogRaw).
 *
 * Invariants:
 * - A line is on its way to the kernel when the call returns: one synchronous O_APPEND write, no buffer of
 *   our own, so nothing is lost when the process dies in the next instruction.
 * - The log file is opened for every line. A file that logrotate moved, removed or truncated is followed at
 *   once, and nothing is ever truncated by us. (Keeping the descriptor and comparing inodes with stat costs
 *   the same 5 microseconds as opening it.)
 * - A log that cannot be written (disk full, folder gone, reader of the pipe gone) never stops the server.
 *
 * Messages are byte strings as in C: a message given as Uint8Array is written byte for byte, a string as
 * UTF-8; a message ends at its first NUL and at 1023 bytes (LOG_MAX_LEN) unless it is raw.
 */
import { closeSync, openSync, writeSync } from 'node:fs';

export type LogLevel = 'debug' | 'verbose' | 'notice' | 'warning' | 'nothing';
export type LogFormat = 'legacy' | 'logfmt' | 'json';
export type LogTimestampFormat = 'legacy' | 'iso8601' | 'milliseconds';
/** `child` is a process working for the server (saving, rewriting); the rest is what the server is. */
export type LogRole = 'sentinel' | 'child' | 'replica' | 'primary';
export type LogMessage = string | Uint8Array;

/** The parameters of the same names in valkey.conf, with its defaults. */
export interface LogSettings {
  level: LogLevel;
  format: LogFormat;
  timestampFormat: LogTimestampFormat;
  /** Path of the log file, one character per byte as in the configuration; '' is standard output. */
  logfile: string;
  syslogEnabled: boolean;
  syslogIdent: string;
  /** `user` or `local0` to `local7`. */
  syslogFacility: string;
}

/** Where lines go besides the log file. Both are injected: Node has no Unix datagram sockets of its own. */
export interface LogSinks {
  /** Writes one whole line. */
  write: (logfile: string, line: Uint8Array) => void;
  /** Sends one datagram to the socket at `path`; false when nobody listens there. */
  datagram?: (path: string, data: string) => boolean;
}

const DEFAULTS: LogSettings = {
  level: 'notice',
  format: 'legacy',
  timestampFormat: 'legacy',
  logfile: '',
  syslogEnabled: false,
  syslogIdent: 'valkey',
  syslogFacility: 'local0',
};

const LEVELS: Record<LogLevel, number> = { debug: 0, verbose: 1, notice: 2, warning: 3, nothing: 4 };
const LEVEL_CHARS = '.-*#';
/** What logfmt and json call the levels; `verbose` is `info` there. */
const LEVEL_WORDS = ['debug', 'info', 'notice', 'warning'] as const;
/** LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARNING of syslog(3). */
const SYSLOG_SEVERITY = [7, 6, 5, 4] as const;
const ROLE_CHARS: Record<LogRole, string> = { sentinel: 'X', child: 'C', replica: 'S', primary: 'M' };
const ROLE_WORDS: Record<LogRole, string> = {
  sentinel: 'sentinel',
  child: 'RDB/AOF',
  replica: 'replica',
  primary: 'primary',
};
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
const MAX_MESSAGE_BYTES = 1023;
const SYSLOG_SOCKET = '/dev/log';

function pad(n: number, width: number): string {
  return String(n).padStart(width, '0');
}

/** `+01:00` for the local zone at `date`, daylight saving included. */
export function timezoneOffset(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  const abs = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${pad(Math.floor(abs / 60), 2)}:${pad(abs % 60, 2)}`;
}

/** RFC 8259 string, except that bytes from 0x7f up pass as they are. `text` is one character per byte. */
export function escapeJson(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is escaped here
  const escaped = text.replace(/[\\"\u0000-\u001f]/g, (c) => {
    switch (c) {
      case '\\':
      case '"':
        return `\\${c}`;
      case '\n':
        return '\\n';
      case '\f':
        return '\\f';
      case '\r':
        return '\\r';
      case '\t':
        return '\\t';
      case '\b':
        return '\\b';
      default:
        return `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;
    }
  });
  return `"${escaped}"`;
}

/** logfmt has no escapes here: a double quote becomes a single one, a line end becomes a space. */
export function filterLogfmt(text: string): string {
  return text.replace(/["\n\r]/g, (c) => (c === '"' ? "'" : ' '));
}

/** A byte string as one character per byte, ended at NUL. */
function toBytes(message: LogMessage): string {
  const buffer = typeof message === 'string' ? Buffer.from(message, 'utf8') : Buffer.from(message);
  const text = buffer.toString('latin1');
  const nul = text.indexOf('\0');
  return nul < 0 ? text : text.slice(0, nul);
}

/** Appends to the file, or to standard output when the path is empty. Failures are swallowed (see above). */
export function appendLine(logfile: string, line: Uint8Array): void {
  let fd = 1;
  try {
    if (logfile !== '') fd = openSync(Buffer.from(logfile, 'latin1'), 'a', 0o666);
  } catch {
    return;
  }
  try {
    let done = 0;
    let stalls = 0;
    while (done < line.length) {
      try {
        done += writeSync(fd, line, done);
      } catch (error) {
        // A non-blocking terminal or pipe whose reader is slow: wait for it a little, then give the line up.
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || ++stalls > 100) break;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      }
    }
  } finally {
    if (fd !== 1) closeSync(fd);
  }
}

export class Log {
  /** Decides the role letter; the server changes it when it becomes a replica or a primary. */
  role: LogRole = 'primary';
  /** Part of every line; a daemon sets it again after it has left its parent. */
  pid: number = process.pid;

  #settings: LogSettings;
  #threshold = 0;
  readonly #sinks: LogSinks;
  readonly #now: () => number;
  /** The part of a timestamp that changes once a second: see #timestamp. */
  #cachedSecond = -1;
  #cachedPrefix = '';
  #cachedZone = '';

  constructor(
    settings: Partial<LogSettings> = {},
    sinks: Partial<LogSinks> = {},
    now: () => number = Date.now,
  ) {
    this.#settings = { ...DEFAULTS };
    this.#sinks = { write: appendLine, ...sinks };
    this.#now = now;
    this.configure(settings);
  }

  get settings(): Readonly<LogSettings> {
    return this.#settings;
  }

  /** Takes over changed parameters; effective from the next line on. */
  configure(change: Partial<LogSettings>): void {
    this.#settings = { ...this.#settings, ...change };
    this.#threshold = LEVELS[this.#settings.level];
    this.#cachedSecond = -1;
  }

  /** Whether a message of this level would be printed: ask before building an expensive one. */
  enabled(level: LogLevel): boolean {
    return LEVELS[level] >= this.#threshold;
  }

  debug(message: LogMessage): void {
    this.write('debug', message);
  }

  verbose(message: LogMessage): void {
    this.write('verbose', message);
  }

  notice(message: LogMessage): void {
    this.write('notice', message);
  }

  warning(message: LogMessage): void {
    this.write('warning', message);
  }

  write(level: LogLevel, message: LogMessage): void {
    const rank = LEVELS[level];
    if (rank < this.#threshold || rank > LEVELS.warning) return;
    const text = toBytes(message).slice(0, MAX_MESSAGE_BYTES);
    this.#emit(this.#format(rank, text), rank, text);
  }

  /** Prints text as it is: no timestamp, no line end, no limit (the banner, crash reports). */
  raw(level: LogLevel, message: LogMessage): void {
    const rank = LEVELS[level];
    if (rank < this.#threshold || rank > LEVELS.warning) return;
    const text = toBytes(message);
    this.#emit(text, rank, text);
  }

  /**
   * The form of lines that Valkey prints from inside a signal handler: `<pid>:signal-handler (<seconds>) text`,
   * in every log format, and never to syslog.
   */
  fromSignal(level: LogLevel, message: string): void {
    if (LEVELS[level] < this.#threshold) return;
    const seconds = Math.floor(this.#now() / 1000);
    const line = `${this.pid}:signal-handler (${seconds}) ${toBytes(message)}\n`;
    this.#sinks.write(this.#settings.logfile, Buffer.from(line, 'latin1'));
  }

  #emit(line: string, rank: number, text: string): void {
    this.#sinks.write(this.#settings.logfile, Buffer.from(line, 'latin1'));
    if (this.#settings.syslogEnabled) this.#syslog(rank, text);
  }

  #format(rank: number, text: string): string {
    const timestamp = this.#timestamp();
    switch (this.#settings.format) {
      case 'legacy':
        return `${this.pid}:${ROLE_CHARS[this.role]} ${timestamp} ${LEVEL_CHARS[rank]} ${text}\n`;
      case 'logfmt':
        return `pid=${this.pid} role=${ROLE_WORDS[this.role]} timestamp="${timestamp}" level=${LEVEL_WORDS[rank]} message="${filterLogfmt(text)}"\n`;
      case 'json':
        return `{"pid":${this.pid},"role":"${ROLE_WORDS[this.role]}","timestamp":"${timestamp}","level":"${LEVEL_WORDS[rank]}","message":${escapeJson(text)}}\n`;
    }
  }

  #timestamp(): string {
    const now = this.#now();
    const format = this.#settings.timestampFormat;
    if (format === 'milliseconds') return String(now);
    const second = Math.floor(now / 1000);
    if (second !== this.#cachedSecond) {
      const date = new Date(second * 1000);
      const day = pad(date.getDate(), 2);
      const time = `${pad(date.getHours(), 2)}:${pad(date.getMinutes(), 2)}:${pad(date.getSeconds(), 2)}`;
      if (format === 'legacy') {
        this.#cachedPrefix = `${day} ${MONTHS[date.getMonth()]} ${date.getFullYear()} ${time}.`;
        this.#cachedZone = '';
      } else {
        this.#cachedPrefix = `${date.getFullYear()}-${pad(date.getMonth() + 1, 2)}-${day}T${time}.`;
        this.#cachedZone = timezoneOffset(date);
      }
      this.#cachedSecond = second;
    }
    return `${this.#cachedPrefix}${pad(now - second * 1000, 3)}${this.#cachedZone}`;
  }

  /** One RFC 3164 datagram as syslog(3) of glibc builds it with LOG_PID. */
  #syslog(rank: number, text: string): void {
    const date = new Date(this.#now());
    const facility = this.#settings.syslogFacility;
    const code = facility.startsWith('local') ? 16 + Number(facility.slice(5)) : 1;
    const priority = code * 8 + SYSLOG_SEVERITY[rank]!;
    const day = String(date.getDate()).padStart(2, ' ');
    const time = `${pad(date.getHours(), 2)}:${pad(date.getMinutes(), 2)}:${pad(date.getSeconds(), 2)}`;
    const line = `<${priority}>${MONTHS[date.getMonth()]} ${day} ${time} ${this.#settings.syslogIdent}[${this.pid}]: ${text}`;
    this.#sinks.datagram?.(SYSLOG_SOCKET, Buffer.from(line, 'latin1').toString('utf8'));
  }
}
