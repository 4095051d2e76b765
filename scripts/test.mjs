/** `npm test`: sets up, builds, and runs the tests. Arguments are vitest's (`npm test -- test/unit/log.test.ts`). */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { buildNative, buildTypeScript } from './build.mjs';
import { findTool, root } from './native.mjs';
import { checkNodeVersion, installDependencies, main } from './setup.mjs';

await main(async () => {
  checkNodeVersion();
  await installDependencies();
  await buildNative();
  await buildTypeScript();
  const vitest = join(findTool('vitest/package.json'), '../vitest.mjs');
  const child = spawn(process.execPath, [vitest, 'run', ...process.argv.slice(2)], {
    cwd: root,
    stdio: 'inherit',
  });
  process.exitCode = await new Promise((done) => child.on('exit', (code) => done(code ?? 1)));
});
