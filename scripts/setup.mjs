/** A checkout made ready to run: dependencies as package-lock.json has them, then what build.mjs finds missing. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, root, run, withProgress } from './native.mjs';

function packagesOf(file) {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')).packages ?? {}) : null;
}

/**
 * Whether node_modules is what the lock file asks for.
 * @param {string} dir the package's root
 */
export function dependenciesAreFresh(dir = root) {
  const wanted = packagesOf(join(dir, 'package-lock.json'));
  const found = packagesOf(join(dir, 'node_modules/.package-lock.json'));
  if (wanted === null || found === null) return false;
  return Object.entries(wanted).every(
    ([path, entry]) =>
      path === '' ||
      entry.optional ||
      entry.devOptional ||
      entry.peer ||
      found[path]?.version === entry.version,
  );
}

export async function installDependencies() {
  if (dependenciesAreFresh()) return;
  const npm = process.env.npm_execpath;
  const command = npm?.endsWith('.js') ? [process.execPath, npm] : [findProgram('npm') ?? 'npm'];
  await withProgress('Installing dependencies (npm ci)', async () => {
    const { code, output } = await run([...command, 'ci', '--include=dev', '--no-fund', '--no-audit']);
    if (code !== 0) throw new Error(`${output}\nnpm ci failed with exit code ${code}`);
  });
}

/** Node's version must be the one package.json asks for: the errors of an older one explain nothing. */
export function checkNodeVersion(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 17)) return;
  throw new Error(`Kvasir needs Node 20.17 or later; this is ${version}.`);
}

/** Runs a script's work; a failure is its message and exit code 1, not a stack trace. */
export async function main(work) {
  try {
    await work();
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
