/** All grammars. A new command group is one more file and one more line here. */

import { bitmaps } from './bitmaps.js';
import { connections } from './connection.js';
import { dumps } from './dumps.js';
import { places } from './geo.js';
import { hyperloglogs } from './hyperloglogs.js';
import { keys } from './keys.js';
import { lists } from './lists.js';
import type { Context, Entry, Group, Step } from './pattern.js';
import { scenes } from './scenes.js';
import { servers } from './server.js';
import { strings } from './string.js';
import { transactions } from './transactions.js';
import { otherTypes } from './types.js';
import { zsets } from './zsets.js';

export const groups: readonly Group[] = [
  strings,
  keys,
  connections,
  servers,
  transactions,
  lists,
  zsets,
  places,
  bitmaps,
  hyperloglogs,
  dumps,
  otherTypes,
  scenes,
];

/** Draws entries in proportion to their weight within the group, and groups by theirs. */
export class Grammar {
  private readonly entries: Entry[] = [];
  private readonly limits: number[] = [];
  private total = 0;

  constructor(chosen: readonly Group[]) {
    for (const group of chosen) {
      const sum = group.entries.reduce((weight, entry) => weight + entry.weight, 0);
      for (const entry of group.entries) {
        this.total += (entry.weight / sum) * group.weight;
        this.entries.push(entry);
        this.limits.push(this.total);
      }
    }
  }

  next(context: Context): Step[] {
    const point = context.random.unit() * this.total;
    let low = 0;
    let high = this.limits.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.limits[middle]! > point) high = middle;
      else low = middle + 1;
    }
    return this.entries[low]!.generate(context);
  }
}
