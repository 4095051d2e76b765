/**
 * Soak test of connections: many are opened, used and dropped at random for minutes, a third of them hard (RST), and
 * whole client processes are killed with SIGKILL in the middle of requests. Afterwards the server must hold what it
 * held before: the same descriptors, and memory within the bounds below.
 *
 *   npm run soak -- [--seconds 300] [--connections 10000]
 *
 * The exit code is 0 if everything held. Memory before is taken after a first wave of all connections, so that what
 * a server allocates once and keeps (tables grown to their size, arenas) does not count as growth.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** Growth that is still none: allocators keep pages, and V8's heap breathes. */
const USED_MEMORY_BOUND = 2 * 1024 * 1024;
const RSS_BOUND = 32 * 1024 * 1024;
const WORKERS = 5;
/** Long enough for all connections to be there again before the next process is killed. */
const KILL_EVERY_MS = 3000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '300' },
    connections: { type: 'string', default: '10000' },
  },
});
const seconds = Number(values.seconds);
const connections = Number(values.connections);
const perWorker = Math.ceil(connections / WORKERS);

const directory = mkdtempSync(join(tmpdir(), 'kvasir-soak-'));
const path = join(directory, 'soak.sock');
const failures = [];

// Room for connections whose end the server has not seen yet. Protected mode would count those as rejected whose
// client was gone before they were accepted: nobody can tell where they came from.
const server = spawn(
  process.execPath,
  [
    fileURLToPath(new URL('../../bin/kvasir-server', import.meta.url)),
    ...['--port', '0', '--unixsocket', path, '--save', '', '--dir', directory],
    ...['--maxclients', `${Math.ceil(1.5 * connections)}`, '--protected-mode', 'no'],
    // A full queue makes the kernel reset connections (SYN cookies) that the server never saw.
    ...['--tcp-backlog', '4096'],
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
const lines = createInterface({ input: server.stdout });
const ready = new Promise((resolve) => {
  lines.on('line', (line) => {
    if (line.includes('Ready to accept connections')) resolve();
    if (/ # (?!WARNING)/.test(line)) console.log(line);
  });
});
let ended = false;
server.once('exit', (code, signal) => {
  if (!ended) {
    console.error(`the server has ended: ${signal ?? code}`);
    process.exit(1);
  }
});
await ready;
// `port 0` of a program means none; TCP is switched on by the port that the system gives a probe.
const port = await freePort();

async function freePort() {
  const { createServer } = await import('node:net');
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port: free } = probe.address();
  probe.close();
  await once(probe, 'close');
  return free;
}

/** A control connection that survives everything. */
const control = connect({ path });
await once(control, 'connect');
let received = '';
const waiting = [];
control.on('data', (chunk) => {
  received += chunk.toString('latin1');
  for (;;) {
    const head = /^(?:\$(\d+)|[+\-:][^\r]*)\r\n/.exec(received);
    if (head === null) return;
    const size = head[1] === undefined ? 0 : Number(head[1]) + 2;
    if (received.length < head[0].length + size) return;
    const reply =
      head[1] === undefined ? head[0].trim() : received.slice(head[0].length, -2 + head[0].length + size);
    received = received.slice(head[0].length + size);
    waiting.shift()(reply);
  }
});
function ask(line) {
  return new Promise((resolve) => {
    waiting.push(resolve);
    control.write(`${line}\r\n`);
  });
}
const field = (info, name) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)[1]);

const workers = new Set();
/** Starts a process of clients; `mode` is `wave` (all connections once) or `churn`. */
function startWorker(mode) {
  const program = fileURLToPath(new URL('./clients.mjs', import.meta.url));
  const worker = spawn(process.execPath, [program, mode, path, `${port}`, `${perWorker}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  worker.report = { requests: 0, opened: 0, hard: 0 };
  createInterface({ input: worker.stdout }).on('line', (line) => {
    const report = JSON.parse(line);
    if (report.error !== undefined) failures.push(report.error);
    else worker.report = report;
  });
  workers.add(worker);
  worker.once('exit', () => workers.delete(worker));
  return worker;
}

async function held() {
  await ask('FLUSHALL');
  // Closed sockets are noticed as the loop comes to them.
  const deadline = Date.now() + 20_000;
  let clients = 0;
  do {
    clients = field(await ask('INFO clients'), 'connected_clients');
    await new Promise((resolve) => setTimeout(resolve, 100));
  } while (clients !== 1 && Date.now() < deadline);
  if (clients !== 1) failures.push(`${clients - 1} connections are left although nobody holds one`);
  // Statistics and freed pages follow with the server's periodic work.
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const memory = await ask('INFO memory');
  return {
    descriptors: readdirSync(`/proc/${server.pid}/fd`).length,
    used: field(memory, 'used_memory'),
    rss: field(memory, 'used_memory_rss'),
  };
}

const total = { requests: 0, opened: 0, hard: 0, killed: 0 };
const gather = (worker) => {
  for (const name of ['requests', 'opened', 'hard']) total[name] += worker.report[name];
};
async function finish(worker) {
  worker.stdin.end();
  const [code] = worker.exitCode === null ? await once(worker, 'exit') : [worker.exitCode];
  if (code !== 0) failures.push(`a client process ended with ${code}`);
  gather(worker);
}

const answer = await ask(`CONFIG SET port ${port}`);
if (answer !== '+OK') throw new Error(`CONFIG SET port: ${answer}`);

await Promise.all(Array.from({ length: WORKERS }, () => finish(startWorker('wave'))));
const before = await held();
console.log(`before: ${JSON.stringify(before)}`);

for (let i = 0; i < WORKERS; i++) startWorker('churn');
const end = Date.now() + seconds * 1000;
let said = Date.now();
while (Date.now() < end) {
  await new Promise((resolve) => setTimeout(resolve, KILL_EVERY_MS));
  const all = [...workers];
  const victim = all[Math.floor(Math.random() * all.length)];
  victim.kill('SIGKILL');
  await once(victim, 'exit');
  gather(victim);
  total.killed++;
  startWorker('churn');
  if (Date.now() - said >= 10_000) {
    said = Date.now();
    const clients = field(await ask('INFO clients'), 'connected_clients');
    console.log(`${Math.ceil((end - said) / 1000)} s left, ${clients} connected, ${JSON.stringify(total)}`);
  }
}
await Promise.all([...workers].map(finish));
const after = await held();
const rejected = field(await ask('INFO stats'), 'rejected_connections');
if (rejected > 0) failures.push(`${rejected} connections were rejected`);
console.log(`after: ${JSON.stringify(after)}`);
console.log(`${JSON.stringify(total)} in ${seconds} s`);

if (total.requests === 0 || total.hard === 0) failures.push('nothing was done');
if (after.descriptors > before.descriptors) failures.push('descriptors have grown');
if (after.used - before.used > USED_MEMORY_BOUND)
  failures.push(`used_memory has grown beyond ${USED_MEMORY_BOUND}`);
if (after.rss - before.rss > RSS_BOUND) failures.push(`resident memory has grown beyond ${RSS_BOUND}`);

ended = true;
control.destroy();
server.kill('SIGTERM');
const [code] = await once(server, 'exit');
if (code !== 0) failures.push(`the server ended with ${code}`);
rmSync(directory, { recursive: true, force: true });
for (const failure of new Set(failures)) console.error(`failed: ${failure}`);
process.exitCode = failures.length === 0 ? 0 : 1;
