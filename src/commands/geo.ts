/** Geospatial indexes (sorted sets of geohashes). */

import {
  block,
  command,
  double,
  group,
  integer,
  key,
  keyAfter,
  keyAt,
  multiple,
  native,
  oneof,
  optional,
  string,
  token,
} from './spec.js';

export const geoCommands = group('geo', [
  command('geoadd', {
    handler: native('geoadd'),
    summary: "Adds one or more members to a geospatial index. The key is created if it doesn't exist.",
    since: '3.2.0',
    complexity: 'O(log(N)) for each item added, where N is the number of elements in the sorted set.',
    arity: -5,
    flags: ['write', 'denyoom'],
    categories: ['geo'],
    keys: [keyAt(1, ['RW', 'update'])],
    history: [['6.2.0', 'Added the `CH`, `NX` and `XX` options.']],
    arguments: [
      key('key', { spec: 0 }),
      optional(oneof('condition', [token('NX'), token('XX')], { since: '6.2.0' })),
      optional(token('CH', { name: 'change', since: '6.2.0' })),
      multiple(block('data', [double('longitude'), double('latitude'), string('member')])),
    ],
  }),

  command('geodist', {
    handler: native('geodist'),
    summary: 'Returns the distance between two members of a geospatial index.',
    since: '3.2.0',
    complexity: 'O(1)',
    arity: -4,
    flags: ['readonly'],
    categories: ['geo'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [
      key('key', { spec: 0 }),
      string('member1'),
      string('member2'),
      optional(oneof('unit', [token('M'), token('KM'), token('FT'), token('MI')])),
    ],
  }),

  command('geohash', {
    handler: native('geohash'),
    summary: 'Returns members from a geospatial index as geohash strings.',
    since: '3.2.0',
    complexity: 'O(1) for each member requested.',
    arity: -2,
    flags: ['readonly'],
    categories: ['geo'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [key('key', { spec: 0 }), optional(multiple(string('member')))],
  }),

  command('geopos', {
    handler: native('geopos'),
    summary: 'Returns the longitude and latitude of members from a geospatial index.',
    since: '3.2.0',
    complexity: 'O(1) for each member requested.',
    arity: -2,
    flags: ['readonly'],
    categories: ['geo'],
    keys: [keyAt(1, ['RO', 'access'])],
    arguments: [key('key', { spec: 0 }), optional(multiple(string('member')))],
  }),

  command('georadius', {
    handler: native('georadius'),
    summary:
      'Queries a geospatial index for members within a distance from a coordinate, optionally stores the result.',
    since: '3.2.0',
    complexity:
      'O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index.',
    arity: -6,
    flags: ['write', 'denyoom'],
    categories: ['geo'],
    keys: [
      keyAt(1, ['RO', 'access']),
      keyAfter('STORE', 6, ['OW', 'update', 'variable_flags']),
      keyAfter('STOREDIST', 6, ['OW', 'update', 'variable_flags']),
    ],
    getKeys: 'georadius',
    history: [
      ['6.2.0', 'Added the `ANY` option for `COUNT`.'],
      ['7.0.0', 'Added support for uppercase unit names.'],
    ],
    arguments: [
      key('key', { spec: 0 }),
      double('longitude'),
      double('latitude'),
      double('radius'),
      oneof('unit', [token('M'), token('KM'), token('FT'), token('MI')]),
      optional(token('WITHCOORD')),
      optional(token('WITHDIST')),
      optional(token('WITHHASH')),
      optional(
        block('count-block', [
          integer('count', { token: 'COUNT' }),
          optional(token('ANY', { since: '6.2.0' })),
        ]),
      ),
      optional(oneof('order', [token('ASC'), token('DESC')])),
      optional(
        oneof('store', [
          key('storekey', { token: 'STORE', spec: 1, display: 'key' }),
          key('storedistkey', { token: 'STOREDIST', spec: 2, display: 'key' }),
        ]),
      ),
    ],
  }),

  command('georadius_ro', {
    handler: native('georadius_ro'),
    summary: 'Returns members from a geospatial index that are within a distance from a coordinate.',
    since: '3.2.10',
    complexity:
      'O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index.',
    arity: -6,
    flags: ['readonly'],
    categories: ['geo'],
    keys: [keyAt(1, ['RO', 'access'])],
    history: [
      ['6.2.0', 'Added the `ANY` option for `COUNT`.'],
      ['7.0.0', 'Added support for uppercase unit names.'],
    ],
    arguments: [
      key('key', { spec: 0 }),
      double('longitude'),
      double('latitude'),
      double('radius'),
      oneof('unit', [token('M'), token('KM'), token('FT'), token('MI')]),
      optional(token('WITHCOORD')),
      optional(token('WITHDIST')),
      optional(token('WITHHASH')),
      optional(
        block('count-block', [
          integer('count', { token: 'COUNT' }),
          optional(token('ANY', { since: '6.2.0' })),
        ]),
      ),
      optional(oneof('order', [token('ASC'), token('DESC')])),
    ],
  }),

  command('georadiusbymember', {
    handler: native('georadiusbymember'),
    summary:
      'Queries a geospatial index for members within a distance from a member, optionally stores the result.',
    since: '3.2.0',
    complexity:
      'O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index.',
    arity: -5,
    flags: ['write', 'denyoom'],
    categories: ['geo'],
    keys: [
      keyAt(1, ['RO', 'access']),
      keyAfter('STORE', 5, ['OW', 'update', 'variable_flags']),
      keyAfter('STOREDIST', 5, ['OW', 'update', 'variable_flags']),
    ],
    getKeys: 'georadius',
    history: [
      ['6.2.0', 'Added the `ANY` option for `COUNT`.'],
      ['7.0.0', 'Added support for uppercase unit names.'],
    ],
    arguments: [
      key('key', { spec: 0 }),
      string('member'),
      double('radius'),
      oneof('unit', [token('M'), token('KM'), token('FT'), token('MI')]),
      optional(token('WITHCOORD')),
      optional(token('WITHDIST')),
      optional(token('WITHHASH')),
      optional(block('count-block', [integer('count', { token: 'COUNT' }), optional(token('ANY'))])),
      optional(oneof('order', [token('ASC'), token('DESC')])),
      optional(
        oneof('store', [
          key('storekey', { token: 'STORE', spec: 1, display: 'key' }),
          key('storedistkey', { token: 'STOREDIST', spec: 2, display: 'key' }),
        ]),
      ),
    ],
  }),

  command('georadiusbymember_ro', {
    handler: native('georadiusbymember_ro'),
    summary: 'Returns members from a geospatial index that are within a distance from a member.',
    since: '3.2.10',
    complexity:
      'O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by center and radius and M is the number of items inside the index.',
    arity: -5,
    flags: ['readonly'],
    categories: ['geo'],
    keys: [keyAt(1, ['RO', 'access'])],
    history: [
      ['6.2.0', 'Added the `ANY` option for `COUNT`.'],
      ['7.0.0', 'Added support for uppercase unit names.'],
    ],
    arguments: [
      key('key', { spec: 0 }),
      string('member'),
      double('radius'),
      oneof('unit', [token('M'), token('KM'), token('FT'), token('MI')]),
      optional(token('WITHCOORD')),
      optional(token('WITHDIST')),
      optional(token('WITHHASH')),
      optional(block('count-block', [integer('count', { token: 'COUNT' }), optional(token('ANY'))])),
      optional(oneof('order', [token('ASC'), token('DESC')])),
    ],
  }),

  command('geosearch', {
    handler: native('geosearch'),
    summary: 'Queries a geospatial index for members inside an area of a box, circle, or a polygon.',
    since: '6.2.0',
    complexity:
      'O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the shape provided as the filter and M is the number of items inside the shape',
    arity: -7,
    flags: ['readonly'],
    categories: ['geo'],
    keys: [keyAt(1, ['RO', 'access'])],
    history: [
      ['7.0.0', 'Added support for uppercase unit names.'],
      ['9.0.0', 'Added support for the BYPOLYGON option.'],
    ],
    arguments: [
      key('key', { spec: 0 }),
      optional(
        oneof('from', [
          string('member', { token: 'FROMMEMBER' }),
          block('fromlonlat', [double('longitude'), double('latitude')], { token: 'FROMLONLAT' }),
        ]),
      ),
      oneof('by', [
        block('circle', [
          double('radius', { token: 'BYRADIUS' }),
          oneof('unit', [token('M'), token('KM'), token('FT'), token('MI')]),
        ]),
        block('box', [
          double('width', { token: 'BYBOX' }),
          double('height'),
          oneof('unit', [token('M'), token('KM'), token('FT'), token('MI')]),
        ]),
        block(
          'polygon',
          [
            integer('num-vertices', { token: 'BYPOLYGON' }),
            multiple(block('vertices', [double('longitude'), double('latitude')])),
          ],
          { since: '9.0.0' },
        ),
      ]),
      optional(oneof('order', [token('ASC'), token('DESC')])),
      optional(block('count-block', [integer('count', { token: 'COUNT' }), optional(token('ANY'))])),
      optional(token('WITHCOORD')),
      optional(token('WITHDIST')),
      optional(token('WITHHASH')),
    ],
  }),

  command('geosearchstore', {
    handler: native('geosearchstore'),
    summary:
      'Queries a geospatial index for members inside an area of a box, a circle, or a polygon, optionally stores the result.',
    since: '6.2.0',
    complexity:
      'O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the shape provided as the filter and M is the number of items inside the shape',
    arity: -8,
    flags: ['write', 'denyoom'],
    categories: ['geo'],
    keys: [keyAt(1, ['OW', 'update']), keyAt(2, ['RO', 'access'])],
    history: [
      ['7.0.0', 'Added support for uppercase unit names.'],
      ['9.0.0', 'Added support for the BYPOLYGON option.'],
    ],
    arguments: [
      key('destination', { spec: 0 }),
      key('source', { spec: 1 }),
      optional(
        oneof('from', [
          string('member', { token: 'FROMMEMBER' }),
          block('fromlonlat', [double('longitude'), double('latitude')], { token: 'FROMLONLAT' }),
        ]),
      ),
      oneof('by', [
        block('circle', [
          double('radius', { token: 'BYRADIUS' }),
          oneof('unit', [token('M'), token('KM'), token('FT'), token('MI')]),
        ]),
        block('box', [
          double('width', { token: 'BYBOX' }),
          double('height'),
          oneof('unit', [token('M'), token('KM'), token('FT'), token('MI')]),
        ]),
        block(
          'polygon',
          [
            integer('num-vertices', { token: 'BYPOLYGON' }),
            multiple(block('vertices', [double('longitude'), double('latitude')])),
          ],
          { since: '9.0.0' },
        ),
      ]),
      optional(oneof('order', [token('ASC'), token('DESC')])),
      optional(block('count-block', [integer('count', { token: 'COUNT' }), optional(token('ANY'))])),
      optional(token('STOREDIST')),
    ],
  }),
]);
