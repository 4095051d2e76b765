/**
 * Whether the package that `npm pack` makes serves where there is no compiler: packs it, installs it into
 * empty folders with an empty HOME, and starts it.
 *
 *   node scripts/pack-test.mjs [--keep]        (--keep leaves the folders for a look)
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram, root } from './native.mjs';
import { main } from './setup.mjs';

const PREBUILD = `prebuilds/${process.platform}-${process.arch}/kvasir.glibc.node`;

function execute(command, args, options) {
  const result = spawnSync(command, args, { encoding: 'utf8', ...options });
  if (result.status !== 0) {
    throw new Error(
      `${command} ${args.join(' ')} failed\n${result.stdout ?? ''}${result.stderr ?? result.error}`,
    );
  }
  return result.stdout;
}

/** A folder with links to programs, to be all of a PATH. */
function pathOf(dir, programs) {
  mkdirSync(dir);
  for (const [name, target] of programs) symlinkSync(target, join(dir, name));
  return dir;
}

/** A project with the tarball as its only dependency; its environment has the given PATH and an empty HOME. */
function install(work, name, tarball, path, ...flags) {
  const dir = join(work, name);
  const home = join(work, `${name}-home`);
  mkdirSync(dir);
  mkdirSync(home);
  writeFileSync(join(dir, 'package.json'), '{"private":true}');
  const env = { PATH: path, HOME: home };
  execute('npm', ['install', '--no-audit', '--no-fund', ...flags, tarball], { cwd: dir, env });
  return { dir, env, kvasir: join(dir, 'node_modules/kvasir') };
}

/** Which file the installed package loads. */
function loadedFile({ dir, env, kvasir }) {
  const program =
    `import { loadAddon } from ${JSON.stringify(join(kvasir, 'dist/native/load.js'))};` +
    'const before = new Set(process.report.getReport().sharedObjects); loadAddon();' +
    "console.log(process.report.getReport().sharedObjects.find((f) => f.endsWith('.node') && !before.has(f)))";
  return execute('node', ['--input-type=module', '-e', program], { cwd: dir, env }).trim();
}

function freePort() {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

function ping(port) {
  return new Promise((done, fail) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.once('data', (data) => {
      socket.destroy();
      done(String(data));
    });
    socket.once('error', fail);
  });
}

/** Starts the installed server, pings it, ends it with SIGTERM. */
async function serves({ dir, env }) {
  const port = await freePort();
  const server = spawn(
    join(dir, 'node_modules/.bin/kvasir-server'),
    ['--port', String(port), '--bind', '127.0.0.1'],
    {
      cwd: dir,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  const exit = new Promise((done) => server.once('exit', (code, signal) => done(signal ?? code)));
  const ready = new Promise((done) => {
    for (const stream of [server.stdout, server.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk;
        if (output.includes('Ready to accept connections tcp')) done('ready');
      });
    }
  });
  if ((await Promise.race([ready, exit])) !== 'ready')
    throw new Error(`the server did not start:\n${output}`);
  const reply = await ping(port);
  if (reply !== '+PONG\r\n') throw new Error(`PING was answered with ${JSON.stringify(reply)}`);
  server.kill('SIGTERM');
  const code = await exit;
  if (code !== 0) throw new Error(`SIGTERM ended the server with ${code}:\n${output}`);
}

function expect(condition, message) {
  if (!condition) throw new Error(message);
}

await main(async () => {
  const work = mkdtempSync(join(tmpdir(), 'kvasir-pack-'));
  try {
    const packed = JSON.parse(
      execute('npm', ['pack', '--json', '--pack-destination', work], { cwd: root }).replace(/^[^[{]*/s, ''),
    );
    const entry = Array.isArray(packed) ? packed[0] : Object.values(packed)[0];
    const tarball = join(work, entry.filename);
    for (const arch of ['x64', 'arm64']) {
      const file = `prebuilds/linux-${arch}/kvasir.glibc.node`;
      expect(
        entry.files.some(({ path }) => path === file),
        `the tarball has no ${file}`,
      );
    }
    console.log(`packed ${entry.filename}: ${entry.files.length} files, ${entry.size} bytes`);

    const bare = pathOf(join(work, 'bare-path'), [
      ['node', process.execPath],
      ['npm', findProgram('npm')],
      ['sh', '/bin/sh'],
    ]);
    for (const flags of [[], ['--ignore-scripts']]) {
      const project = install(work, `bare${flags.join('')}`, tarball, bare, ...flags);
      const file = loadedFile(project);
      expect(file === join(project.kvasir, PREBUILD), `loaded ${file}, not the prebuilt file`);
      await serves(project);
      console.log(`npm install ${flags.join(' ')} with only node, npm and sh on PATH: serves`);
    }

    const everything = readdirSync('/usr/bin').map((name) => [name, join('/usr/bin', name)]);
    const withoutCmake = pathOf(join(work, 'gyp-path'), [
      ...everything.filter(([name]) => !['cmake', 'node', 'npm'].includes(name)),
      ['node', process.execPath],
      ['npm', findProgram('npm')],
    ]);
    for (const [tool, path] of [
      ['cmake', process.env.PATH],
      ['node-gyp', withoutCmake],
    ]) {
      const project = install(work, `damaged-${tool}`, tarball, path);
      const prebuilt = join(project.kvasir, PREBUILD);
      writeFileSync(prebuilt, readFileSync(prebuilt).subarray(0, 4000));
      execute('npm', ['rebuild', 'kvasir'], { cwd: project.dir, env: project.env });
      expect(
        existsSync(join(project.kvasir, 'build/CMakeCache.txt')) === (tool === 'cmake'),
        `the addon was not compiled with ${tool}`,
      );
      const file = loadedFile(project);
      expect(
        file === join(project.kvasir, 'build/Release/kvasir.node'),
        `loaded ${file}, not the compiled file`,
      );
      await serves(project);
      console.log(`a damaged prebuilt file: compiled with ${tool}, serves`);
    }
  } finally {
    if (process.argv.includes('--keep')) console.log(`kept: ${work}`);
    else rmSync(work, { recursive: true, force: true });
  }
});
