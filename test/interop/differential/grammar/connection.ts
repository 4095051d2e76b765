/** Connections: HELLO, AUTH, CLIENT and what has no data. */
import type { Command, Mismatch, Sides } from '../pair.js';
import { Pair } from '../pair.js';
import { text } from '../resp.js';
import {
  type Context,
  type Episode,
  entry,
  type Group,
  maybe,
  oneOf,
  options,
  type Part,
  repeat,
  steps,
} from './pattern.js';
import { clientName, integer, key, value } from './values.js';

const onOff: Part = oneOf('ON', 'OFF', 'on', 'BOGUS', '');
const yesNo: Part = oneOf('YES', 'NO', 'no', 'MAYBE');
/** Not a client that exists: ids count up from 1 and never get here. */
const noSuchId: Part = oneOf(
  '9999999999',
  '0',
  '-1',
  'abc',
  '',
  '1.5',
  '9223372036854775807',
  '99999999999999999999',
);

const commonFilters: readonly (readonly Part[])[] = ['', 'NOT-'].flatMap((not) => [
  [`${not}ID`, noSuchId],
  [`${not}TYPE`, oneOf('normal', 'pubsub', 'replica', 'slave', 'primary', 'master', 'bogus')],
  [`${not}USER`, oneOf('default', 'nosuchuser')],
  [`${not}ADDR`, oneOf('127.0.0.1:1', 'bogus')],
  [`${not}LADDR`, oneOf('127.0.0.1:1', 'bogus')],
  [`${not}FLAGS`, oneOf('N', 'P', 'x', 'Z', '?', '')],
  [`${not}NAME`, clientName],
  [`${not}LIB-NAME`, clientName],
  [`${not}LIB-VER`, clientName],
  [`${not}DB`, oneOf('0', '15', '16', '-1', 'abc')],
  [`${not}CAPA`, oneOf('r', 'redirect', '?', '')],
  [`${not}IP`, oneOf('127.0.0.2', 'bogus', '127.0.0.1')],
]);
const listFilter: Part = options(
  ...commonFilters,
  ['SKIPME', yesNo],
  ['MAXAGE', integer],
  ['IDLE', integer],
  ['BOGUS'],
  ['ID', noSuchId, noSuchId],
);

/** Filters for KILL always come with one that no connection meets, so that nobody dies. */
const nobody: Part = oneOf(
  ['ID', '9999999999'],
  ['ADDR', '127.0.0.1:1'],
  ['MAXAGE', '9999999'],
  ['IDLE', '9999999'],
);

/** CLIENT REPLY OFF and SKIP: some commands without a reply, then replies again. */
function silence({ random }: Context): Command[] {
  const quiet = (args: string[]): Command => ({ args, silent: true });
  if (random.chance(0.5)) {
    return [
      quiet(['CLIENT', 'REPLY', 'SKIP']),
      quiet(random.pick([['PING'], ['GET', 'k0'], ['BOGUS'], ['SET', 'k0', 'skipped'], ['GET']])),
      { args: ['PING'] },
    ];
  }
  const hushed = [
    quiet(['SET', 'k1', 'silent']),
    quiet(['INCR', 'n0']),
    quiet(['NOSUCHCOMMAND']),
    quiet(['GET']),
    quiet(['CLIENT', 'REPLY', 'SKIP']),
    quiet(['PING']),
  ];
  return [
    quiet(['CLIENT', 'REPLY', 'OFF']),
    ...random.shuffle(hushed).slice(0, random.int(0, 6)),
    { args: ['CLIENT', 'REPLY', 'ON'] },
    { args: ['GET', 'k1'] },
  ];
}

/** Runs on connections of its own; `steps` are single exchanges in order. */
function onFreshPair(
  name: string,
  needs: readonly string[],
  body: (fresh: Pair, sides: Sides) => Promise<Mismatch | null>,
): Episode {
  return {
    name,
    needs,
    run: async (_pair, sides) => {
      const fresh = await Pair.open(sides);
      try {
        return await body(fresh, sides);
      } finally {
        fresh.close();
      }
    },
  };
}

