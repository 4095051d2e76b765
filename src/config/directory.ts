// The directory that `dir` names and that relative paths of the configuration start from. A server of its own uses
// that of the process; one embedded in a program must not move its host, and keeps a private one.

import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { fromUtf8, toPath, toUtf8 } from './bytes.js';
import { strerror } from './errno.js';

export interface WorkingDirectory {
  /** Absolute, latin1 bytes; empty when the directory no longer exists. */
  readonly path: string;
  /** Moves to `path`, absolute or relative to the present directory. Returns the error text, or null. */
  change(path: string): string | null;
}

export class ProcessDirectory implements WorkingDirectory {
  get path(): string {
    try {
      return fromUtf8(process.cwd());
    } catch {
      return '';
    }
  }

  change(path: string): string | null {
    try {
      process.chdir(toUtf8(path));
      return null;
    } catch (error) {
      return strerror(error);
    }
  }
}

export class PrivateDirectory implements WorkingDirectory {
  #path: string;

  constructor(path: string = fromUtf8(process.cwd())) {
    this.#path = path;
  }

  get path(): string {
    return this.#path;
  }

  change(path: string): string | null {
    const target = toPath(joinPath(this.#path, path));
    try {
      if (!statSync(target).isDirectory()) return strerror({ code: 'ENOTDIR' });
      accessSync(target, constants.X_OK);
      this.#path = realpathSync(target, { encoding: 'buffer' }).toString('latin1');
      return null;
    } catch (error) {
      return strerror(error);
    }
  }
}

export function joinPath(directory: string, path: string): string {
  if (path.startsWith('/')) return path;
  return directory.endsWith('/') ? directory + path : `${directory}/${path}`;
}

/** An absolute form of the path of a configuration file: trimmed, and leading `../` resolved. */
export function absolutePath(directory: string, path: string): string {
  let rest = path.replace(/^[ \r\n\t]+|[ \r\n\t]+$/g, '');
  let base = directory.endsWith('/') ? directory : `${directory}/`;
  if (rest.startsWith('/')) return rest;
  while (rest.startsWith('../')) {
    rest = rest.slice(3);
    if (base.length > 1) base = base.slice(0, base.lastIndexOf('/', base.length - 2) + 1);
  }
  return base + rest;
}
