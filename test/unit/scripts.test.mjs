import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isAbove, lowerVersions, neededVersions, parseVersion } from '../../scripts/elf-versions.mjs';
import {
  compilePlan,
  findProgram,
  isFresh,
  newest,
  root,
  tryAddon,
  withProgress,
} from '../../scripts/native.mjs';
import { checkNodeVersion, dependenciesAreFresh } from '../../scripts/setup.mjs';
import { connectHint, serverArguments } from '../../scripts/start.mjs';

let dir;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kvasir-scripts-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

describe('programs', () => {
  test('are found on PATH when they can be run', () => {
    mkdirSync(join(dir, 'a'));
    mkdirSync(join(dir, 'b/tool'), { recursive: true });
    mkdirSync(join(dir, 'c'));
    writeFileSync(join(dir, 'a/tool'), '');
    writeFileSync(join(dir, 'c/tool'), '');
    chmodSync(join(dir, 'c/tool'), 0o755);
    const path = ['a', 'b', 'c'].map((name) => join(dir, name)).join(':');
    expect(findProgram('tool', path)).toBe(join(dir, 'c/tool'));
    expect(findProgram('other', path)).toBeNull();
  });

  test('decide how the addon is compiled', () => {
    const path = process.env.PATH;
    try {
      process.env.PATH = dir;
      expect(compilePlan(root)?.tool).toBe('node-gyp');
      writeFileSync(join(dir, 'cmake'), '');
      chmodSync(join(dir, 'cmake'), 0o755);
      expect(compilePlan(root)?.tool).toBe('cmake-js');
      expect(compilePlan('/')?.tool).toBe('cmake');
    } finally {
      process.env.PATH = path;
    }
  });
});

describe('freshness', () => {
  const at = (path, seconds) => {
    writeFileSync(join(dir, path), '');
    utimesSync(join(dir, path), seconds, seconds);
  };

  test('of a product goes by the newest input', () => {
    mkdirSync(join(dir, 'in/deep'), { recursive: true });
    at('in/deep/x', 1000);
    utimesSync(join(dir, 'in/deep'), 1000, 1000);
    utimesSync(join(dir, 'in'), 1000, 1000);
    at('product', 1000);
    expect(newest([join(dir, 'in'), join(dir, 'missing')])).toBe(1_000_000);
    expect(isFresh(join(dir, 'product'), ['in'], dir)).toBe(true);
    expect(isFresh(join(dir, 'missing'), ['in'], dir)).toBe(false);
    at('in/deep/x', 1001);
    expect(isFresh(join(dir, 'product'), ['in'], dir)).toBe(false);
  });

  test('of node_modules goes by the lock file', () => {
    const lock = (packages) => JSON.stringify({ packages });
    mkdirSync(join(dir, 'node_modules'));
    const wanted = {
      '': {},
      'node_modules/a': { version: '1.0.0' },
      'node_modules/b': { version: '1.0.0', optional: true },
    };
    writeFileSync(join(dir, 'package-lock.json'), lock(wanted));
    expect(dependenciesAreFresh(dir)).toBe(false);
    writeFileSync(
      join(dir, 'node_modules/.package-lock.json'),
      lock({ 'node_modules/a': { version: '1.0.0' } }),
    );
    expect(dependenciesAreFresh(dir)).toBe(true);
    writeFileSync(
      join(dir, 'node_modules/.package-lock.json'),
      lock({ 'node_modules/a': { version: '1.0.1' } }),
    );
    expect(dependenciesAreFresh(dir)).toBe(false);
  });

  test('of Node itself', () => {
    expect(() => checkNodeVersion('20.16.9')).toThrow(/needs Node 20\.17/);
    expect(() => checkNodeVersion('18.20.0')).toThrow();
    for (const version of ['20.17.0', '22.0.0', process.versions.node]) checkNodeVersion(version);
  });
});

