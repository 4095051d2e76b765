/**
 * Runs rounds of random commands against two servers in lock-step. A round starts from an empty keyspace, default
 * parameters and fresh connections, and depends only on (seed, round), so any difference is reproduced by its
 * round alone. After a difference the two servers may have diverged for good, so the round ends there.
 *
 * While the servers work on one batch the next is generated: generation never looks at replies.
 */

import { compareKeyspaces } from './checkpoint.js';
import { Connection } from './connection.js';
import { groups as allGroups, Grammar } from './grammar/index.js';
import {
  type CommandShape,
  type Context,
  type Episode,
  type Group,
  isEpisode,
  type Note,
} from './grammar/pattern.js';
import { PARAMETERS } from './grammar/server.js';
import { compareIncrements, type Increment } from './increments.js';
import { type Command, type Mismatch, Pair, type Sides } from './pair.js';
import { Random } from './random.js';
import { encode, items, type Reply, text } from './resp.js';

/** What goes to one connection at once: a pipeline, or an episode. */
export interface Batch {
  readonly connection: number;
  readonly commands: readonly Command[];
  readonly cuts: readonly number[];
  readonly episode?: Episode;
}

export interface Difference {
  readonly seed: number;
  readonly round: number;
  /** Commands of the round before the one that differs. */
  readonly step: number;
  /** What differs: a command, an episode's name, or `keyspace`. */
  readonly subject: string;
  readonly reference: string;
  readonly what: readonly string[];
  /** See Mismatch: the pipeline's later commands are suspects too. */
  readonly lost: boolean;
  /** Everything the round has sent, the differing command last. */
  readonly history: readonly Batch[];
}

export interface RunOptions {
  readonly seed: number;
  /** Commands in all; rounded up to whole rounds' ends. */
  readonly commands: number;
  readonly groups: readonly Group[];
  /** Only this round (to reproduce). */
  readonly round?: number;
  readonly roundLength?: number;
  readonly checkpointEvery?: number;
  /** Stop after so many differences. */
  readonly limit?: number;
  /** How long a reply may take. */
  readonly patience?: number;
  /** What the servers write into their append-only files is compared after every batch. */
  readonly increments?: { readonly subject: Increment; readonly reference: Increment };
  onDifference?(difference: Difference): Promise<void> | void;
  onProgress?(commands: number): void;
}

/** What has been sent of one command. */
export interface Tally {
  sent: number;
  /** Replies looked at one by one, and those that were errors: not what scenes got. */
  answered: number;
  errors: number;
}

export interface RunResult {
  readonly commands: number;
  /** By name, with the subcommand of containers, in lower case; what is no command is counted together. */
  readonly tallies: ReadonlyMap<string, Tally>;
  readonly scenes: number;
  readonly checkpoints: number;
  readonly differences: readonly Difference[];
  readonly seconds: number;
  /** Commands left out because the subject does not have them (yet), by name. */
  readonly notBuilt: ReadonlyMap<string, number>;
}

export const CONNECTIONS = 5;
const ROUND_LENGTH = 10_000;
const CHECKPOINT_EVERY = 5_000;
const MOST_REFUSALS = 100_000;

/** COMMAND's answer as a map from lower-case full name to arity. */
export async function commandsOf(connection: Connection): Promise<Map<string, number>> {
  const shapes = new Map<string, number>();
  const add = (reply: Reply): void => {
    const [name, arity] = items(reply);
    shapes.set(text(name!).toLowerCase(), Number(text(arity!)));
    for (const part of items(reply)) for (const sub of items(part)) if (items(sub).length > 6) add(sub);
  };
  for (const reply of items(await connection.call('COMMAND'))) add(reply);
  return shapes;
}

/** Empties both servers and sets every parameter the grammar touches back. */
export async function resetServers(sides: Sides): Promise<void> {
  const commands = [
    ...Object.entries(PARAMETERS).map(([name, values]) => ['CONFIG', 'SET', name, values[0]!]),
    ['FLUSHALL', 'SYNC'],
  ];
  const request = commands.map(encode).join('');
  await Promise.all(
    [sides.subject, sides.reference].map(async (endpoint) => {
      const connection = await Connection.open(endpoint);
      const outcome = await connection.exchange([request], commands.length);
      connection.close();
      if (outcome !== 'complete') throw new Error(`resetting a server: ${outcome} ${connection.violation}`);
    }),
  );
}

