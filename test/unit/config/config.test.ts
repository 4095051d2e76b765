import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { configGet, configHelp, configRewrite, configSet } from '../../../src/config/commands.js';
import { Config, findParameter, isSensitive } from '../../../src/config/config.js';
import { PrivateDirectory } from '../../../src/config/directory.js';
import { HIDDEN, type Parameter } from '../../../src/config/parameter.js';
import { parameters } from '../../../src/config/parameters.js';
import { ErrorReply, OK, Status } from '../../../src/resp/reply.js';

const context = { loading: false, local: false };
let root: string;
let config: Config;
let log: string[];

beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'kvasir-config-')));
});

afterAll(() => {
  rmSync(root, { recursive: true });
});

beforeEach(() => {
  log = [];
  config = new Config({
    directory: new PrivateDirectory(root),
    log: (level, message) => log.push(`${level}: ${message}`),
  });
});

function set(...words: string[]): string {
  const reply = configSet(config, words, context);
  if (reply instanceof ErrorReply) return reply.message;
  expect(reply).toBe(OK);
  return 'OK';
}

describe('the table', () => {
  it('has every name once', () => {
    const names = (parameters as readonly Parameter[]).flatMap(({ name, alias }) =>
      alias ? [name, alias] : [name],
    );
    expect(new Set(names).size).toBe(names.length);
    expect(config.get(['*']).size).toBe(237);
    const hidden = (parameters as readonly Parameter[]).filter(({ flags }) => flags & HIDDEN);
    expect(hidden.map(({ name }) => name)).toContain('key-load-delay');
  });

  it('has defaults that its own parser accepts and prints back', () => {
    const other = new Config({ directory: new PrivateDirectory(root) });
    for (const parameter of parameters as readonly Parameter[]) {
      if (parameter.name === 'cluster-config-file' || parameter.name === 'dir') continue;
      const shown = config.text(parameter.name as never);
      const words = parameter.type === 'flags' || parameter.type === 'special' ? shown.split(' ') : [shown];
      if (parameter.name === 'replicaof') continue;
      expect([parameter.name, other.load(parameter, words, false)]).toEqual([parameter.name, null]);
      expect(other.text(parameter.name as never)).toBe(shown);
    }
  });

  it('finds parameters by alias and in any case', () => {
    expect(findParameter('SLAVE-Priority')?.name).toBe('replica-priority');
    expect(findParameter('nothing')).toBeNull();
    expect([isSensitive('MASTERAUTH'), isSensitive('tls-key-file-pass'), isSensitive('port')]).toEqual([
      true,
      true,
      false,
    ]);
    expect(isSensitive('nothing')).toBe(false);
  });
});

describe('typed values', () => {
  it('follow CONFIG SET', () => {
    expect(set('maxmemory', '1gb', 'maxmemory-policy', 'ALLKEYS-LRU', 'appendonly', 'YES')).toBe('OK');
    config.assign('dbfilename', 'x');
    expect(config.int('maxmemory')).toBe(2 ** 30);
    expect(config.choice('maxmemory-policy')).toBe('allkeys-lru');
    expect(config.bool('appendonly')).toBe(true);
    expect(config.str('pidfile')).toBe('');
    expect(config.str('dbfilename')).toBe('x');
  });

  it('keep what a double cannot', () => {
    expect(set('maxmemory', '18446744073709551615', 'cluster-blacklist-ttl', '-1')).toBe('OK');
    expect(config.bigint('maxmemory')).toBe(18446744073709551615n);
    expect(config.get(['maxmemory', 'cluster-blacklist-ttl'])).toEqual(
      new Map([
        ['cluster-blacklist-ttl', '-1'],
        ['maxmemory', '18446744073709551615'],
      ]),
    );
  });

  it('of the special parameters', () => {
    set('save', '900 1 300 10', 'shutdown-on-sigterm', 'now nosave', 'notify-keyspace-events', 'Kx');
    set('client-output-buffer-limit', 'slave 1mb 2kb 3', 'maxmemory-clients', '5%');
    expect(config.value('save')).toEqual([
      { seconds: 900, changes: 1 },
      { seconds: 300, changes: 10 },
    ]);
    expect(config.flags('shutdown-on-sigterm')).toEqual(['nosave', 'now']);
    expect(config.flags('shutdown-on-sigint')).toEqual([]);
    expect(config.value('notify-keyspace-events')).toBe(1 | (1 << 8));
    expect(config.value('client-output-buffer-limit').replica).toEqual({
      hard: 1048576n,
      soft: 2048n,
      softSeconds: 3,
    });
    expect(config.value('client-output-buffer-limit').pubsub.softSeconds).toBe(60);
    expect(config.int('maxmemory-clients')).toBe(-5);
    config.assign('replicaof', '10.0.0.1', '6380');
    expect(config.value('replicaof')).toEqual({ host: '10.0.0.1', port: 6380 });
    config.assign('replicaof', 'no', 'one');
    expect(config.value('replicaof')).toBeNull();
    expect(() => config.assign('replicaof', 'x', '-1')).toThrow('Invalid primary port');
  });
});

