/**
 * The one place that loads the addon. `node-gyp-build` looks, from the package's root, for `build/Release`
 * (a checkout, or a machine no prebuilt file fits) and then for `prebuilds/<platform>-<arch>`.
 */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's root: two levels above this file, in `src/native/` as in `dist/native/`. */
export const packageRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

type Loader = ((dir: string) => unknown) & { resolve(dir: string): string };

/** Why the addon could not be loaded, and what to do about it. */
export class AddonError extends Error {
  override name = 'AddonError';
}

function explain(root: string, found: string | null, cause: unknown): AddonError {
  const reason = cause instanceof Error ? cause.message.trim() : String(cause);
  const machine = `${process.platform}-${process.arch}, Node ${process.versions.node}, N-API ${process.versions.napi}`;
  const text =
    found === null
      ? `Kvasir has no native addon for this machine (${machine}).\nTried: ${root}/build/Release/*.node, ` +
        `${root}/prebuilds/${process.platform}-${process.arch}/*.node`
      : `Kvasir's native addon cannot be loaded on this machine (${machine}).\nTried: ${found}\nReason: ${reason}`;
  return new AddonError(
    `${text}\nCompile it with "npm rebuild kvasir" (in a checkout: "npm run build"); that takes a C++20 compiler.`,
    { cause },
  );
}

/** @throws AddonError */
export function loadAddon(root = packageRoot): unknown {
  const load = createRequire(import.meta.url)('node-gyp-build') as Loader;
  let found: string | null = null;
  try {
    found = load.resolve(root);
    return load(root);
  } catch (cause) {
    throw explain(root, found, cause);
  }
}
