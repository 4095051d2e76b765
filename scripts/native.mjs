/**
 * Compiling and trying the native addon: what install, build, prebuild and their tests share. Plain Node
 * without dependencies, because it runs where nothing is installed yet.
 *
 * Three ways lead to build/Release/kvasir.node, all from native/sources.txt and without network access:
 *   cmake-js   cmake and the development dependency are there (a checkout)
 *   cmake      cmake is there (a machine that no prebuilt file fits)
 *   node-gyp   no cmake; binding.gyp; needs python
 */
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Full path of a program on PATH, or null. */
export function findProgram(name, path = process.env.PATH ?? '') {
  for (const folder of path.split(delimiter)) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) return file;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}

function resolveModule(specifier, from = root) {
  try {
    return createRequire(join(from, 'package.json')).resolve(specifier);
  } catch {
    return null;
  }
}

/** The folder that has include/node of the running Node, or null where it came without headers. */
export function nodePrefix() {
  const prefix = resolve(dirname(process.execPath), '..');
  return existsSync(join(prefix, 'include/node/node_api.h')) ? prefix : null;
}

function findNodeGyp() {
  const own = resolveModule('node-gyp/bin/node-gyp.js');
  if (own !== null) return own;
  // npm brings its own and names it to the scripts it runs.
  const npm = process.env.npm_execpath;
  const bundled = npm ? join(dirname(npm), '../node_modules/node-gyp/bin/node-gyp.js') : null;
  for (const file of [process.env.npm_config_node_gyp, bundled]) {
    if (file && existsSync(file)) return file;
  }
  return null;
}

/**
 * The commands that compile the addon here, in order, or null when this machine cannot.
 * @param {string} dir the package's root
 */
export function compilePlan(dir = root) {
  const cmake = findProgram('cmake');
  const ccache = findProgram('ccache');
  const jobs = String(availableParallelism());
  if (cmake !== null) {
    const cmakeJs = resolveModule('cmake-js/bin/cmake-js', dir);
    if (cmakeJs !== null) {
      const launcher = ccache === null ? [] : [`--CDCMAKE_CXX_COMPILER_LAUNCHER=${ccache}`];
      const args = [cmakeJs, 'build', '--directory', dir, '--parallel', jobs, ...launcher];
      return { tool: 'cmake-js', commands: [[process.execPath, ...args]] };
    }
    const build = join(dir, 'build');
    return {
      tool: 'cmake',
      commands: [
        [
          ...[cmake, '-S', dir, '-B', build, '-DCMAKE_BUILD_TYPE=Release'],
          `-DKVASIR_NODE=${process.execPath}`,
          `-DCMAKE_LIBRARY_OUTPUT_DIRECTORY=${join(build, 'Release')}`,
          ...(ccache === null ? [] : [`-DCMAKE_CXX_COMPILER_LAUNCHER=${ccache}`]),
        ],
        [cmake, '--build', build, '--config', 'Release', '--parallel', jobs],
      ],
    };
  }
  const nodeGyp = findNodeGyp();
  if (nodeGyp === null) return null;
  const prefix = nodePrefix();
  const headers = prefix === null ? [] : ['--nodedir', prefix];
  return {
    tool: 'node-gyp',
    commands: [[process.execPath, nodeGyp, 'rebuild', '--directory', dir, '--jobs', jobs, ...headers]],
  };
}

/** Whether a build folder was made by another tool or for another place, so that cmake would refuse it. */
function isForeignBuild(dir, tool) {
  const build = join(dir, 'build');
  if (!existsSync(build)) return false;
  return existsSync(join(build, 'CMakeCache.txt')) === (tool === 'node-gyp');
}

/**
 * Runs one command and gathers its output.
 * @param {string[]} command
 * @param {{cwd?: string, env?: NodeJS.ProcessEnv, onOutput?: (text: string) => void}} options
 * @returns {Promise<{code: number, output: string}>}
 */