/** The pairs of one round; a pair that QUIT closed is opened again when next needed. */
export class Lanes {
  private readonly pairs: (Pair | null)[] = Array.from({ length: CONNECTIONS }, () => null);

  constructor(
    private readonly sides: Sides,
    private readonly patience?: number,
  ) {}

  async run(batch: Batch, note?: Note): Promise<Mismatch | null> {
    let pair = this.pairs[batch.connection];
    if (pair == null || pair.closed) {
      pair?.close();
      pair = await Pair.open(this.sides, this.patience);
      this.pairs[batch.connection] = pair;
    }
    if (batch.episode !== undefined) {
      try {
        return await batch.episode.run(pair, this.sides, note);
      } catch (error) {
        return { index: -1, subject: `the episode failed: ${(error as Error).message}`, reference: '' };
      }
    }
    return pair.exchange(batch.commands, batch.cuts, note);
  }

  close(): void {
    for (const pair of this.pairs) pair?.close();
  }
}

/** Makes the batches of one round. */
class RoundGenerator {
  private readonly context: Context;
  private pending: Batch | null = null;

  constructor(
    private readonly random: Random,
    private readonly grammar: Grammar,
    private readonly singles: Grammar,
    commands: readonly CommandShape[],
    private readonly lacking: (name: string) => boolean,
  ) {
    this.context = { random, commands, anyCommand: (but) => this.anyCommand(but) };
  }

  private anyCommand(but: ReadonlySet<string>): Command {
    for (let tries = 0; tries < MOST_REFUSALS; tries++) {
      const [step, ...more] = this.singles.next(this.context);
      if (step === undefined || more.length > 0 || isEpisode(step) || step.silent || step.closes) continue;
      const names = namesOf(step.args);
      if (names.some((name) => but.has(name)) || this.isLacking(names)) continue;
      return step;
    }
    throw new Error('the chosen grammars have no single command');
  }

  next(room: number): Batch {
    if (this.pending !== null) {
      const batch = this.pending;
      this.pending = null;
      return batch;
    }
    const { random } = this;
    const connection = random.int(0, CONNECTIONS - 1);
    const roll = random.unit();
    const length =
      roll < 0.2 ? 1 : roll < 0.4 ? random.int(2, 10) : roll < 0.7 ? random.int(10, 60) : random.int(60, 200);
    const commands: Command[] = [];
    let episode: Episode | undefined;
    let closes = false;
    let refused = 0;
    while (commands.length < Math.min(length, room) && episode === undefined && !closes) {
      const steps = this.grammar.next(this.context);
      if (steps.some((step) => this.isLacking(isEpisode(step) ? step.needs : namesOf(step.args)))) {
        if (++refused > MOST_REFUSALS)
          throw new Error('the subject has none of the commands of the chosen grammars');
        continue;
      }
      for (const step of steps) {
        if (isEpisode(step)) episode = step;
        else {
          commands.push(step);
          closes ||= step.closes === true;
        }
      }
    }
    if (episode !== undefined) {
      const batch: Batch = { connection, commands: [], cuts: [], episode };
      if (commands.length === 0) return batch;
      this.pending = batch;
    }
    return { connection, commands, cuts: this.cuts(commands) };
  }

  private isLacking(names: readonly string[]): boolean {
    return names.some(this.lacking);
  }

  /** Now and then the pipeline is cut anywhere, even inside a header. */
  private cuts(commands: readonly Command[]): number[] {
    const { random } = this;
    if (!random.chance(0.1)) return [];
    let bytes = 0;
    for (const { args } of commands) for (const arg of args) bytes += arg.length + 8;
    return Array.from({ length: random.int(1, 4) }, () => random.int(1, bytes)).sort((a, b) => a - b);
  }
}

/** The names a command is known by: `client` and `client|list`. */
function namesOf(args: readonly string[]): string[] {
  const name = args[0]!.toLowerCase();
  return args.length > 1 && args[1]!.length < 40 ? [name, `${name}|${args[1]!.toLowerCase()}`] : [name];
}

