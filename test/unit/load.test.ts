import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AddonError, loadAddon, packageRoot } from '../../src/native/load.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kvasir-load-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

test('the package root is the folder of package.json', () => {
  expect(packageRoot).toBe(process.cwd());
});

test('a machine without an addon is told what was tried', () => {
  expect(() => loadAddon(dir)).toThrow(AddonError);
  expect(() => loadAddon(dir)).toThrow(`Tried: ${dir}/build/Release/*.node, ${dir}/prebuilds/`);
});

test('a damaged addon is named with the reason', () => {
  const file = join(dir, 'build/Release/kvasir.node');
  mkdirSync(join(dir, 'build/Release'), { recursive: true });
  writeFileSync(file, 'not a library');
  expect(() => loadAddon(dir)).toThrow(`Tried: ${file}\nReason: `);
  expect(() => loadAddon(dir)).toThrow(/npm rebuild kvasir/);
});
