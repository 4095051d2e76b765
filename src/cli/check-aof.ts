/** `kvasir check-aof`: what it reads and writes; the rest is src/persistence/check-aof.ts. */
import { readSync, writeSync } from 'node:fs';
import { checkAof } from '../persistence/check-aof.js';
import { KVASIR_VERSION, VALKEY_VERSION } from '../version.js';

export function runCheckAof(program: string, args: readonly string[]): number {
  return checkAof(
    program,
    args,
    {
      out: (text) => {
        writeSync(1, Buffer.from(text, 'latin1'));
      },
      ask: readAnswer,
      checkRdb: () => null,
    },
    `kvasir-check-aof ${KVASIR_VERSION} (Valkey ${VALKEY_VERSION})`,
  );
}

/** One byte is enough to know. */
function readAnswer(): string {
  const byte = Buffer.alloc(1);
  try {
    return byte.toString('latin1', 0, readSync(0, byte, 0, 1, null));
  } catch {
    return '';
  }
}