describe('CONFIG SET', () => {
  it('is all or nothing', () => {
    const before = config.get(['*']);
    const error =
      "ERR CONFIG SET failed (possibly related to argument 'timeout') - argument couldn't be parsed into an integer";
    expect(set('maxmemory', '1mb', 'dir', '/', 'save', '', 'timeout', 'x')).toContain(
      "'dir') - can't set protected",
    );
    config.assign('dir', '.');
    expect(set('maxmemory', '1mb', 'save', '', 'timeout', 'x')).toBe(error);
    expect(config.get(['*'])).toEqual(before);
  });

  it('moves back where `dir` has moved', () => {
    const open = new Config({ directory: new PrivateDirectory(root) });
    open.assign('enable-protected-configs', 'local');
    const pairs = [
      ['dir', '/'],
      ['hz', 'x'],
    ] as const;
    expect(open.set(pairs, { loading: false, local: true })).toContain("'hz'");
    expect(open.text('dir')).toBe(root);
    expect(open.set(pairs, { loading: false, local: false })).toContain("can't set protected config");
    expect(open.set([['dir', '/']], { loading: true, local: true })).toBe(
      'LOADING Valkey is loading the dataset in memory',
    );
    expect(open.set([['dir', '/']], { loading: false, local: true })).toBeNull();
    expect(open.value('dir')).toBe('/');
  });

  it('puts no line break into an error', () => {
    expect(set('a\r\nb\r\n', '1')).toBe(
      "ERR Unknown option or number of arguments for CONFIG SET - 'a  b  '",
    );
    expect(set('timeout')).toBe('ERR syntax error');
  });

  it('runs the hooks of changed parameters, each once', () => {
    const calls: string[] = [];
    const hook = (name: string) => () => {
      calls.push(`${name} ${config.int('timeout')}`);
      return undefined;
    };
    config.onApply(['timeout', 'tcp-keepalive'], hook('both'));
    config.onApply('timeout', hook('timeout'));
    config.onApply('tls-cert-file', hook('certificate'));
    expect(set('tcp-keepalive', '300', 'timeout', '0')).toBe('OK');
    expect(calls).toEqual([]);
    expect(set('timeout', '5', 'tcp-keepalive', '6', 'tls-cert-file', '')).toBe('OK');
    expect(calls).toEqual(['both 5', 'timeout 5', 'certificate 5']);
  });

  it('rolls back and applies again when a hook fails', () => {
    const calls: number[] = [];
    const changes: string[][] = [];
    config.onChange((names) => changes.push([...names]));
    config.onApply('timeout', () => {
      calls.push(config.int('timeout'));
      return undefined;
    });
    config.onApply('port', () =>
      config.int('port') === 1 ? 'Unable to listen on this port. Check server logs.' : undefined,
    );
    config.onApply('tcp-keepalive', () => {
      throw new Error('thrown');
    });
    config.onApply('hz', () => '');
    expect(set('timeout', '5', 'port', '1')).toBe(
      "ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. Check server logs.",
    );
    expect(calls).toEqual([5, 0]);
    expect([config.int('timeout'), config.int('port')]).toEqual([0, 6379]);
    expect(set('tcp-keepalive', '1')).toBe(
      "ERR CONFIG SET failed (possibly related to argument 'tcp-keepalive') - thrown",
    );
    expect(set('hz', '50')).toBe("ERR CONFIG SET failed (possibly related to argument 'hz')");
    expect(log).toContain(
      'warning: Failed applying new configuration. Possibly related to new port setting. Restoring previous settings.',
    );
    expect(log).toContain('warning: Failed applying restored failed CONFIG SET command: thrown');
    expect(changes).toEqual([]);
  });

  it('tells listeners what changed, under its own name, when it is complete', () => {
    const changes: string[][] = [];
    const stop = config.onChange((names) => changes.push([...names]));
    config.onApply('maxclients', () => {
      config.assign('maxclients', '100');
      return undefined;
    });
    set('slave-priority', '7', 'timeout', '0', 'maxclients', '200');
    expect(changes).toEqual([['replica-priority', 'maxclients']]);
    expect(config.int('maxclients')).toBe(100);
    config.assign('replicaof', 'a', '1');
    expect(changes[1]).toEqual(['replicaof']);
    stop();
    set('timeout', '9');
    expect(changes).toHaveLength(2);
  });

  it('brings hz into its range', () => {
    set('hz', '1000');
    expect(config.int('hz')).toBe(500);
    set('hz', '0', 'repl-backlog-size', '1');
    expect([config.int('hz'), config.int('repl-backlog-size')]).toEqual([1, 16384]);
  });

  it('warns of scores that only a privileged process can have', () => {
    set('oom-score-adj-values', '3 2 1');
    expect(log[0]).toMatch(/^warning: The oom-score-adj-values configuration may not work/);
  });
});