export async function run(sides: Sides, options: RunOptions): Promise<RunResult> {
  const started = performance.now();
  const { seed, groups, roundLength = ROUND_LENGTH, checkpointEvery = CHECKPOINT_EVERY, limit = 1 } = options;
  const [ours, theirs] = await Promise.all(
    [sides.subject, sides.reference].map(async (endpoint) => {
      const connection = await Connection.open(endpoint);
      const shapes = await commandsOf(connection);
      connection.close();
      return shapes;
    }),
  );
  const notBuilt = new Map<string, number>();
  const lacking = (name: string): boolean => {
    if (ours!.has(name) || !theirs!.has(name)) return false;
    notBuilt.set(name, (notBuilt.get(name) ?? 0) + 1);
    return true;
  };
  const common = [...theirs!].filter(([name]) => ours!.has(name)).map(([name, arity]) => ({ name, arity }));
  common.sort((a, b) => (a.name < b.name ? -1 : 1));
  const grammar = new Grammar(groups);
  // What clients of a scene send beside what the scene is about.
  const isScenes = ({ name }: Group): boolean => name.startsWith('scenes');
  const single = groups.some((group) => !isScenes(group)) ? groups : allGroups;
  const singles = new Grammar(single.filter((group) => !isScenes(group)));
  const differences: Difference[] = [];
  let total = 0;
  let scenes = 0;
  let checkpoints = 0;
  const tallies = new Map<string, Tally>();
  const note: Note = (command, type) => {
    const names = namesOf(command.args);
    let name = names[0]!;
    if (!theirs!.has(name)) name = 'no command';
    else if (names.length > 1 && theirs!.has(names[1]!)) name = names[1]!;
    const tally = tallies.get(name) ?? { sent: 0, answered: 0, errors: 0 };
    tally.sent++;
    if (type !== '') tally.answered++;
    if (type === '-') tally.errors++;
    tallies.set(name, tally);
  };
  const oneRound = async (round: number): Promise<void> => {
    await resetServers(sides);
    // What a round before this one left is not this one's.
    options.increments?.subject.next();
    options.increments?.reference.next();
    const generator = new RoundGenerator(new Random(seed, round), grammar, singles, common, lacking);
    const lanes = new Lanes(sides, options.patience);
    const history: Batch[] = [];
    let sent = 0;
    let checked = 0;
    const report = async (mismatch: Mismatch, what: readonly string[], step: number): Promise<void> => {
      const { subject, reference } = mismatch;
      const difference = {
        seed,
        round,
        step,
        subject,
        reference,
        what,
        lost: mismatch.lost === true,
        history,
      };
      differences.push(difference);
      await options.onDifference?.(difference);
    };
    try {
      let batch = generator.next(roundLength);
      while (sent < roundLength) {
        history.push(batch);
        const running = lanes.run(batch, note);
        const size = Math.max(1, batch.episode?.size ?? batch.commands.length);
        if (batch.episode?.size !== undefined) scenes++;
        const following = generator.next(Math.max(1, roundLength - sent - size));
        const mismatch = await running;
        if (mismatch !== null) {
          const differing = mismatch.index < 0 ? batch.commands.length - 1 : mismatch.index;
          const command = batch.commands[differing];
          if (command && !mismatch.lost)
            history[history.length - 1] = { ...batch, commands: batch.commands.slice(0, differing + 1) };
          await report(mismatch, command?.args ?? [batch.episode?.name ?? ''], sent + differing);
          return;
        }
        const { increments } = options;
        if (increments !== undefined) {
          const stray = compareIncrements(increments.subject.next(), increments.reference.next());
          if (stray !== null) {
            await report(stray, ['propagation'], sent + size);
            return;
          }
        }
        sent += size;
        total += size;
        if (sent - checked >= checkpointEvery || sent >= roundLength) {
          checked = sent;
          checkpoints++;
          const stray = await compareKeyspaces(sides);
          if (stray !== null) {
            await report(stray, ['keyspace'], sent);
            return;
          }
          options.onProgress?.(total);
        }
        batch = following;
      }
    } finally {
      lanes.close();
    }
  };
  if (options.round !== undefined) await oneRound(options.round);
  else
    for (let round = 0; total < options.commands && differences.length < limit; round++)
      await oneRound(round);
  const seconds = (performance.now() - started) / 1000;
  return { commands: total, tallies, scenes, checkpoints, differences, seconds, notBuilt };
}
