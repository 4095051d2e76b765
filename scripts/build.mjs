/**
 * Builds what is out of date: build/Release/kvasir.node from native/, dist/ from src/.
 *
 *   node scripts/build.mjs [--native] [--ts] [--force]      (neither: both)
 */
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  compile,
  findProgram,
  findTool,
  isFresh,
  NATIVE_INPUTS,
  root,
  run,
  tryAddon,
  withProgress,
} from './native.mjs';
import { main } from './setup.mjs';

const ADDON = join(root, 'build/Release/kvasir.node');
/** Written last, so that its time is the time of a complete dist/. */
const STAMP = join(root, 'dist/build-info.json');

export async function buildNative(force = false) {
  if (!force && isFresh(ADDON, NATIVE_INPUTS)) return;
  await withProgress('Compiling the native addon', async (update) => {
    await compile(root, update);
    const trouble = tryAddon();
    if (trouble !== '') throw new Error(`build/Release/kvasir.node does not load: ${trouble}`);
    // A change that alters nothing in the product leaves the linker idle; the product is up to date all the same.
    utimesSync(ADDON, new Date(), new Date());
  });
}

/** What `--version` and INFO say about this build. */
async function buildInfo() {
  const git = findProgram('git');
  const ask = async (...args) => (git === null ? { code: 1, output: '' } : run([git, '-C', root, ...args]));
  const commit = await ask('rev-parse', '--short=8', 'HEAD');
  const changes = await ask('status', '--porcelain', '--untracked-files=no');
  const sha = commit.code === 0 ? commit.output.trim() : '00000000';
  const dirty = changes.code === 0 && changes.output !== '';
  const version = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
  const id = createHash('sha256').update(`${version} ${sha} ${dirty}`).digest('hex').slice(0, 16);
  return { sha, dirty, id };
}

export async function buildTypeScript(force = false) {
  if (!force && isFresh(STAMP, ['src', 'tsconfig.json', 'tsconfig.build.json', 'package.json'])) return;
  await withProgress('Compiling TypeScript', async () => {
    const packageFile = findTool('typescript/package.json');
    if (packageFile === null) throw new Error('typescript is not installed: run npm ci');
    const tsc = join(packageFile, '../bin/tsc');
    rmSync(join(root, 'dist'), { recursive: true, force: true });
    const { code, output } = await run([process.execPath, tsc, '-p', 'tsconfig.build.json']);
    if (code !== 0) throw new Error(output);
    writeFileSync(STAMP, `${JSON.stringify(await buildInfo())}\n`);
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    const args = new Set(process.argv.slice(2));
    const force = args.delete('--force');
    const native = args.delete('--native');
    const ts = args.delete('--ts');
    if (args.size > 0) throw new Error(`unknown option ${[...args][0]}; known: --native --ts --force`);
    if (native || !ts) await buildNative(force);
    if (ts || !native) await buildTypeScript(force);
  });
}
