/**
 * Starts and stops an embedded server many times in this process (node --expose-gc) and prints, as JSON, what the
 * process holds before and after: descriptors, libuv's handles, resident memory. V8 gives each of its delayed tasks a
 * timer that keeps nothing alive: those are counted apart.
 */
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { createServer } from '../../dist/index.js';

const rounds = Number(process.argv[2]);

function exchange(port) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('SET k v\r\nGET k\r\n'));
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk;
      if (received === '+OK\r\n$1\r\nv\r\n') socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', resolve);
  });
}

async function round(server) {
  const { port } = await server.listen();
  await Promise.all([exchange(port), exchange(port)]);
  await server.close();
}

/** What is left when everything that ends asynchronously has ended. */
async function held() {
  for (let i = 0; i < 5; i++) {
    global.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { libuv } = process.report.getReport();
  const timers = libuv.filter((handle) => handle.type === 'timer' && !handle.is_referenced).length;
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    handles: libuv.length - timers,
    timers,
    rss: process.memoryUsage.rss(),
  };
}

const again = createServer();
for (let i = 0; i < 20; i++) {
  await round(createServer());
  await round(again);
}
const before = await held();
for (let i = 0; i < rounds; i++) {
  await round(createServer());
  await round(again);
}
console.log(JSON.stringify({ before, after: await held() }));
