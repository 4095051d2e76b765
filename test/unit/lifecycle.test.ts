import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, test } from 'vitest';
import { Log } from '../../src/observability/log.js';
import {
  type ReplicaDrain,
  Shutdown,
  type ShutdownFlags,
  type ShutdownHooks,
  type ShutdownStep,
  type ShutdownWord,
  takeSignals,
} from '../../src/server/lifecycle.js';
import { PidFile } from '../../src/server/startup.js';
import { notifyMessages, Supervisor } from '../../src/server/supervise.js';

let events: string[];
let log: Log;
let now: number;
let loading: boolean;

beforeEach(() => {
  events = [];
  now = 1000;
  loading = false;
  log = new Log(
    { level: 'debug' },
    {
      write: (_file, line) => {
        events.push(
          Buffer.from(line)
            .toString()
            .replace(/^\S+ (\(\d+\) |.{24} . )/, '')
            .trimEnd(),
        );
      },
    },
  );
});

/** A step that agrees after it did something. */
function step(run: (flags: ShutdownFlags, report: (status: string) => void) => void): ShutdownStep {
  return {
    run: (given, report) => {
      run(given, report);
      return null;
    },
  };
}

function flags(...words: ShutdownWord[]): ShutdownFlags {
  return new Set(words);
}

function shutdown(change: Partial<ShutdownHooks> = {}): Shutdown {
  return new Shutdown({
    log,
    notify: (message) => events.push(`notify ${message.trimEnd()}`),
    now: () => now,
    isLoading: () => loading,
    timeoutMs: () => 10_000,
    signalFlags: () => flags(),
    drain: null,
    steps: [],
    pidFile: new PidFile(log, '', false),
    close: () => events.push('close'),
    failed: () => events.push('failed'),
    abandon: () => events.push('abandon'),
    exit: (code) => events.push(`exit ${code}`),
    ...change,
  });
}

const END = ['close', 'Valkey is now ready to exit, bye bye...', 'exit 0'];
const BEGIN = ['User requested shutdown...', 'notify STOPPING=1'];

describe('signals', () => {
  test('act in the next tick', () => {
    const it = shutdown();
    it.tick();
    it.signal('SIGTERM');
    expect(events).toEqual(['Received SIGTERM scheduling shutdown...']);
    it.tick();
    it.tick();
    expect(events.slice(1)).toEqual([...BEGIN, ...END]);
  });

  test('take the flags configured for them', () => {
    const seen: string[][] = [];
    const it = shutdown({
      steps: [step((given) => seen.push([...given]))],
      signalFlags: (signal) => (signal === 'SIGINT' ? flags('nosave', 'now') : flags('save')),
    });
    it.signal('SIGINT');
    it.tick();
    it.signal('SIGTERM');
    it.tick();
    expect(seen).toEqual([['nosave', 'now'], ['save']]);
  });

  test('a second SIGINT ends at once, a second SIGTERM does not', () => {
    const it = shutdown();
    it.signal('SIGTERM');
    it.signal('SIGTERM');
    expect(events).not.toContain('exit 1');
    it.signal('SIGINT');
    expect(events.slice(2)).toEqual(['You insist... exiting now.', 'abandon', 'exit 1']);
  });

  test('during loading nothing is saved', () => {
    loading = true;
    let seen: ShutdownFlags = flags();
    const it = shutdown({
      steps: [
        step((given) => {
          seen = given;
        }),
      ],
      signalFlags: () => flags('save'),
    });
    it.signal('SIGINT');
    it.tick();
    expect(events[0]).toBe('Received shutdown signal during loading, scheduling shutdown.');
    expect([...seen]).toEqual(['nosave']);
  });

  test('SIGHUP and SIGUSR1 do nothing, and all are given back', () => {
    const target = new EventEmitter();
    const giveBack = takeSignals(shutdown(), target);
    expect(target.emit('SIGHUP') && target.emit('SIGUSR1')).toBe(true);
    expect(events).toEqual([]);
    target.emit('SIGTERM');
    expect(events).toEqual(['Received SIGTERM scheduling shutdown...']);
    giveBack();
    expect(target.eventNames()).toEqual([]);
  });
});

describe('steps', () => {
  const refuses = { run: () => 'Error trying to save the DB' };

  test('run in order and report to the supervisor', () => {
    const it = shutdown({
      steps: [
        step(() => events.push('one')),
        step((_flags, report) => report('Saving the final RDB snapshot')),
      ],
    });
    expect(it.request(flags(), 'id=3 addr=x')).toBe('exited');
    expect(events).toEqual([
      "User requested shutdown... (user request from 'id=3 addr=x')",
      'notify STOPPING=1',
      'one',
      'notify STATUS=Saving the final RDB snapshot',
      ...END,
    ]);
  });

  test('one that refuses keeps the server alive, and it can be asked again', () => {
    const it = shutdown({ steps: [refuses, step(() => events.push('never'))] });
    it.signal('SIGTERM');
    it.tick();
    expect(events.slice(3)).toEqual([
      "Error trying to save the DB, can't exit.",
      "notify STATUS=Error trying to save the DB, can't exit.",
      'Errors trying to shut down the server. Check the logs for more information.',
      'failed',
    ]);
    const before = events.length;
    it.tick();
    expect(events).toHaveLength(before);
    it.signal('SIGINT');
    expect(events).not.toContain('You insist... exiting now.');
  });

  test('FORCE overrules them', () => {
    expect(shutdown({ steps: [refuses] }).request(flags('force'), null)).toBe('exited');
    expect(events.slice(2)).toEqual(['Error trying to save the DB. Exit anyway.', ...END]);
  });

  test('the pid file goes before the end', () => {
    shutdown({ pidFile: new PidFile(log, '/nonexistent/pid', false) }).request(flags(), null);
    expect(events.slice(2)).toEqual(['Removing the pid file.', ...END]);
  });
});

