import { describe, expect, test } from 'vitest';
import { Manifest, ManifestError } from '../../../src/persistence/aof-manifest.js';

const NAME = 'appendonly.aof';

function refusal(bytes: string): [string, number | null] {
  try {
    Manifest.parse(bytes);
  } catch (error) {
    if (error instanceof ManifestError) return [error.message, error.line?.number ?? null];
    throw error;
  }
  return ['accepted', null];
}

describe('reading', () => {
  test('base, history and increments, in any order of pairs, with pairs of the future and comments', () => {
    const text =
      '# made by hand\n' +
      'file appendonly.aof.2.base.rdb seq 2 type b\n' +
      'seq 1 type h file appendonly.aof.1.incr.aof\n' +
      'FILE appendonly.aof.3.incr.aof SEQ 3 TYPE i\n' +
      '  file "a b.aof" seq 7 type incremental newkey newvalue \t\r\n';
    const manifest = Manifest.parse(text);
    expect(manifest.base).toEqual({ name: 'appendonly.aof.2.base.rdb', seq: 2, type: 'b' });
    expect(manifest.history.map((f) => f.name)).toEqual(['appendonly.aof.1.incr.aof']);
    expect(manifest.increments.map((f) => [f.name, f.seq])).toEqual([
      ['appendonly.aof.3.incr.aof', 3],
      ['a b.aof', 7],
    ]);
    expect([manifest.baseSeq, manifest.incrementSeq]).toEqual([2, 7]);
    expect(Manifest.parse(manifest.format())).toEqual(manifest);
  });

  const line = (rest: string) => `file a.incr.aof ${rest}\n`;
  test.each([
    ['', 'Found an empty AOF manifest', null],
    ['\n', 'Invalid AOF manifest file format', 1],
    [`${line('seq 1 type i')}\n`, 'Invalid AOF manifest file format', 2],
    [line('seq 1 type'), 'Invalid AOF manifest file format', 1],
    [line('seq 1'), 'Invalid AOF manifest file format', 1],
    [line('seq 0 type i'), 'Invalid AOF manifest file format', 1],
    [line('seq one type i'), 'Invalid AOF manifest file format', 1],
    ['file "a seq 1 type i\n', 'Invalid AOF manifest file format', 1],
    ['seq 1 type i x y\n', 'Invalid AOF manifest file format', 1],
    [line('seq 1 type x'), 'Unknown AOF file type', 1],
    ['file ../a seq 1 type i\n', "File can't be a path, just a filename", 1],
    [line('seq 2 type i') + line('seq 2 type i'), 'Found a non-monotonic sequence number', 2],
    [line('seq 1 type b') + line('seq 2 type b'), 'Found duplicate base file information', 2],
    ['file a seq 1 type i', 'The AOF manifest file contains too long line', null],
    [`file ${'a'.repeat(1100)} seq 1 type i\n`, 'The AOF manifest file contains too long line', null],
  ])('refuses %j', (text, message, number) => {
    expect(refusal(text)).toEqual([message, number]);
  });

  test('a comment alone is a manifest without files', () => {
    expect(Manifest.parse('# nothing\n').isEmpty).toBe(true);
  });
});

describe('a life', () => {
  test('of files through starts, rewrites and failures', () => {
    const start = Manifest.empty.withBase(NAME, 'rdb').withIncrement(NAME);
    expect(start.format()).toBe(
      'file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n',
    );
    // A rewrite begins, fails, begins again and succeeds.
    const done = start.withIncrement(NAME).withIncrement(NAME).withBase(NAME, 'aof').withRewritten(true);
    expect(done.format()).toBe(
      'file appendonly.aof.2.base.aof seq 2 type b\n' +
        'file appendonly.aof.2.incr.aof seq 2 type h\n' +
        'file appendonly.aof.1.incr.aof seq 1 type h\n' +
        'file appendonly.aof.1.base.rdb seq 1 type h\n' +
        'file appendonly.aof.3.incr.aof seq 3 type i\n',
    );
    expect(done.withoutHistory().files.map((f) => f.seq)).toEqual([2, 3]);
    // With appendonly off, a rewrite replaces everything.
    const off = done.withBase(NAME, 'rdb').withRewritten(false);
    expect(off.files.map((f) => f.name)).toEqual(['appendonly.aof.3.base.rdb']);
    // Numbers are never given twice.
    expect(off.withIncrement(NAME).increments.map((f) => f.seq)).toEqual([4]);
  });

  test('names that need it are quoted', () => {
    const odd = Manifest.empty.withBase('my "file"\n', 'rdb');
    expect(odd.format()).toBe('file "my \\"file\\"\\n.1.base.rdb" seq 1 type b\n');
    expect(Manifest.parse(odd.format()).base).toEqual(odd.base);
  });
});
