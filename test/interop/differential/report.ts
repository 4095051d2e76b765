/** A difference for people: where, what, both replies, and the last commands that touched the same keys. */
import type { Batch, Difference, Tally } from './driver.js';
import { ALL_KEYS } from './grammar/values.js';
import { formatCommand } from './resp.js';

const CONTEXT_COMMANDS = 20;
const KEYS = new Set(ALL_KEYS);

/** One line a command, with the connection it went to. */
export function listing(history: readonly Batch[]): string[] {
  return history.flatMap(({ connection, commands, episode }) =>
    episode
      ? [`[${connection}] # ${episode.name}`, ...(episode.lines ?? []).map((line) => `      ${line}`)]
      : commands.map(({ args }) => `[${connection}] ${formatCommand(args)}`),
  );
}

/** Commands that change what later ones on the connection, or all, mean. */
const isState = (args: readonly string[]): boolean =>
  /^(select|swapdb|flushdb|flushall|hello|reset|config|move|debug)$/i.test(args[0] ?? '');

export function related(difference: Difference): Batch[] {
  const keys = difference.what.filter((arg) => KEYS.has(arg));
  const touching: Batch[] = [];
  for (const { connection, commands, episode } of difference.history) {
    if (episode) touching.push({ connection, commands, cuts: [], episode });
    const chosen = commands.filter(
      ({ args }) => keys.length === 0 || isState(args) || args.some((arg) => keys.includes(arg)),
    );
    if (chosen.length > 0) touching.push({ connection, commands: chosen, cuts: [] });
  }
  return touching;
}

export function describe(difference: Difference): string {
  const { seed, round, step, what, subject, reference } = difference;
  return [
    `DIFFERENCE  seed ${seed} round ${round} step ${step}  (reproduce: --seed ${seed} --round ${round})`,
    `  command  ${formatCommand(what)}`,
    `  subject  ${subject}`,
    `  valkey   ${reference}`,
    '  the last commands on the same keys:',
    ...listing(related(difference))
      .slice(-CONTEXT_COMMANDS)
      .map((line) => `    ${line}`),
  ].join('\n');
}

/** A table of all commands that were sent, three to a line: name, how often, percent of errors. */
export function summary(tallies: ReadonlyMap<string, Tally>): string {
  const cells = [...tallies]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { sent, answered, errors }]) => {
      const percent = answered === 0 ? '-' : `${Math.round((100 * errors) / answered)}%`;
      return `${name.padEnd(24)}${String(sent).padStart(8)} ${percent.padStart(5)}`;
    });
  const lines: string[] = [];
  for (let i = 0; i < cells.length; i += 3) lines.push(cells.slice(i, i + 3).join('   '));
  return `${cells.length} commands: name, sent, replies that were errors\n${lines.join('\n')}\n`;
}
