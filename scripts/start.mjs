/**
 * `npm start`: from a fresh clone to a server that answers. Arguments are kvasir-server's
 * (`npm start -- --port 7000`); PORT in the environment sets the port, too. The server runs in this very
 * process, so that Ctrl+C and signals reach it.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildNative, buildTypeScript } from './build.mjs';
import { root } from './native.mjs';
import { checkNodeVersion, installDependencies, main } from './setup.mjs';

/** kvasir-server's arguments, with PORT unless a port is among them. */
export function serverArguments(args, env) {
  return env.PORT && !args.includes('--port') ? [...args, '--port', env.PORT] : [...args];
}

/** How to reach the server that these arguments start. */
export function connectHint(args) {
  const port = args[args.indexOf('--port') + 1];
  const number = args.includes('--port') ? port : '6379';
  return (
    `\nKvasir serves on port ${number}. Connect with any Valkey or Redis client:\n` +
    `  valkey-cli -p ${number}\n` +
    `  redis://localhost:${number}\n` +
    'Ctrl+C stops it.\n\n'
  );
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    checkNodeVersion();
    await installDependencies();
    await buildNative();
    await buildTypeScript();
    const args = serverArguments(process.argv.slice(2), process.env);
    const program = join(root, 'bin/kvasir-server');
    process.argv = [process.argv[0], program, ...args];
    await import(pathToFileURL(program).href);
    const answered = args.some((arg) =>
      ['-v', '--version', '-h', '--help', '--check-system', '--test-memory'].includes(arg),
    );
    if (!answered && process.exitCode === undefined) process.stdout.write(connectHint(args));
  });
}