const requirePass = onFreshPair(
  'requirepass: what an unauthenticated connection may do',
  ['config|set', 'auth', 'hello'],
  async (admin, sides) => {
    const set = await admin.exchange([{ args: ['CONFIG', 'SET', 'requirepass', 'secret'] }]);
    if (set !== null) return set;
    const stranger = await Pair.open(sides);
    try {
      return await stranger.exchange([
        { args: ['GET', 'k0'] },
        { args: ['PING'] },
        { args: ['NOSUCHCOMMAND', 'x'] },
        { args: ['GET'] },
        { args: ['HELLO'] },
        { args: ['HELLO', '3'] },
        { args: ['HELLO', '3', 'AUTH', 'default', 'wrong'] },
        { args: ['AUTH', 'wrong'] },
        { args: ['AUTH', 'nobody', 'secret'] },
        { args: ['AUTH', 'default', 'secret', 'extra'] },
        { args: ['AUTH', 'secret'] },
        { args: ['PING'] },
        { args: ['RESET'] },
        { args: ['PING'] },
        { args: ['HELLO', '3', 'SETNAME', 'alice', 'AUTH', 'default', 'secret'], rule: 'hello' },
        { args: ['CLIENT', 'GETNAME'] },
        { args: ['QUIT'], closes: true },
      ]);
    } finally {
      stranger.close();
      await admin.call('CONFIG', 'SET', 'requirepass', '');
    }
  },
);

const killed = onFreshPair(
  'CLIENT KILL ID ends the victim, and only it',
  ['client|kill', 'client|id'],
  async (killer, sides) => {
    const victim = await Pair.open(sides);
    try {
      const [inSubject, inReference] = await victim.call('CLIENT', 'ID');
      const [fromSubject, fromReference] = await Promise.all([
        killer.subject.call('CLIENT', 'KILL', 'ID', text(inSubject)),
        killer.reference.call('CLIENT', 'KILL', 'ID', text(inReference)),
      ]);
      if (text(fromSubject) !== text(fromReference))
        return { index: -1, subject: text(fromSubject), reference: text(fromReference) };
      const ends = await Promise.all([
        victim.subject.exchange([''], Number.POSITIVE_INFINITY),
        victim.reference.exchange([''], Number.POSITIVE_INFINITY),
      ]);
      return ends[0] === ends[1]
        ? killer.exchange([{ args: ['PING'] }])
        : { index: -1, subject: ends[0], reference: ends[1] };
    } finally {
      victim.close();
    }
  },
);

const selfKill = onFreshPair(
  'CLIENT KILL of oneself answers before it closes',
  ['client|kill', 'client|id'],
  async (fresh) => {
    const ids = await fresh.call('CLIENT', 'ID');
    const ask = (connection: Pair['subject'], id: string): Promise<string> =>
      connection
        .exchange([`CLIENT KILL ID ${id} SKIPME no\r\nPING\r\n`], Number.POSITIVE_INFINITY)
        .then((outcome) => `${outcome} ${connection.received.toString('latin1')}`);
    const [subject, reference] = await Promise.all([
      ask(fresh.subject, text(ids[0])),
      ask(fresh.reference, text(ids[1])),
    ]);
    return subject === reference ? null : { index: -1, subject, reference };
  },
);

