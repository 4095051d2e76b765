/**
 * Who we are, for `--version`, the start-up lines, the banner and INFO.
 *
 * Two versions: Kvasir's own, and the Valkey version whose behaviour it has, which is what clients and
 * tools read and compare. The commit comes from `dist/build-info.json`, which `scripts/build.mjs` writes; a
 * tree that was never built has zeros there, as a Valkey built outside git has.
 */
import { readFileSync } from 'node:fs';

/** The Valkey version whose behaviour clients see. */
export const VALKEY_VERSION = '9.1.2';
/** What Valkey 9 reports as `redis_version`. */
export const REDIS_VERSION = '7.2.4';
/** `valkey_release_stage` of INFO. */
export const RELEASE_STAGE = 'ga';

interface BuildInfo {
  sha: string;
  dirty: boolean;
  id: string;
}

function readJson(relative: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(new URL(relative, import.meta.url), 'utf8')) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** Kvasir's own version: package.json's. The file lies one level above both `src/` and `dist/`. */
export const KVASIR_VERSION = String(readJson('../package.json').version ?? '0.0.0');

const info = readJson('./build-info.json');

export const BUILD: Readonly<BuildInfo> = {
  /** First eight digits of the commit. */
  sha: typeof info.sha === 'string' ? info.sha : '00000000',
  /** Whether the tree had changes over that commit. */
  dirty: info.dirty === true,
  /** Sixteen hexadecimal digits that differ between builds of different sources. */
  id: typeof info.id === 'string' ? info.id : '0',
};

/** The line `--version` prints; its `key=value` fields are those of `valkey-server --version`, and one more. */
export function versionLine(allocator: string): string {
  const dirty = BUILD.dirty ? 1 : 0;
  return `Kvasir server v=${VALKEY_VERSION} sha=${BUILD.sha}:${dirty} malloc=${allocator} bits=64 build=${BUILD.id} kvasir=${KVASIR_VERSION}`;
}