describe('lagging replicas', () => {
  let synced: boolean;
  let drain: ReplicaDrain;
  beforeEach(() => {
    synced = false;
    drain = {
      inSync: () => synced,
      begin: () => events.push('pause'),
      cancel: () => events.push('resume'),
      report: () => events.push('report'),
    };
  });

  test('get time to catch up', () => {
    const it = shutdown({ drain });
    expect(it.request(flags(), null)).toBe('draining');
    expect(it.request(flags(), null)).toBe('draining');
    it.tick();
    expect(events).toEqual([...BEGIN, 'pause', 'Waiting for replicas before shutting down.']);
    synced = true;
    it.tick();
    expect(events.slice(4)).toEqual(['report', ...END]);
  });

  test('but not more than shutdown-timeout', () => {
    const it = shutdown({ drain });
    it.request(flags(), null);
    now += 9_999;
    it.tick();
    expect(events).not.toContain('exit 0');
    now += 1;
    it.tick();
    expect(events).toContain('exit 0');
  });

  test.each([
    ['NOW', flags('now'), 10_000],
    ['no timeout', flags(), 0],
  ])('%s does not wait', (_name, given, timeout) => {
    expect(shutdown({ drain, timeoutMs: () => timeout }).request(given, null)).toBe('exited');
  });

  test('an abort resumes', () => {
    const it = shutdown({ drain });
    expect(it.abort()).toBe(false);
    it.request(flags(), null);
    expect(it.draining).toBe(true);
    expect(it.abort()).toBe(true);
    expect(events.slice(4)).toEqual(['failed', 'resume', 'Shutdown manually aborted.']);
    it.tick();
    expect(events).toHaveLength(7);
  });

  test('an abort before the tick takes the signal back', () => {
    const it = shutdown();
    it.signal('SIGTERM');
    expect(it.abort()).toBe(true);
    it.tick();
    expect(events).toEqual(['Received SIGTERM scheduling shutdown...', 'Shutdown manually aborted.']);
  });
});

describe('supervision', () => {
  function supervise(mode: 'no' | 'upstart' | 'systemd' | 'auto', env: NodeJS.ProcessEnv, delivered = true) {
    const sent: [string, string][] = [];
    const supervisor = new Supervisor(log, mode, {
      env,
      send: (path, data) => {
        sent.push([path, data]);
        return delivered;
      },
      stop: () => events.push('stopped'),
    });
    return { supervisor, sent, env };
  }

  test('systemd is told the steps of a life', () => {
    const { supervisor, sent } = supervise('auto', { NOTIFY_SOCKET: '@/org/notify' });
    expect(supervisor.active).toBe('systemd');
    supervisor.ready(false);
    supervisor.ready(true);
    supervisor.notify(notifyMessages.status('two\nlines'));
    supervisor.notify(notifyMessages.stopping);
    expect(new Set(sent.map(([path]) => path))).toEqual(new Set(['@/org/notify']));
    expect(sent.map(([, data]) => data)).toEqual([
      'STATUS=Kvasir is loading...\n',
      'STATUS=Ready to accept connections\n',
      `READY=1\nMAINPID=${process.pid}\n`,
      'STATUS=Ready to accept connections in read-only mode. Waiting for MASTER <-> REPLICA sync\n',
      `READY=1\nMAINPID=${process.pid}\n`,
      'STATUS=two lines\n',
      'STOPPING=1\n',
    ]);
    expect(events[0]).toBe('Systemd supervision detected.');
    expect(events[1]).toMatch(/^Supervised by systemd\./);
  });

  test.each([
    ['without a socket', {}, true],
    ['with a relative socket', { NOTIFY_SOCKET: 'x' }, true],
    ['with nobody listening', { NOTIFY_SOCKET: '/x' }, false],
  ])('systemd %s is not there', (_name, env, delivered) => {
    const { supervisor, sent } = supervise('systemd', env, delivered);
    expect(supervisor.active).toBe('none');
    supervisor.ready(false);
    expect(sent.length).toBeLessThanOrEqual(1);
    expect(events[0]).toMatch(/^systemd supervision error: /);
  });

  test('upstart sees the process stop once', () => {
    const { supervisor, env } = supervise('auto', { UPSTART_JOB: 'kv', NOTIFY_SOCKET: '/x' });
    expect(supervisor.active).toBe('upstart');
    expect(events).toEqual([
      'Upstart supervision detected.',
      'supervised by upstart, will stop to signal readiness.',
      'stopped',
    ]);
    expect(env.UPSTART_JOB).toBeUndefined();
    supervise('upstart', {});
    expect(events[3]).toBe('upstart supervision requested, but UPSTART_JOB not found!');
  });

  test('no supervisor, no words', () => {
    const { supervisor, sent } = supervise('no', { NOTIFY_SOCKET: '/x', UPSTART_JOB: 'kv' });
    supervisor.ready(false);
    expect([supervisor.active, sent, events]).toEqual(['none', [], []]);
  });
});