export function run(command, { cwd = root, env = process.env, onOutput = () => {} } = {}) {
  return new Promise((done) => {
    const [program, ...args] = command;
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const take = (chunk) => {
      const text = String(chunk);
      output += text;
      onOutput(text);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', (error) => done({ code: 127, output: `${output}${error.message}\n` }));
    child.on('close', (code) => done({ code: code ?? 1, output }));
  });
}

/**
 * Compiles the addon into build/Release.
 * @param {string} dir the package's root
 * @param {(progress: string) => void} onProgress
 * @throws Error with the whole output of the tool that failed
 */
export async function compile(dir = root, onProgress = () => {}) {
  const plan = compilePlan(dir);
  if (plan === null) {
    throw new Error(
      'Compiling Kvasir takes a C++20 compiler and cmake (or node-gyp and python).\n' +
        'On Debian or Ubuntu: apt-get install g++ cmake',
    );
  }
  if (isForeignBuild(dir, plan.tool)) rmSync(join(dir, 'build'), { recursive: true });
  onProgress(plan.tool);
  for (const command of plan.commands) {
    const { code, output } = await run(command, {
      cwd: dir,
      onOutput: (text) => {
        // ninja counts its steps, make its percents.
        const step = [...text.matchAll(/\[\s*(\d+\/\d+|\d+%)\]/g)].pop();
        if (step) onProgress(`${plan.tool} ${step[1]}`);
      },
    });
    if (code !== 0)
      throw new Error(`${output}\n${plan.tool} failed with exit code ${code}: ${command.join(' ')}`);
  }
}

/**
 * Loads the addon the way the server does, in a process of its own: a damaged file can kill it.
 * @returns '' when it loads, otherwise what went wrong
 */
export function tryAddon(dir = root) {
  const loader = resolveModule('node-gyp-build', dir);
  if (loader === null) return 'node-gyp-build is not installed';
  const program = `require(${JSON.stringify(loader)})(${JSON.stringify(dir)})`;
  const result = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' });
  if (result.status === 0) return '';
  if (result.signal !== null) return `loading it ended with ${result.signal}`;
  return /Error: (.*)/.exec(result.stderr)?.[1] ?? result.stderr.trim();
}

/** Newest modification time (milliseconds) below the given files and folders; 0 when there are none. */
export function newest(paths) {
  let latest = 0;
  for (const path of paths) {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    latest = Math.max(latest, stat.mtimeMs);
    if (stat.isDirectory())
      latest = Math.max(latest, newest(readdirSync(path).map((name) => join(path, name))));
  }
  return latest;
}

/** What a compiled addon depends on, below the package's root. */
export const NATIVE_INPUTS = ['native/core', 'native/addon', 'native/sources.txt', 'CMakeLists.txt'];

/** Whether a product exists and none of its inputs (relative to `dir`) is newer. */
export function isFresh(product, inputs, dir = root) {
  const stat = statSync(product, { throwIfNoEntry: false });
  return stat !== undefined && stat.mtimeMs >= newest(inputs.map((name) => join(dir, name)));
}

/**
 * One line that says what is going on: rewritten in place on a terminal, printed at start and end elsewhere.
 * @param {string} title
 * @param {(update: (text: string) => void) => Promise<unknown>} work
 */
export async function withProgress(title, work, out = process.stdout) {
  const started = Date.now();
  const seconds = () => `${((Date.now() - started) / 1000).toFixed(0)} s`;
  let detail = '';
  const draw = () => out.write(`\r\x1b[K${title} ${detail} ${seconds()}`);
  let timer = null;
  if (out.isTTY) {
    timer = setInterval(draw, 1000);
    draw();
  } else {
    out.write(`${title} ...\n`);
  }
  try {
    await work((text) => {
      detail = text;
      if (out.isTTY) draw();
    });
    out.write(`${out.isTTY ? '\r\x1b[K' : ''}${title}: done in ${seconds()}\n`);
  } catch (error) {
    out.write(`${out.isTTY ? '\r\x1b[K' : ''}${title}: failed after ${seconds()}\n`);
    throw error;
  } finally {
    if (timer !== null) clearInterval(timer);
  }
}

/** A development tool's program in node_modules, or null. */
export function findTool(specifier) {
  return resolveModule(specifier);
}