describe('CONFIG GET and HELP', () => {
  it('shows hidden parameters only by name', () => {
    expect(configGet(config, ['key-load-*'])).toEqual(new Map());
    expect(configGet(config, ['KEY-load-delay'])).toEqual(new Map([['KEY-load-delay', '0']]));
  });

  it('sorts, and answers a name once', () => {
    const names = [...config.get(['slaveof', 'maxmemory*', 'MAXMEMORY', 'bind']).keys()];
    expect(names[0]).toBe('bind');
    expect(names.at(-1)).toBe('slaveof');
    expect(names.filter((name) => name.toLowerCase() === 'maxmemory')).toEqual(['maxmemory']);
  });

  it('has a help text', () => {
    const lines = configHelp() as Status[];
    expect(lines).toHaveLength(11);
    expect(lines[0]).toEqual(new Status('CONFIG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:'));
  });

  it('cannot rewrite without a file', () => {
    expect(configRewrite(config, { users: () => [] })).toEqual(
      new ErrorReply('ERR The server is running without a config file'),
    );
  });
});

describe('the process title', () => {
  it('fills in its template', () => {
    expect(config.processTitle('kvasir')).toBe('kvasir *:6379');
    config.assign('cluster-enabled', 'yes');
    config.assign('bind', '127.0.0.1', '::1');
    expect(config.processTitle('kvasir')).toBe('kvasir 127.0.0.1:6379 [cluster]');
    config.assign('port', '0');
    config.assign('unixsocket', '/tmp/s');
    config.assign('proc-title-template', '{{{title}} {listen-addr} {config-file} ');
    expect(config.processTitle('k')).toBe('{k} unixsocket:/tmp/s -');
  });

  it.each(['{invalid-var}', '{title', '{', '{constructor}', '', '{title}'])(
    '%j is no template',
    (template) => {
      expect(set('proc-title-template', template)).toContain('template format is invalid');
    },
  );
});
