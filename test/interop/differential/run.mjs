// Compiles the tester (Node 20 runs no TypeScript) into a temporary folder and runs it with the same arguments.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../../..');
const out = mkdtempSync(join(tmpdir(), 'kvasir-differential-build-'));
try {
  const config = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      outDir: out,
      rootDir: here,
      declaration: false,
      sourceMap: false,
      typeRoots: [join(root, 'node_modules/@types')],
    },
    include: [join(here, '**/*.ts')],
  };
  writeFileSync(join(out, 'tsconfig.json'), JSON.stringify(config));
  writeFileSync(join(out, 'package.json'), '{"type":"module"}');
  symlinkSync(join(root, 'node_modules'), join(out, 'node_modules'));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const built = spawnSync(process.execPath, [tsc, '-p', out], { stdio: 'inherit' });
  if (built.status !== 0) process.exitCode = 2;
  else {
    const ran = spawnSync(process.execPath, [join(out, 'run.js'), ...process.argv.slice(2)], {
      stdio: 'inherit',
    });
    process.exitCode = ran.status ?? 2;
  }
} finally {
  rmSync(out, { recursive: true, force: true });
}
