/**
 * Reduces the history of a difference to a short list of commands that still shows one at its last command: first
 * only what touches the same keys, then delta debugging over single commands, then shorter arguments.
 * Every trial starts from empty servers with default parameters.
 */
import { compareKeyspaces } from './checkpoint.js';
import { type Batch, type Difference, Lanes, resetServers } from './driver.js';
import type { Episode } from './grammar/pattern.js';
import type { Command, Mismatch, Sides } from './pair.js';
import { related } from './report.js';

export interface Shrunk {
  readonly history: readonly Batch[];
  readonly mismatch: Mismatch;
}

/** A single command or episode on its connection; replayed in pipelines or one by one. */
type Unit = Batch;

const PIPELINE = 100;
const BUDGET_MS = 60_000;

const split = (history: readonly Batch[]): Unit[] =>
  history.flatMap((batch): Unit[] =>
    batch.episode
      ? [batch]
      : batch.commands.map((command) => ({ connection: batch.connection, commands: [command], cuts: [] })),
  );

/** Neighbours on one connection become one pipeline; silent commands stay with what follows them. */
function join(units: readonly Unit[], longest: number): Batch[] {
  const joined: Batch[] = [];
  let commands: Command[] = [];
  let connection = -1;
  const flush = (): void => {
    if (commands.length > 0) joined.push({ connection, commands, cuts: [] });
    commands = [];
  };
  for (const unit of units) {
    const last = commands[commands.length - 1];
    const full = commands.length >= longest && last?.silent === undefined;
    if (unit.episode || unit.connection !== connection || full || last?.closes) flush();
    connection = unit.connection;
    if (unit.episode) joined.push(unit);
    else commands.push(...unit.commands);
  }
  flush();
  return joined;
}

/** `patience`: milliseconds a reply may take in a trial. */
export async function shrink(sides: Sides, difference: Difference, patience = 3_000): Promise<Shrunk | null> {
  const keyspace = difference.what[0] === 'keyspace';
  const name = difference.what[0]!.toLowerCase();
  const deadline = Date.now() + BUDGET_MS;
  let longest = PIPELINE;

  const trial = async (units: readonly Unit[]): Promise<{ units: Unit[]; mismatch: Mismatch } | null> => {
    await resetServers(sides);
    const lanes = new Lanes(sides, patience);
    try {
      let done = 0;
      for (const batch of join(units, longest)) {
        const size = batch.episode ? 1 : batch.commands.length;
        const mismatch = await lanes.run(batch);
        if (mismatch !== null) {
          const at = batch.episode ? 0 : mismatch.index < 0 || mismatch.lost ? size - 1 : mismatch.index;
          const what = batch.episode?.name ?? batch.commands[at]!.args[0]!;
          const alike = difference.lost ? mismatch.lost === true : what.toLowerCase() === name;
          if (!alike) return null;
          const upTo = units.slice(0, done + at + 1);
          const steps = batch.episode?.size;
          if (steps !== undefined && mismatch.step !== undefined && mismatch.step + 1 < steps) {
            const cut = batch.episode?.without?.(mismatch.step + 1, steps);
            if (cut !== undefined) upTo[upTo.length - 1] = { ...batch, episode: cut };
          }
          return { units: upTo, mismatch };
        }
        done += size;
      }
      const mismatch = keyspace ? await compareKeyspaces(sides) : null;
      return mismatch === null ? null : { units: [...units], mismatch };
    } finally {
      lanes.close();
    }
  };

  let best: { units: Unit[]; mismatch: Mismatch } | null = null;
  const attempt = async (units: readonly Unit[]): Promise<boolean> => {
    const outcome = await trial(units);
    if (outcome !== null) best = outcome;
    return outcome !== null;
  };
  if (!keyspace && !difference.lost) await attempt(split(related(difference)));
  if (best === null && !(await attempt(split(difference.history)))) return null;
  const current = (): Unit[] => best!.units;

  for (
    let size = Math.ceil(current().length / 2);
    size >= 1 && Date.now() < deadline;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (
      let at = Math.max(0, current().length - (keyspace ? 0 : 1) - size);
      Date.now() < deadline;
      at -= size
    ) {
      const units = current();
      const from = Math.max(0, at);
      const to = Math.min(at + size, keyspace ? units.length : units.length - 1);
      if (to > from) await attempt([...units.slice(0, from), ...units.slice(to)]);
      if (at <= 0) break;
    }
    if (current().length < PIPELINE && longest > 1) {
      const pipelined = longest;
      longest = 1;
      if (!(await attempt(current()))) longest = pipelined;
    }
  }
  for (let i = 0; i < current().length && Date.now() < deadline; i++) {
    const { commands } = current()[i]!;
    for (let j = 1; j < (commands[0]?.args.length ?? 0); j++) {
      for (let arg = commands[0]!.args[j]!; arg.length > 16; ) {
        arg = arg.slice(0, Math.floor(arg.length / 2));
        const units = [...current()];
        const unit = units[i];
        if (unit === undefined || unit.commands[0] === undefined) break;
        const args = [...unit.commands[0].args];
        args[j] = arg;
        units[i] = { ...unit, commands: [{ ...unit.commands[0], args }] };
        if (!(await attempt(units))) break;
      }
    }
  }
  // A scene that differs is worth fewer steps of its own.
  const scene = (): Episode | undefined => current()[current().length - 1]?.episode;
  for (let size = Math.ceil((scene()?.size ?? 0) / 2); size >= 1 && Date.now() < deadline; size >>= 1) {
    for (let at = (scene()?.size ?? 0) - size; Date.now() < deadline; at -= size) {
      const episode = scene();
      const fewer = episode?.without?.(Math.max(0, at), Math.max(0, at) + size);
      if (fewer !== undefined && (fewer.size ?? 0) > 0) {
        await attempt([...current().slice(0, -1), { ...current()[current().length - 1]!, episode: fewer }]);
      }
      if (at <= 0) break;
    }
  }
  return { history: current(), mismatch: best!.mismatch };
}
