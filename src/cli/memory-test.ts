/**
 * `--test-memory`: writes patterns to a large block and reads them back, to find broken RAM before it finds
 * your data. Every pass does an address pattern, random words, solid zeros and ones, and a checkerboard, each
 * verified twice; a cell that does not hold its value is reported with its offset.
 */

/** xorshift32: repeatable, so that the words can be generated again for the comparison. */
function nextRandom(state: number): number {
  let x = state;
  x ^= x << 13;
  x ^= x >>> 17;
  x ^= x << 5;
  return x >>> 0;
}

type Pattern = (block: Uint32Array, visit: (index: number, value: number) => void) => void;

function constant(even: number, odd: number): Pattern {
  return (block, visit) => {
    for (let i = 0; i < block.length; i++) visit(i, i % 2 === 0 ? even : odd);
  };
}

const PATTERNS: readonly [name: string, pattern: Pattern][] = [
  [
    'Addressing test',
    (block, visit) => {
      for (let i = 0; i < block.length; i++) visit(i, i >>> 0);
    },
  ],
  [
    'Random fill',
    (block, visit) => {
      let word = 0x9e3779b9;
      for (let i = 0; i < block.length; i++) {
        word = nextRandom(word);
        visit(i, word);
      }
    },
  ],
  ['Solid fill', constant(0, 0xffffffff)],
  ['Checkerboard fill', constant(0x55555555, 0xaaaaaaaa)],
];

export interface MemoryFault {
  test: string;
  /** Bytes from the start of the block. */
  offset: number;
  expected: number;
  found: number;
}

/** @returns the first cell that did not hold its value, or null. */
export function testBlock(
  block: Uint32Array,
  progress: (test: string) => void,
  betweenWriteAndRead: (block: Uint32Array) => void = () => {},
): MemoryFault | null {
  for (const [test, pattern] of PATTERNS) {
    progress(test);
    pattern(block, (index, value) => {
      block[index] = value;
    });
    betweenWriteAndRead(block);
    let fault: MemoryFault | null = null;
    for (let round = 0; round < 2 && fault === null; round++) {
      pattern(block, (index, value) => {
        const found = block[index]!;
        if (found !== value && fault === null) fault = { test, offset: index * 4, expected: value, found };
      });
    }
    if (fault !== null) return fault;
  }
  return null;
}

/** @returns whether all passes held. */
export function testMemory(megabytes: number, passes: number, print: (text: string) => void): boolean {
  // Blocks of at most 1 GB: a typed array has a limit, the memory to be tested has none.
  const blocks: Uint32Array[] = [];
  for (let left = megabytes; left > 0; left -= 1024) {
    blocks.push(new Uint32Array(Math.min(left, 1024) * 262144));
  }
  for (let pass = 1; pass <= passes; pass++) {
    for (const block of blocks) {
      const fault = testBlock(block, (test) => print(`\r${test} [${pass}/${passes}]`.padEnd(40)));
      if (fault !== null) {
        const hex = (n: number) => `0x${n.toString(16).padStart(8, '0')}`;
        print(
          `\n*** MEMORY ERROR DETECTED: ${fault.test}, offset ${fault.offset}: ${hex(fault.found)} where ` +
            `${hex(fault.expected)} was written\n`,
        );
        return false;
      }
    }
  }
  print(`\nYour memory passed this test (${megabytes} MB, ${passes} passes).\n`);
  print(
    'If you are still in doubt, use memtest86 or memtester: they reach what the operating system holds.\n',
  );
  return true;
}
