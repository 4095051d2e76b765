/** Places: in a small area, so that searches find some, and at the edges of the map. */
import { entry, type Group, maybe, oneOf, options, type Part, repeat } from './pattern.js';
import { key } from './values.js';

const gkey: Part = oneOf('g0', 'g1', 'g2', key);
const member: Part = ({ random }, out) => {
  out.push(`p${random.int(0, 60)}`);
};
const point: Part = ({ random }, out) => {
  // Some places have several members: which comes first is seen, too.
  if (random.chance(0.3)) {
    out.push(
      ...random.pick([
        ['15.1', '37.5'],
        ['13.4', '38.1'],
        ['14.01', '37.2'],
      ]),
    );
    return;
  }
  if (random.chance(0.9)) out.push((random.unit() * 4 + 13).toFixed(6), (random.unit() * 4 + 36).toFixed(6));
  else
    out.push(
      random.pick(['180', '-180', '181', 'abc', '0']),
      random.pick(['85.05', '-85.05', '86', '', '0']),
    );
};
const unit: Part = oneOf('m', 'km', 'ft', 'mi', 'KM', 'cm');
const length: Part = oneOf('0', '10', '100', '500', '20000', '-1', 'abc');
const rest = options(
  ['WITHDIST'],
  ['WITHCOORD'],
  ['WITHHASH'],
  ['DESC'],
  ['COUNT', oneOf('1', '5', '0')],
  ['ANY'],
);
const centre = oneOf(['FROMMEMBER', member], ['FROMLONLAT', point]);
const area = oneOf(
  ['BYRADIUS', length, unit],
  ['BYBOX', length, length, unit],
  ['BYPOLYGON', '3', point, point, point],
);

export const places: Group = {
  name: 'geo',
  weight: 12,
  entries: [
    entry(6, ['GEOADD', gkey, options(['NX'], ['XX'], ['CH']), repeat(1, 4, point, member)]),
    entry(2, ['GEODIST', gkey, member, member, options([unit])]),
    entry(1, ['GEOHASH', gkey, repeat(1, 3, member)]),
    entry(2, ['GEOPOS', gkey, repeat(1, 3, member)]),
    entry(4, ['GEOSEARCH', gkey, centre, area, maybe(0.8, 'ASC'), rest]),
    entry(2, ['GEOSEARCH', gkey, 'BYPOLYGON', '4', point, point, point, point, maybe(0.8, 'ASC'), rest]),
    entry(2, ['GEOSEARCHSTORE', gkey, gkey, centre, area, options(['STOREDIST'])]),
    entry(2, [oneOf('GEORADIUS', 'GEORADIUS_RO'), gkey, point, length, unit, maybe(0.8, 'ASC'), rest]),
    entry(2, [
      oneOf('GEORADIUSBYMEMBER', 'GEORADIUSBYMEMBER_RO'),
      gkey,
      member,
      length,
      unit,
      maybe(0.8, 'ASC'),
      rest,
    ]),
  ],
};
