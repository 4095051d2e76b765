// `npm run bench`: compiles bench/lib into .cache/bench/js (it is no part of the package) and runs it.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const bench = dirname(fileURLToPath(import.meta.url));
const root = dirname(bench);
const manifest = createRequire(import.meta.url).resolve('typescript/package.json');
const compiled = spawnSync(process.execPath, [join(dirname(manifest), 'bin', 'tsc'), '-p', bench], {
  cwd: root,
  stdio: 'inherit',
});
if (compiled.status !== 0) process.exit(compiled.status ?? 1);
const { main } = await import(pathToFileURL(join(root, '.cache', 'bench', 'js', 'lib', 'main.js')).href);
process.exitCode = await main(process.argv.slice(2), root);
