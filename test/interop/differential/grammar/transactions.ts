/** Transactions: whole ones, broken ones, and their words where they do not belong. */
import type { Command } from '../pair.js';
import { type Appender, build, type Context, entry, type Group, oneOf, repeat, steps } from './pattern.js';
import { counterKey, integer, key, value } from './values.js';

/** Commands whose replies are the same at any time: EXEC's array has no rules that would explain a difference. */
const queued: Appender = oneOf(
  ['SET', key, value],
  ['GET', key],
  ['INCR', counterKey],
  ['INCRBY', counterKey, integer],
  ['APPEND', key, value],
  ['STRLEN', key],
  ['DEL', key],
  ['EXISTS', key, key],
  ['TYPE', key],
  ['MSET', key, value, key, value],
  ['MGET', key, key],
  ['SET', key, value, 'GET'],
  ['SELECT', '0'],
  ['PING'],
  ['ECHO', value],
  ['NOSUCHCOMMAND', value],
  ['GET'],
  ['MULTI'],
  ['WATCH', key],
  ['UNWATCH'],
  ['HELLO', '9'],
);

function transaction(context: Context): Command[] {
  const { random } = context;
  const command = (...parts: Parameters<typeof build>[1]): Command => ({ args: build(context, parts) });
  const commands: Command[] = [];
  if (random.chance(0.4)) {
    commands.push(command('WATCH', repeat(1, 3, key)));
    // Its own change breaks it as well.
    if (random.chance(0.4)) commands.push(command(oneOf(['SET', key, value], ['DEL', key], ['GET', key])));
    if (random.chance(0.1)) commands.push(command('UNWATCH'));
  }
  commands.push(command('MULTI'));
  for (let n = random.int(0, 5); n > 0; n--) commands.push(command(queued));
  commands.push(command(random.pick(['EXEC', 'EXEC', 'EXEC', 'EXEC', 'exec', 'DISCARD', 'RESET'])));
  return commands;
}

export const transactions: Group = {
  name: 'transactions',
  weight: 6,
  entries: [
    steps(20, transaction),
    entry(1, ['EXEC']),
    entry(1, ['DISCARD']),
    entry(1, ['UNWATCH']),
    entry(1, ['WATCH', repeat(1, 3, key)]),
  ],
};
