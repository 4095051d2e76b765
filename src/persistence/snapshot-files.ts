/** Files that the core writes from walks over the keyspace while the loop goes on (native/core/engine/background_save.h). */
import type { NativeServer, SaveFailure, SaveFileOptions } from '../native/addon.js';

/** `unstorable`: the version of the file cannot hold the value of a key, which `error` tells as "<db> <key>". */
export type WriteFailure = SaveFailure;

export interface RunningWrite {
  /** Ends it without a word; what has been written stays. */
  cancel(): void;
  progress(): { keys: number; delivered: number };
}

export class SnapshotFiles {
  /** How many have been begun. */
  begun = 0;
  readonly #native: NativeServer;
  readonly #ended = new Map<number, (failure: WriteFailure | null) => void>();

  constructor(native: NativeServer) {
    this.#native = native;
  }

  get busy(): boolean {
    return this.#ended.size > 0;
  }

  /** Begins to write what all databases hold now; `ended` is called when it is synced, or has failed. */
  begin(
    path: string,
    options: SaveFileOptions,
    ended: (failure: WriteFailure | null) => void,
  ): RunningWrite | WriteFailure {
    const native = this.#native;
    const id = native.beginSave(path, options);
    if (typeof id !== 'number') return id;
    this.begun++;
    this.#ended.set(id, ended);
    return {
      cancel: () => {
        this.#ended.delete(id);
        native.cancelSave(id);
      },
      progress: () => native.saveProgress(id),
    };
  }

  /** What the control event `saved` tells. */
  report(detail: string): void {
    const [number, operation, ...rest] = detail.split(' ');
    const id = Number(number);
    const ended = this.#ended.get(id);
    this.#ended.delete(id);
    ended?.(operation === 'ok' ? null : { operation: operation!, error: rest.join(' ') });
  }
}
