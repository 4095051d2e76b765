/**
 * Another project's test suite, run beside a real Valkey and beside Kvasir: what passes on one and fails on the other.
 *
 *   cd SUITE && node …/test/interop/client-suites/run.mjs [--timeout SECONDS] [--verbose] -- COMMAND [ARG ...]
 *
 * COMMAND is run in the present directory, three times: beside Valkey, beside Kvasir, and beside a Valkey that lacks the
 * commands Kvasir does not have yet, which tells a case that waits for such a command from one that shows a defect. It finds
 * the server at 127.0.0.1:6379, in a network namespace that it has for itself, and writes a report (JSON of mocha or vitest,
 * or JUnit's XML) to the file whose name is in $REPORT:
 *
 *   run.mjs -- sh -c 'npx mocha --reporter json --reporter-option output=$REPORT "test/functional/*.js"'
 *   run.mjs -- sh -c 'python -m pytest --junitxml=$REPORT tests'
 *
 * It needs Linux, root (for the namespace), `unshare` and `ip`, a Valkey where the other interop tests look for one, and
 * what `npm run build` makes. Exit code: 0, nothing fails on Kvasir only; 1, something does; 2, it could not be found out.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compare, readReport } from './report.mjs';

const PORT = 6379;
const START_MS = 30_000;
const self = fileURLToPath(import.meta.url);
const kvasir = join(dirname(self), '../../../bin/kvasir-server');

/** The path of valkey-server. */
function findValkey() {
  const { VALKEY_PEER, PATH = '' } = process.env;
  const directories = [
    ...(VALKEY_PEER ? [join(VALKEY_PEER, 'bin')] : []),
    join(homedir(), '.cache/valkey-peer/bin'),
    ...PATH.split(delimiter),
  ];
  const found = directories
    .map((directory) => join(directory, 'valkey-server'))
    .find((path) => existsSync(path));
  if (found === undefined)
    throw new Error('no valkey-server in $VALKEY_PEER/bin, ~/.cache/valkey-peer/bin or on PATH');
  return found;
}

/** Starts a server and resolves once it listens. */
async function startServer([program, ...args], directory) {
  const log = join(directory, 'server.log');
  const child = spawn(
    program,
    [
      ...args,
      '--port',
      PORT,
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--dir',
      directory,
      '--enable-debug-command',
      'yes',
    ],
    { stdio: ['ignore', openSync(log, 'a'), openSync(log, 'a')] },
  );
  const deadline = Date.now() + START_MS;
  while (!readFileSync(log, 'latin1').includes('Ready to accept connections')) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${program} does not start:\n${readFileSync(log, 'latin1')}`);
    }
    await new Promise((wake) => setTimeout(wake, 20));
  }
  return child;
}

/** Names of the commands (not subcommands) that the server has. */
async function commandNames() {
  const socket = createConnection(PORT, '127.0.0.1');
  socket.write('COMMAND LIST\r\nQUIT\r\n');
  const chunks = [];
  for await (const chunk of socket) chunks.push(chunk);
  const names = Buffer.concat(chunks)
    .toString('latin1')
    .split('\r\n')
    .filter((line) => /^[a-z]/.test(line));
  return names.filter((name) => !name.includes('|'));
}

/** Inside a namespace: runs the server, then the suite or, without one, asks for the commands. */
async function inside([serverLine, directory, timeoutMs, ...command]) {
  const server = await startServer(JSON.parse(serverLine), directory);
  try {
    if (command.length === 0) {
      writeFileSync(join(directory, 'commands'), (await commandNames()).join('\n'));
      return;
    }
    const output = openSync(join(directory, 'suite.log'), 'a');
    const suite = spawn(command[0], command.slice(1), {
      stdio: ['ignore', output, output],
      env: { ...process.env, REPORT: join(directory, 'report') },
    });
    const timer = setTimeout(() => suite.kill('SIGKILL'), Number(timeoutMs));
    await once(suite, 'exit');
    clearTimeout(timer);
  } finally {
    server.kill('SIGKILL');
  }
}

/** Runs `command` beside a server, in a namespace of their own that ends with them. */
async function beside(server, directory, timeoutMs, command) {
  const script = 'ip link set lo up && exec "$@"';
  const args = [process.execPath, self, '--inside', JSON.stringify(server), directory, timeoutMs, ...command];
  const child = spawn(
    'unshare',
    ['--net', '--pid', '--fork', '--kill-child', 'sh', '-c', script, 'sh', ...args.map(String)],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`the run beside ${server[0]} failed`);
}

async function main() {
  const { values, positionals: command } = parseArgs({
    options: { timeout: { type: 'string', default: '900' }, verbose: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  if (command.length === 0) throw new Error('no command; see the beginning of run.mjs');
  const work = mkdtempSync(join(tmpdir(), 'client-suites-'));
  const folder = (name) => mkdtempSync(join(work, `${name}-`));
  const commandsOf = async (server) => {
    const directory = folder('commands');
    await beside(server, directory, 0, []);
    return readFileSync(join(directory, 'commands'), 'latin1').split('\n');
  };
  const valkey = findValkey();
  const ours = new Set(await commandsOf([process.execPath, kvasir]));
  const missing = (await commandsOf([valkey])).filter((name) => !ours.has(name));
  const without = join(work, 'without.conf');
  writeFileSync(without, missing.map((name) => `rename-command ${name} ""\n`).join(''));

  const reports = {};
  for (const [name, server] of [
    ['valkey', [valkey]],
    ['kvasir', [process.execPath, kvasir]],
    ['without', [valkey, without]],
  ]) {
    const directory = folder(name);
    console.log(`${name}: ${directory}`);
    await beside(server, directory, Number(values.timeout) * 1000, command);
    const report = join(directory, 'report');
    if (!existsSync(report)) throw new Error(`the suite has written no report; see ${directory}/suite.log`);
    reports[name] = readReport(readFileSync(report, 'utf8'));
  }
  const result = compare(reports);
  console.log(`commands that Kvasir lacks: ${missing.join(' ')}`);
  for (const [what, cases] of Object.entries(result)) {
    console.log(`${what}: ${cases.length}`);
    if (what === 'fails on Kvasir only' || (values.verbose && what !== 'passes on both')) {
      for (const { name, message } of cases) console.log(`  ${name}\n    ${message}`);
    }
  }
  if (result['fails on Kvasir only'].length > 0) process.exitCode = 1;
  else rmSync(work, { recursive: true });
}

try {
  if (process.argv[2] === '--inside') await inside(process.argv.slice(3));
  else await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 2;
}
