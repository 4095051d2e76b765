/** Command line of the differential tester; see `--help`. Started through run.mjs. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Difference, run } from './driver.js';
import { groups } from './grammar/index.js';
import { INCREMENT_OPTIONS, Increment } from './increments.js';
import { fuzzProtocol } from './raw.js';
import { describe, listing, summary } from './report.js';
import { findValkey, Server } from './servers.js';
import { shrink } from './shrink.js';

const USAGE = `Sends the same random commands to Kvasir and to Valkey and compares every reply.

  node test/interop/differential/run.mjs [options]

  --server PATH        the subject (default bin/kvasir-server)
  --valkey PATH        the reference (default $VALKEY_PEER/bin, ~/.cache/valkey-peer/bin, PATH)
  --self               compare Valkey with itself: must find nothing
  --seed N             (default: random)
  --commands N         (default 1000000)
  --round N            only this round of the seed
  --groups A,B         only these grammars: ${groups.map(({ name }) => name).join(', ')}
  --limit N            stop after N differences (default 10)
  --summary            how often every command was sent, and how many replies were errors
  --shrink             reduce every difference to a minimal list of commands
  --aof                compare what they write into their append-only files as well
  --raw N              protocol fuzz: N sessions of raw bytes (default: a thousandth of --commands; 0: none)
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      server: { type: 'string', default: 'bin/kvasir-server' },
      valkey: { type: 'string' },
      self: { type: 'boolean', default: false },
      seed: { type: 'string' },
      commands: { type: 'string', default: '1000000' },
      round: { type: 'string' },
      groups: { type: 'string' },
      limit: { type: 'string', default: '10' },
      shrink: { type: 'boolean', default: false },
      summary: { type: 'boolean', default: false },
      aof: { type: 'boolean', default: false },
      raw: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const valkey = values.valkey ?? findValkey();
  if (valkey === null) {
    process.stderr.write('no valkey-server in $VALKEY_PEER/bin, ~/.cache/valkey-peer/bin or PATH\n');
    return 2;
  }
  const chosen = values.groups?.split(',');
  const unknown = chosen?.find((name) => !groups.some((group) => group.name === name));
  if (unknown !== undefined) throw new Error(`no grammar is called ${unknown}`);
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
  const commands = Number(values.commands);
  const options = values.aof ? INCREMENT_OPTIONS : [];
  const reference = await Server.start(valkey, options);
  let subject: Server | null = null;
  try {
    subject = await Server.start(values.self ? valkey : resolve(values.server), options);
    const running = subject;
    const sides = { subject: running.endpoint, reference: reference.endpoint };
    const onDifference = async (difference: Difference): Promise<void> => {
      process.stdout.write(`${describe(difference)}\n`);
      if (!running.alive) {
        process.stdout.write(`the subject has died; its log ends:\n${running.logTail()}\n`);
        throw new Error('the subject has died');
      }
      if (!values.shrink) return;
      const shrunk = await shrink(sides, difference);
      if (shrunk === null) process.stdout.write('  does not show again when replayed\n');
      else {
        const { history, mismatch } = shrunk;
        const lines = listing(history).map((line) => `    ${line}\n`);
        process.stdout.write(
          `  shrunk to\n${lines.join('')}  subject  ${mismatch.subject}\n  valkey   ${mismatch.reference}\n`,
        );
      }
    };
    process.stdout.write(`seed ${seed}\n`);
    const result = await run(sides, {
      seed,
      commands,
      groups: groups.filter(({ name }) => chosen?.includes(name) ?? true),
      limit: Number(values.limit),
      ...(values.round !== undefined && { round: Number(values.round) }),
      onDifference,
      ...(values.aof && {
        increments: { subject: new Increment(subject.folder), reference: new Increment(reference.folder) },
      }),
      onProgress: (done) => {
        if (process.stdout.isTTY) process.stdout.write(`\r${done} commands`);
      },
    });
    const speed = Math.round(result.commands / result.seconds);
    process.stdout.write(
      `${result.commands} commands in ${result.seconds.toFixed(1)} s (${speed} a second), ${result.scenes} scenes, ` +
        `${result.checkpoints} checkpoints, ${result.differences.length} differences\n`,
    );
    if (values.summary) process.stdout.write(summary(result.tallies));
    if (result.notBuilt.size > 0) {
      process.stdout.write(
        `left out, not in the subject's COMMAND: ${[...result.notBuilt.keys()].sort().join(' ')}\n`,
      );
    }
    const sessions =
      values.raw === undefined
        ? values.round === undefined
          ? Math.ceil(commands / 1000)
          : 0
        : Number(values.raw);
    const raw = await fuzzProtocol(sides, seed, sessions, Number(values.limit));
    for (const difference of raw.differences) process.stdout.write(`${difference}\n`);
    process.stdout.write(`${raw.sessions} protocol sessions, ${raw.differences.length} differences\n`);
    return result.differences.length + raw.differences.length > 0 ? 1 : 0;
  } finally {
    await subject?.stop();
    await reference.stop();
  }
}

process.exitCode = await main();