describe('the addon', () => {
  test('is tried in a process of its own', { timeout: 60_000 }, () => {
    mkdirSync(join(dir, 'build/Release'), { recursive: true });
    mkdirSync(join(dir, 'node_modules'));
    writeFileSync(join(dir, 'package.json'), '{"name":"kvasir"}');
    expect(tryAddon(dir)).toBe('node-gyp-build is not installed');
    mkdirSync(join(dir, 'node_modules/node-gyp-build'));
    const loader = join(dir, 'node_modules/node-gyp-build/index.js');
    writeFileSync(loader, 'module.exports = (dir) => require(dir + "/missing.node")');
    expect(tryAddon(dir)).toMatch(/Cannot find module/);
    writeFileSync(loader, 'module.exports = () => process.kill(process.pid, "SIGKILL")');
    expect(tryAddon(dir)).toBe('loading it ended with SIGKILL');
    writeFileSync(loader, 'module.exports = () => ({})');
    expect(tryAddon(dir)).toBe('');
  });
});

describe('npm start', () => {
  test('takes PORT unless the arguments name one', () => {
    expect(serverArguments([], {})).toEqual([]);
    expect(serverArguments(['a.conf'], { PORT: '7000' })).toEqual(['a.conf', '--port', '7000']);
    expect(serverArguments(['--port', '1'], { PORT: '7000' })).toEqual(['--port', '1']);
  });

  test('says how to connect', () => {
    expect(connectHint([])).toContain('valkey-cli -p 6379');
    expect(connectHint(['--port', '7000'])).toContain('redis://localhost:7000');
  });
});

describe('progress', () => {
  async function shown(isTTY, work) {
    const out = new PassThrough();
    out.isTTY = isTTY;
    let error = null;
    await withProgress('Doing', work, out).catch((reason) => {
      error = reason;
    });
    return { text: String(out.read()), error };
  }

  test('is one line on a terminal, a beginning and an end elsewhere', async () => {
    const work = async (update) => update('3/4');
    expect((await shown(true, work)).text).toBe(
      '\r\x1b[KDoing  0 s\r\x1b[KDoing 3/4 0 s\r\x1b[KDoing: done in 0 s\n',
    );
    expect((await shown(false, work)).text).toBe('Doing ...\nDoing: done in 0 s\n');
  });

  test('ends with the failure', async () => {
    const failing = async () => {
      throw new Error('no compiler');
    };
    const { text, error } = await shown(false, failing);
    expect(text).toContain('Doing: failed after');
    expect(error.message).toBe('no compiler');
  });
});

describe('symbol versions', () => {
  test('compare by number within their family', () => {
    expect(parseVersion('GLIBCXX_3.4.21')).toEqual(['GLIBCXX', [3, 4, 21]]);
    const floors = { GLIBC: '2.28' };
    expect(
      ['GLIBC_2.9', 'GLIBC_2.28', 'GLIBC_2.28.1', 'GLIBC_2.34', 'GLIBC_3', 'GCC_9'].map((v) =>
        isAbove(v, floors),
      ),
    ).toEqual([false, false, true, true, true, false]);
    expect(isAbove('GLIBC_PRIVATE', floors)).toBe(true);
  });

  test('are read and lowered in a library', { timeout: 120_000 }, () => {
    const source = join(dir, 'x.cc');
    const library = join(dir, 'x.so');
    writeFileSync(
      source,
      `#include <condition_variable>
       #include <cstring>
       extern "C" size_t f(std::condition_variable& c, std::unique_lock<std::mutex>& l, const char* s) {
         c.wait(l);
         c.notify_one();
         return strlen(s);
       }`,
    );
    execFileSync('c++', ['-shared', '-fPIC', '-O0', '-std=c++20', '-o', library, source]);
    const file = readFileSync(library);
    const versionOf = (name) => neededVersions(file).find(({ symbol }) => symbol === name)?.version;
    const wait = '_ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE';
    expect(versionOf('strlen')).toMatch(/^GLIBC_2\./);
    const built = versionOf(wait);
    expect(built).toMatch(/^GLIBCXX_3\.4\.\d+$/);

    // notify_one has its first version, which is not above; wait is brought below the floor.
    expect(lowerVersions(file, { GLIBCXX: '3.4.11' })).toEqual([]);
    expect(versionOf(wait)).toBe(built === 'GLIBCXX_3.4.11' ? built : undefined);
    // What cannot be lowered is named.
    expect(lowerVersions(file, { GLIBC: '1.0' })).toContainEqual({
      symbol: 'strlen',
      version: versionOf('strlen'),
    });
    expect(() => neededVersions(Buffer.from('not a library at all'))).toThrow(/ELF/);
  });
});
