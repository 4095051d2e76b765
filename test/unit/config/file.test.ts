import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configRewrite, configSet } from '../../../src/config/commands.js';
import { Config } from '../../../src/config/config.js';
import { PrivateDirectory, ProcessDirectory } from '../../../src/config/directory.js';
import { ConfigError, loadConfig, parseArguments } from '../../../src/config/file.js';
import { debugText, rewrittenText } from '../../../src/config/rewrite.js';
import { ErrorReply, OK } from '../../../src/resp/reply.js';

let root: string;
let directives: string[][];

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'kvasir-file-')));
  directives = [];
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function write(name: string, text: string): string {
  writeFileSync(join(root, name), text, 'latin1');
  return name;
}

function load(args: readonly string[], stdin = ''): Config {
  const config = new Config({ directory: new PrivateDirectory(root) });
  loadConfig(
    config,
    { arguments: parseArguments(args), readStdin: () => stdin },
    {
      renameCommand: (from, to) => {
        directives.push(['rename-command', from, to]);
        return from === 'nothing' ? 'No such command in rename-command' : null;
      },
      user: (words) => {
        directives.push(['user', ...words]);
        return null;
      },
    },
  );
  return config;
}

function refusal(args: readonly string[], stdin = ''): ConfigError {
  try {
    load(args, stdin);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('accepted');
}

describe('the command line', () => {
  it.each<[string[], ReturnType<typeof parseArguments>]>([
    [[], { file: null, stdin: false, options: '' }],
    [['a.conf'], { file: 'a.conf', stdin: false, options: '' }],
    [['-'], { file: null, stdin: true, options: '' }],
    [['a.conf', '--port', '1', '-'], { file: 'a.conf', stdin: true, options: 'port "1" ' }],
    [['--port', '-', '--hz', '5'], { file: null, stdin: false, options: 'port "-" \nhz "5" ' }],
    [['--port 5', '--hz 7'], { file: null, stdin: false, options: 'port 5 \nhz 7 ' }],
    [['--save', '--hz', '7'], { file: null, stdin: false, options: 'save ""\nhz "7" ' }],
    [['--x', '--y', '--hz', '7'], { file: null, stdin: false, options: 'x "--y" \nhz "7" ' }],
    [['--requirepass', 'é'], { file: null, stdin: false, options: 'requirepass "\\xc3\\xa9" ' }],
  ])('%j', (args, parsed) => {
    expect(parseArguments(args)).toEqual(parsed);
  });
});

describe('a configuration file', () => {
  it('is followed by standard input and the command line', () => {
    write('a.conf', 'timeout 1\nhz 20\nmaxmemory 1mb\n');
    const config = load(['a.conf', '--maxmemory', '3mb', '-'], 'hz 30\nmaxmemory 2mb');
    expect([config.int('timeout'), config.int('hz'), config.int('maxmemory')]).toEqual([1, 30, 3 << 20]);
    expect(config.file).toBe(join(root, 'a.conf'));
  });

  it('leaves the directives of others to them', () => {
    load([write('a.conf', 'rename-command GET ""\nUser alice on "+get key"\n')]);
    expect(directives).toEqual([
      ['rename-command', 'GET', ''],
      ['user', 'alice', 'on', '+get key'],
    ]);
    expect(refusal([write('b.conf', 'rename-command nothing x\n')]).reason).toBe(
      'No such command in rename-command',
    );
  });

  it.each([
    ['loadmodule x.so\n', 'loadmodule: modules are not supported by this server'],
    ['sentinel\n', 'sentinel mode is not supported by this server'],
    ['sentinel monitor x\n', 'sentinel directive while not in sentinel mode'],
    [
      'a.b 1\n',
      'Module Configuration detected without loadmodule directive or no ApplyConfig call: aborting',
    ],
    [
      'include nowhere.conf\n',
      "Fatal error, can't open config file 'nowhere.conf': No such file or directory",
    ],
    ['include a.conf\n', 'include is nested deeper than 64 files'],
  ])('refuses %j', (text, reason) => {
    expect(refusal([write('a.conf', text)]).reason).toBe(reason);
  });

  it('says where it is wrong', () => {
    mkdirSync(join(root, 'conf.d'));
    write('conf.d/1.conf', '\n  timeout x \n');
    const error = refusal([write('a.conf', 'hz 10\ninclude conf.d/*.conf\n')]);
    expect(error.place).toEqual({ source: 'conf.d/1.conf', line: 2, text: 'timeout x' });
    expect(error.report()).toBe(
      '\n*** FATAL CONFIG FILE ERROR (Version 9.1.2) ***\n' +
        'Reading the configuration file, at line 2\n' +
        ">>> 'timeout x'\n" +
        "argument couldn't be parsed into an integer\n" +
        '(in conf.d/1.conf)\n',
    );
    expect(error.message).toBe("conf.d/1.conf, line 2: argument couldn't be parsed into an integer");
    write('a.conf', 'hz 10');
    expect(refusal(['a.conf', '-'], '\nhz x').place).toEqual({
      source: 'standard input',
      line: 2,
      text: 'hz x',
    });
    expect(refusal(['a.conf', '--hz', 'x']).place).toEqual({
      source: 'the command line',
      line: 2,
      text: 'hz "x"',
    });
    const missing = refusal(['none.conf']);
    expect([missing.place, missing.reason]).toEqual([
      null,
      `Fatal error, can't open config file '${root}/none.conf': No such file or directory`,
    ]);
    expect(refusal([write('c.conf', 'replicaof a 1\ncluster-enabled yes\n')]).place).toBeNull();
  });

  it('creates the log file, or says why not', () => {
    load([write('a.conf', 'logfile x.log\n')]);
    expect(existsSync(join(root, 'x.log'))).toBe(true);
    expect(refusal([write('a.conf', 'logfile nowhere/x.log\n')]).report()).toContain(
      "***\nCan't open the log file: No such file or directory\n",
    );
  });

  it('reads relative names from where `dir` has moved to', () => {
    mkdirSync(join(root, 'sub'));
    write('sub/b.conf', 'hz 33\n');
    const config = load([write('a.conf', 'dir sub\ninclude b.conf\n')]);
    expect([config.int('hz'), config.value('dir')]).toEqual([33, join(root, 'sub')]);
  });

  it('keeps bytes that are not UTF-8', () => {
    expect(load([write('a.conf', 'requirepass \xff\xe9\n')]).str('requirepass')).toBe('\xff\xe9');
  });
});

describe('CONFIG REWRITE', () => {
  const nobody = { users: () => [] };
  const set = (config: Config, ...words: string[]) =>
    expect(configSet(config, words, { loading: false, local: true })).toBe(OK);
  const dirLine = () => `dir "${root}"`;

  it('keeps what it does not change', () => {
    const text =
      '# top\n\n\nport 1\nmaxmemory 1mb\n# end\ntimeout 1\nmaxmemory 2mb\nfuture-option 3\ninclude /dev/null\n';
    const config = load([write('a.conf', text.replace('future-option 3\n', ''))]);
    set(config, 'maxmemory', '1gb', 'slave-priority', '5', 'requirepass', 'a"b');
    expect(rewrittenText(config, text, { users: () => ['default on nopass'] }).split('\n')).toEqual([
      ...[
        '# top',
        '',
        'port 1',
        'maxmemory 1gb',
        '# end',
        'timeout 1',
        '',
        '# ??? future-option 3',
        'include /dev/null',
      ],
      ...[
        '',
        '# Generated by CONFIG REWRITE',
        dirLine(),
        'requirepass "a\\"b"',
        'save 3600 1 300 100 60 10000',
      ],
      ...['replica-priority 5', 'latency-tracking-info-percentiles 50 99 99.9', 'user default on nopass', ''],
    ]);
  });

  it('writes what it reads back', () => {
    const config = load([write('a.conf', 'bind 127.0.0.1\nsave 1 1\nsave 2 2\nmaxmemory-clients 5%\n')]);
    set(
      config,
      'shutdown-on-sigterm',
      'now nosave',
      'notify-keyspace-events',
      'KExn',
      'primaryauth',
      '\xff\n',
    );
    set(
      config,
      'client-output-buffer-limit',
      'normal 1mb 2 3 slave 1gb 1kb 5 pubsub 0 0 0',
      'oom-score-adj-values',
      '1 2 3',
    );
    expect(configRewrite(config, nobody)).toBe(OK);
    const first = readFileSync(join(root, 'a.conf'), 'latin1');
    const again = load(['a.conf']);
    expect(again.get(['*'])).toEqual(config.get(['*']));
    expect(configRewrite(again, nobody)).toBe(OK);
    // Like Valkey, it keeps the empty line behind the last line break as a line of the file.
    expect(readFileSync(join(root, 'a.conf'), 'latin1')).toBe(`${first}\n`);
    expect(readdirSync(root)).toEqual(['a.conf']);
    expect(statSync(join(root, 'a.conf')).mode & 0o777).toBe(0o644 & ~process.umask());
  });

  it('creates a file that has disappeared', () => {
    const config = load([write('a.conf', 'hz 20\n')]);
    rmSync(join(root, 'a.conf'));
    expect(configRewrite(config, nobody)).toBe(OK);
    expect(readFileSync(join(root, 'a.conf'), 'latin1')).toMatch(
      /^# Generated by CONFIG REWRITE\n(.*\n)*hz 20\n/,
    );
  });

  it('leaves the old file where it cannot write the new one', () => {
    mkdirSync(join(root, 'sub'));
    const config = load([write('sub/a.conf', 'hz 20\n')]);
    rmSync(join(root, 'sub'), { recursive: true });
    expect(configRewrite(config, nobody)).toEqual(
      new ErrorReply('ERR Rewriting config file: No such file or directory'),
    );
    mkdirSync(join(root, 'sub/a.conf'), { recursive: true });
    expect(configRewrite(config, nobody)).toEqual(
      new ErrorReply('ERR Rewriting config file: Is a directory'),
    );
    config.file = join(root, 'x'.repeat(255));
    expect(configRewrite(config, nobody)).toEqual(
      new ErrorReply('ERR Rewriting config file: File name too long'),
    );
    chmodSync(join(root, 'sub'), 0o755);
    expect(readdirSync(join(root, 'sub'))).toEqual(['a.conf']);
  });

  it('leaves out users who live in a file of their own, and the primary of a cluster node', () => {
    const config = load([write('a.conf', 'aclfile users.acl\ncluster-enabled yes\nuser x on\n')]);
    config.assign('replicaof', '127.0.0.1', '7000');
    const text = rewrittenText(config, 'replicaof a 1\nuser x on\n', { users: () => ['x on'] });
    expect(text).not.toMatch(/^(user|replicaof) /m);
    config.assign('cluster-enabled', 'no');
    expect(rewrittenText(config, 'slaveof a 1\n', nobody)).toMatch(/^replicaof 127.0.0.1 7000\n/);
  });

  it('can write every parameter, and those of a crash report', () => {
    const config = load([write('a.conf', '')]);
    const all = rewrittenText(config, '', { users: () => [], force: true });
    expect(all).toContain('\nmaxmemory 0\n');
    expect(all).toContain('\nproc-title-template "{title} {listen-addr} {server-mode}"\n');
    const debug = debugText(config);
    expect(debug).toContain('io-threads 1\n');
    expect(debug).toContain('client-query-buffer-limit 1gb\n');
    expect(debug).not.toMatch(/^maxmemory |^#/m);
  });
});

describe('the directory of the process', () => {
  it('is what `dir` moves', () => {
    const before = process.cwd();
    const directory = new ProcessDirectory();
    try {
      expect(directory.change(root)).toBeNull();
      expect([directory.path, process.cwd()]).toEqual([root, root]);
      expect(directory.change('nowhere')).toBe('No such file or directory');
      expect(directory.path).toBe(root);
    } finally {
      process.chdir(before);
    }
  });
});
