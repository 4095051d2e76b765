/**
 * A process full of clients for connections.mjs: `node clients.mjs wave|churn SOCKET PORT COUNT`.
 *
 *   wave    opens COUNT connections, uses each, closes all and ends
 *   churn   keeps about COUNT connections, opening, using and dropping them at random, until standard input ends
 *
 * Every reply is checked. A third of the connections is dropped hard: reset, often with requests unanswered.
 * Reports JSON lines: { requests, opened, hard } so far, or { error }.
 */
import { connect } from 'node:net';

const [mode, path, port, count] = process.argv.slice(2);
const target = Number(count);
const report = { requests: 0, opened: 0, hard: 0 };
const TICK_MS = 10;
/** Connections opened in a tick at most; a process is complete again after half a second. */
const OPENED_PER_TICK = 40;
/** Of 1000 connections, so many are used in a tick, and one is dropped. */
const USED_PER_MILLE = 5;
const SIZES = [1, 10, 100, 1000, 20_000];

function fail(error) {
  process.stdout.write(`${JSON.stringify({ error })}\n`);
}

const pick = (n) => Math.floor(Math.random() * n);

/** One connection: a value written, read back and compared, as often as asked for. */
class Client {
  constructor(onGone) {
    // Many source addresses: ports in TIME_WAIT would run out on one.
    const tcp = {
      port: Number(port),
      host: '127.0.0.1',
      localAddress: `127.0.${1 + pick(50)}.${1 + pick(200)}`,
    };
    this.tcp = pick(4) > 0;
    this.socket = connect(this.tcp ? tcp : { path });
    this.received = '';
    this.expected = null;
    this.dropped = false;
    this.socket.on('connect', () => {
      report.opened++;
    });
    this.socket.on('data', (chunk) => this.#take(chunk.toString('latin1')));
    this.socket.on('error', (error) => {
      // What connect(2) says of a Unix socket whose backlog is full at this moment; TCP would try again by itself.
      if (error.code === 'EAGAIN' && error.syscall === 'connect') this.dropped = true;
      if (!this.dropped) fail(`connection: ${error.message}`);
    });
    this.socket.on('close', () => {
      if (!this.dropped) fail('the server closed a connection');
      onGone(this);
    });
  }

  /** Sends a pipeline; `done` runs when all of it has been answered rightly. */
  use(done = () => {}) {
    if (this.expected !== null || this.dropped) return;
    const key = `soak:${process.pid % 5}:${pick(5000)}`;
    const value = String.fromCharCode(97 + pick(26)).repeat(SIZES[pick(SIZES.length)]);
    const size = `$${value.length}\r\n${value}\r\n`;
    this.expected = `+OK\r\n${size}:1\r\n+PONG\r\n`;
    this.done = done;
    this.socket.write(`*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n${size}`);
    this.socket.write(`*2\r\n$3\r\nGET\r\n$${key.length}\r\n${key}\r\nEXISTS ${key}\r\nPING\r\n`);
  }

  #take(text) {
    if (this.dropped) return;
    this.received += text;
    if (this.expected === null) {
      fail(`a reply that nobody asked for: ${text.slice(0, 100)}`);
    } else if (this.received.length >= this.expected.length) {
      report.requests += 4;
      if (!this.#right()) fail(`wrong reply: ${this.received.slice(0, 100)}`);
      this.received = '';
      this.expected = null;
      this.done();
    }
  }

  /** Others may use the key at the same time: then the value is theirs, but whole. */
  #right() {
    if (this.received === this.expected) return true;
    const found = /^\+OK\r\n\$(\d+)\r\n(.)\2*\r\n:1\r\n\+PONG\r\n$/.exec(this.received);
    return found !== null;
  }

  drop() {
    this.dropped = true;
    switch (pick(3)) {
      case 0:
        report.hard++;
        // Half a request, and the connection is gone.
        this.socket.write('*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$100000\r\nabc');
        if (this.tcp) this.socket.resetAndDestroy();
        else this.socket.destroy();
        break;
      case 1:
        this.socket.end('QUIT\r\n');
        break;
      default:
        this.socket.end();
    }
    this.socket.resume();
  }
}

/**
 * Reports what was done and ends. Not by running out of work: Node 20 may then spin for ever while it closes handles
 * that were reset (Environment::CleanupHandles).
 */
function finish() {
  process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit());
}

const clients = new Set();
const gone = (client) => clients.delete(client);

if (mode === 'wave') {
  let used = 0;
  const done = () => {
    if (++used < target) return;
    for (const each of clients) each.drop();
  };
  for (let opened = 0; opened < target; ) {
    for (let i = 0; i < 100 && opened < target; i++, opened++) {
      const client = new Client((refused) => {
        gone(refused);
        // A full backlog turned it away: it will not be used any more.
        if (refused.expected !== null) done();
      });
      clients.add(client);
      client.use(done);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  process.once('beforeExit', finish);
} else {
  const timer = setInterval(() => {
    const missing = target - clients.size;
    for (let i = Math.min(missing, OPENED_PER_TICK); i > 0; i--) {
      const client = new Client(gone);
      clients.add(client);
      client.use();
    }
    for (const client of clients) {
      const dice = pick(1000);
      if (dice < USED_PER_MILLE) client.use();
      else if (dice === USED_PER_MILLE && missing < target / 10) client.drop();
    }
  }, TICK_MS);
  const reporting = setInterval(() => process.stdout.write(`${JSON.stringify(report)}\n`), 500);
  process.stdin.resume();
  process.stdin.once('end', () => {
    clearInterval(timer);
    clearInterval(reporting);
    for (const client of clients) client.drop();
    process.once('beforeExit', finish);
  });
}