export const connections: Group = {
  name: 'connection',
  weight: 9,
  entries: [
    entry(3, ['PING', maybe(0.4, value)]),
    entry(3, ['ECHO', value]),
    entry(3, ['HELLO', oneOf('2', '3', '3', '3')], { rule: 'hello' }),
    entry(
      1,
      [
        'HELLO',
        maybe(0.9, oneOf('2', '3', '1', '4', 'abc', '', '-3')),
        options(['SETNAME', clientName], ['AUTH', 'default', 'x'], ['AUTH', 'x'], ['BOGUS']),
      ],
      { rule: 'hello' },
    ),
    entry(1, ['AUTH', repeat(1, 3, oneOf('default', 'x', '', 'nosuchuser'))]),
    entry(1, ['RESET']),
    steps(0.1, () => [{ args: ['QUIT'], closes: true }]),
    entry(2, ['CLIENT', 'SETNAME', clientName]),
    entry(2, ['CLIENT', 'GETNAME']),
    entry(2, ['CLIENT', 'SETINFO', oneOf('LIB-NAME', 'lib-ver', 'BOGUS'), clientName]),
    entry(1, ['CLIENT', 'NO-EVICT', onOff]),
    entry(1, ['CLIENT', 'NO-TOUCH', onOff]),
    entry(1, ['CLIENT', 'GETREDIR']),
    entry(1, ['CLIENT', 'CAPA', repeat(1, 2, oneOf('redirect', 'REDIRECT', 'bogus', ''))]),
    entry(1, ['CLIENT', 'ID'], { rule: 'shape' }),
    entry(2, ['CLIENT', 'INFO'], { rule: 'client line' }),
    entry(2, ['CLIENT', 'LIST', listFilter], { rule: 'client list', damage: false }),
    entry(
      2,
      [
        'CLIENT',
        'KILL',
        nobody,
        options(...commonFilters, ['MAXAGE', '99999'], ['SKIPME', 'yes'], ['BOGUS']),
      ],
      { damage: false },
    ),
    entry(1, ['CLIENT', 'KILL', oneOf('127.0.0.1:1', 'bogus', '', 'ID')], { damage: false }),
    entry(1, ['CLIENT', 'UNBLOCK', noSuchId, maybe(0.5, oneOf('TIMEOUT', 'ERROR', 'BOGUS'))]),
    entry(
      0.02,
      [
        'CLIENT',
        'PAUSE',
        oneOf('0', '1', '-1', 'abc', '1.5', '99999999999999999999'),
        maybe(0.5, oneOf('WRITE', 'ALL', 'BOGUS')),
      ],
      { damage: false },
    ),
    entry(0.5, ['CLIENT', 'UNPAUSE']),
    entry(0.5, ['CLIENT', 'CACHING', yesNo]),
    entry(
      1,
      [
        'CLIENT',
        'TRACKING',
        oneOf('OFF', 'BOGUS', ''),
        options(
          ['BCAST'],
          ['OPTIN'],
          ['OPTOUT'],
          ['NOLOOP'],
          ['PREFIX', key],
          ['REDIRECT', noSuchId],
          ['BOGUS'],
        ),
      ],
      { damage: false },
    ),
    entry(
      0.5,
      [
        'CLIENT',
        'TRACKING',
        'ON',
        oneOf(
          ['BCAST', 'OPTIN'],
          ['OPTIN', 'OPTOUT'],
          ['PREFIX', 'x'],
          ['REDIRECT', '9999999999'],
          ['REDIRECT', 'abc'],
          ['BOGUS'],
          ['BCAST', 'PREFIX', 'a', 'PREFIX', 'ab'],
        ),
      ],
      { damage: false },
    ),
    entry(0.5, ['CLIENT', 'TRACKINGINFO']),
    entry(0.3, ['CLIENT', 'IMPORT-SOURCE', onOff]),
    entry(0.3, ['CLIENT', oneOf('HELP', 'BOGUS', 'REPLY', 'setname', '')]),
    entry(0.3, ['CLIENT', 'REPLY', oneOf('ON', 'BOGUS', '')], { damage: false }),
    steps(1, silence),
    steps(0.01, () => [requirePass]),
    steps(0.02, () => [killed]),
    steps(0.02, () => [selfKill]),
  ],
};
