/** Lists. */

import {
  command,
  double,
  group,
  integer,
  key,
  keyAt,
  keysCounted,
  keysFrom,
  multiple,
  native,
  oneof,
  optional,
  string,
  token,
} from './spec.js';

export const listCommands = group('list', [
  command('blmove', {
    summary:
      'Pops an element from a list, pushes it to another list and returns it. Blocks until an element is available otherwise. Deletes the list if the last element was moved.',
    since: '6.2.0',
    complexity: 'O(1)',
    arity: 6,
    flags: ['write', 'denyoom', 'blocking'],
    categories: ['list'],
    keys: [keyAt(1, ['RW', 'access', 'delete']), keyAt(2, ['RW', 'insert'])],
    arguments: [
      key('source', { spec: 0 }),
      key('destination', { spec: 1 }),
      oneof('wherefrom', [token('LEFT'), token('RIGHT')]),
      oneof('whereto', [token('LEFT'), token('RIGHT')]),
      double('timeout'),
    ],
    handler: native('blmove'),
  }),

  command('blmpop', {
    summary:
      'Pops the first element from one of multiple lists. Blocks until an element is available otherwise. Deletes the list if the last element was popped.',
    since: '7.0.0',
    complexity: 'O(N+M) where N is the number of provided keys and M is the number of elements returned.',
    arity: -5,
    flags: ['write', 'blocking'],
    categories: ['list'],
    keys: [keysCounted(2, ['RW', 'access', 'delete'])],
    getKeys: 'numkeys-at-2',
    arguments: [
      double('timeout'),
      integer('numkeys'),
      multiple(key('key', { spec: 0 })),
      oneof('where', [token('LEFT'), token('RIGHT')]),
      optional(integer('count', { token: 'COUNT' })),
    ],
    handler: native('blmpop'),
  }),

  command('blpop', {
    summary:
      'Removes and returns the first element in a list. Blocks until an element is available otherwise. Deletes the list if the last element was popped.',
    since: '2.0.0',
    complexity: 'O(N) where N is the number of provided keys.',
    arity: -3,
    flags: ['write', 'blocking'],
    categories: ['list'],
    keys: [keysFrom(1, ['RW', 'access', 'delete'], { last: -2 })],
    history: [['6.0.0', '`timeout` is interpreted as a double instead of an integer.']],
    arguments: [multiple(key('key', { spec: 0 })), double('timeout')],
    handler: native('blpop'),
  }),

  command('brpop', {
    summary:
      'Removes and returns the last element in a list. Blocks until an element is available otherwise. Deletes the list if the last element was popped.',
    since: '2.0.0',
    complexity: 'O(N) where N is the number of provided keys.',
    arity: -3,
    flags: ['write', 'blocking'],
    categories: ['list'],
    keys: [keysFrom(1, ['RW', 'access', 'delete'], { last: -2 })],
    history: [['6.0.0', '`timeout` is interpreted as a double instead of an integer.']],
    arguments: [multiple(key('key', { spec: 0 })), double('timeout')],
    handler: native('brpop'),
  }),

  command('brpoplpush', {
    summary:
      'Pops an element from a list, pushes it to another list and returns it. Blocks until an element is available otherwise. Deletes the list if the last element was popped.',
    since: '2.2.0',
    complexity: 'O(1)',
    arity: 4,
    flags: ['write', 'denyoom', 'blocking'],
    categories: ['list'],
    keys: [keyAt(1, ['RW', 'access', 'delete']), keyAt(2, ['RW', 'insert'])],
    history: [['6.0.0', '`timeout` is interpreted as a double instead of an integer.']],
    arguments: [key('source', { spec: 0 }), key('destination', { spec: 1 }), double('timeout')],
    handler: native('brpoplpush'),
  }),

  command('lindex', {
    summary: 'Returns an element from a list by its index.',
    since: '1.0.0',
    complexity:
      'O(N) where N is the number of elements to traverse to get to the element at index. This makes asking for the first or the last element of the list O(1).',
    arity: 3,
    flags: ['readonly'],
    categories: ['list'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [key('key', { spec: 0 }), integer('index')],
    handler: native('lindex'),
  }),

  command('linsert', {
    summary: 'Inserts an element before or after another element in a list.',
    since: '2.2.0',
    complexity:
      'O(N) where N is the number of elements to traverse before seeing the value pivot. This means that inserting somewhere on the left end on the list (head) can be considered O(1) and inserting somewhere on the right end (tail) is O(N).',
    arity: 5,
    flags: ['write', 'denyoom'],
    categories: ['list'],
    keys: [keyAt(1, ['RW', 'insert'])],
    arguments: [
      key('key', { spec: 0 }),
      oneof('where', [token('BEFORE'), token('AFTER')]),
      string('pivot'),
      string('element'),
    ],
    handler: native('linsert'),
  }),

  command('llen', {
    summary: 'Returns the length of a list.',
    since: '1.0.0',
    complexity: 'O(1)',
    arity: 2,
    flags: ['readonly', 'fast'],
    categories: ['list'],
    keys: [keyAt(1, ['RO'])],
    arguments: [key('key', { spec: 0 })],
    handler: native('llen'),
  }),

  command('lmove', {
    summary:
      'Returns an element after popping it from one list and pushing it to another. Deletes the list if the last element was moved.',
    since: '6.2.0',
    complexity: 'O(1)',
    arity: 5,
    flags: ['write', 'denyoom'],
    categories: ['list'],
    keys: [keyAt(1, ['RW', 'access', 'delete']), keyAt(2, ['RW', 'insert'])],
    arguments: [
      key('source', { spec: 0 }),
      key('destination', { spec: 1 }),
      oneof('wherefrom', [token('LEFT'), token('RIGHT')]),
      oneof('whereto', [token('LEFT'), token('RIGHT')]),
    ],
    handler: native('lmove'),
  }),

  command('lmpop', {
    summary:
      'Returns multiple elements from a list after removing them. Deletes the list if the last element was popped.',
    since: '7.0.0',
    complexity: 'O(N+M) where N is the number of provided keys and M is the number of elements returned.',
    arity: -4,
    flags: ['write'],
    categories: ['list'],
    keys: [keysCounted(1, ['RW', 'access', 'delete'])],
    getKeys: 'numkeys-at-1',
    arguments: [
      integer('numkeys'),
      multiple(key('key', { spec: 0 })),
      oneof('where', [token('LEFT'), token('RIGHT')]),
      optional(integer('count', { token: 'COUNT' })),
    ],
    handler: native('lmpop'),
  }),

  command('lpop', {
    summary:
      'Returns and removes one or more elements from the beginning of a list. Deletes the list if the last element was popped.',
    since: '1.0.0',
    complexity: 'O(N) where N is the number of elements returned',
    arity: -2,
    flags: ['write', 'fast'],
    categories: ['list'],
    keys: [keyAt(1, ['RW', 'access', 'delete'])],
    history: [['6.2.0', 'Added the `count` argument.']],
    arguments: [key('key', { spec: 0 }), optional(integer('count', { since: '6.2.0' }))],
    handler: native('lpop'),
  }),

  command('lpos', {
    summary: 'Returns the index of matching elements in a list.',
    since: '6.0.6',
    complexity:
      'O(N) where N is the number of elements in the list, for the average case. When searching for elements near the head or the tail of the list, or when the MAXLEN option is provided, the command may run in constant time.',
    arity: -3,
    flags: ['readonly'],
    categories: ['list'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [
      key('key', { spec: 0 }),
      string('element'),
      optional(integer('rank', { token: 'RANK' })),
      optional(integer('num-matches', { token: 'COUNT' })),
      optional(integer('len', { token: 'MAXLEN' })),
    ],
    handler: native('lpos'),
  }),

  command('lpush', {
    summary: "Prepends one or more elements to a list. Creates the key if it doesn't exist.",
    since: '1.0.0',
    complexity:
      'O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.',
    arity: -3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['list'],
    keys: [keyAt(1, ['RW', 'insert'])],
    history: [['2.4.0', 'Accepts multiple `element` arguments.']],
    arguments: [key('key', { spec: 0 }), multiple(string('element'))],
    handler: native('lpush'),
  }),

  command('lpushx', {
    summary: 'Prepends one or more elements to a list only when the list exists.',
    since: '2.2.0',
    complexity:
      'O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.',
    arity: -3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['list'],
    keys: [keyAt(1, ['RW', 'insert'])],
    history: [['4.0.0', 'Accepts multiple `element` arguments.']],
    arguments: [key('key', { spec: 0 }), multiple(string('element'))],
    handler: native('lpushx'),
  }),

  command('lrange', {
    summary: 'Returns a range of elements from a list.',
    since: '1.0.0',
    complexity:
      'O(S+N) where S is the distance of start offset from HEAD for small lists, from nearest end (HEAD or TAIL) for large lists; and N is the number of elements in the specified range.',
    arity: 4,
    flags: ['readonly'],
    categories: ['list'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [key('key', { spec: 0 }), integer('start'), integer('stop')],
    handler: native('lrange'),
  }),

  command('lrem', {
    summary: 'Removes elements from a list. Deletes the list if the last element was removed.',
    since: '1.0.0',
    complexity: 'O(N+M) where N is the length of the list and M is the number of elements removed.',
    arity: 4,
    flags: ['write'],
    categories: ['list'],
    keys: [keyAt(1, ['RW', 'delete'])],
    arguments: [key('key', { spec: 0 }), integer('count'), string('element')],
    handler: native('lrem'),
  }),

  command('lset', {
    summary: 'Sets the value of an element in a list by its index.',
    since: '1.0.0',
    complexity:
      'O(N) where N is the length of the list. Setting either the first or the last element of the list is O(1).',
    arity: 4,
    flags: ['write', 'denyoom'],
    categories: ['list'],
    keys: [keyAt(1, ['RW', 'update'])],
    arguments: [key('key', { spec: 0 }), integer('index'), string('element')],
    handler: native('lset'),
  }),

  command('ltrim', {
    summary: 'Removes elements from both ends of a list. Deletes the list if all elements were trimmed.',
    since: '1.0.0',
    complexity: 'O(N) where N is the number of elements to be removed by the operation.',
    arity: 4,
    flags: ['write'],
    categories: ['list'],
    keys: [keyAt(1, ['RW', 'delete'])],
    arguments: [key('key', { spec: 0 }), integer('start'), integer('stop')],
    handler: native('ltrim'),
  }),

  command('rpop', {
    summary:
      'Returns and removes one or more elements from the end of a list. Deletes the list if the last element was popped.',
    since: '1.0.0',
    complexity: 'O(N) where N is the number of elements returned',
    arity: -2,
    flags: ['write', 'fast'],
    categories: ['list'],
    keys: [keyAt(1, ['RW', 'access', 'delete'])],
    history: [['6.2.0', 'Added the `count` argument.']],
    arguments: [key('key', { spec: 0 }), optional(integer('count', { since: '6.2.0' }))],
    handler: native('rpop'),
  }),

  command('rpoplpush', {
    summary:
      'Returns the last element of a list after removing and pushing it to another list. Deletes the list if the last element was popped.',
    since: '1.2.0',
    complexity: 'O(1)',
    arity: 3,
    flags: ['write', 'denyoom'],
    categories: ['list'],
    keys: [keyAt(1, ['RW', 'access', 'delete']), keyAt(2, ['RW', 'insert'])],
    arguments: [key('source', { spec: 0 }), key('destination', { spec: 1 })],
    handler: native('rpoplpush'),
  }),

  command('rpush', {
    summary: "Appends one or more elements to a list. Creates the key if it doesn't exist.",
    since: '1.0.0',
    complexity:
      'O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.',
    arity: -3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['list'],
    keys: [keyAt(1, ['RW', 'insert'])],
    history: [['2.4.0', 'Accepts multiple `element` arguments.']],
    arguments: [key('key', { spec: 0 }), multiple(string('element'))],
    handler: native('rpush'),
  }),

  command('rpushx', {
    summary: 'Appends one or more elements to a list only when the list exists.',
    since: '2.2.0',
    complexity:
      'O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.',
    arity: -3,
    flags: ['write', 'denyoom', 'fast'],
    categories: ['list'],
    keys: [keyAt(1, ['RW', 'insert'])],
    history: [['4.0.0', 'Accepts multiple `element` arguments.']],
    arguments: [key('key', { spec: 0 }), multiple(string('element'))],
    handler: native('rpushx'),
  }),
]);
