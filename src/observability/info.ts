/** INFO: which sections are asked for, and their text. The fields are in info-fields.ts. */
import { asciiLower, cString } from '../config/bytes.js';
import { type InfoField, type InfoSection, infoSections } from './info-fields.js';
import type { ObservedServer } from './source.js';

const DEFAULT_SECTIONS: ReadonlySet<string> = new Set([
  'server',
  'clients',
  'memory',
  'persistence',
  'stats',
  'replication',
  'cpu',
  'module_list',
  'errorstats',
  'cluster',
  'keyspace',
]);

/** The text of INFO with these arguments. A section that does not exist is left out. */
export function infoText(server: ObservedServer, asked: readonly string[]): string {
  const wanted = new Set<string>();
  let all = false;
  for (const bytes of asked.length === 0 ? ['default'] : asked) {
    const word = asciiLower(cString(bytes));
    if (word === 'all' || word === 'everything') all = true;
    else if (word === 'default') for (const name of DEFAULT_SECTIONS) wanted.add(name);
    else wanted.add(word);
  }
  return infoSections
    .filter((section) => (all && section.hidden !== true) || section.names.some((name) => wanted.has(name)))
    .map((section) => sectionText(section, server))
    .join('\r\n');
}

function sectionText({ title, fields }: InfoSection, server: ObservedServer): string {
  const line = ([name, value]: InfoField) => `${name}:${value}\r\n`;
  return `# ${title}\r\n${fields(server).map(line).join('')}`;
}
