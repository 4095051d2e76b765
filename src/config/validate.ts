// Validity of single values beyond their type. Null: valid.

import { isIPv4, isIPv6 } from 'node:net';
import { cString } from './bytes.js';
import type { Surroundings, Verdict } from './parameter.js';

const MAX_IP_LENGTH = 45;
const MAX_HOST_LENGTH = 255;
const MAX_HASH_SEED_LENGTH = 256;

export function noActiveDefrag(enabled: boolean): Verdict {
  return enabled
    ? 'Active defragmentation cannot be enabled: it requires a server compiled with a modified Jemalloc ' +
        'like the one shipped by default with the source distribution'
    : null;
}

export function mptcpAvailable(enabled: boolean): Verdict {
  return enabled && process.platform !== 'linux' ? 'MPTCP is not supported on this platform' : null;
}

/** A file that lives in `dir`: a name, no path. */
export function fileName(parameter: string, kind: 'filename' | 'dirname'): (value: string) => Verdict {
  return (value) => {
    if (value === '') return `${parameter} can't be empty`;
    return /[/\\]/.test(value) ? `${parameter} can't be a path, just a ${kind}` : null;
  };
}

export function clusterConfigFile(value: string): Verdict {
  return value === '' ? "cluster-config-file can't be empty" : null;
}

export function shutdownFlags(flags: readonly string[]): Verdict {
  return flags.includes('save') && flags.includes('nosave')
    ? "shutdown options SAVE and NOSAVE can't be used simultaneously"
    : null;
}

/** The value can stand in nodes.conf, whose syntax knows no quoting. */
function fitsNodesConf(value: string): boolean {
  for (const c of value) {
    if (c <= ',' || c === '\x7f' || ';<=>?@[]^{|}~\\'.includes(c)) return false;
  }
  return true;
}

export function announcedNodename(value: string): Verdict {
  return fitsNodesConf(value) ? null : 'Announced human node name contained invalid character';
}

export function announcedIp(value: string): Verdict {
  if (value.length > MAX_IP_LENGTH) return 'cluster-announce-ip is too long';
  return fitsNodesConf(value) ? null : 'cluster-announce-ip contains invalid character';
}

export function announcedHostname(value: string): Verdict {
  const name = cString(value);
  if (name.length > MAX_HOST_LENGTH) return `Hostnames must be less than ${MAX_HOST_LENGTH + 1} characters`;
  return /^[A-Za-z0-9.-]*$/.test(name)
    ? null
    : 'Hostnames may only contain alphanumeric characters, hyphens or dots';
}

export function ipv4OrEmpty(value: string): Verdict {
  const address = cString(value);
  return address === '' || isIPv4(address) ? null : 'Invalid IPv4 address';
}

export function ipv6OrEmpty(value: string): Verdict {
  const address = cString(value);
  // Node also takes a zone (fe80::1%eth0), which is no part of an address that others can use.
  return address === '' || (isIPv6(address) && !address.includes('%')) ? null : 'Invalid IPv6 address';
}

export function hashSeed(value: string): Verdict {
  return value.length > MAX_HASH_SEED_LENGTH
    ? `hash-seed must be less than or equal to ${MAX_HASH_SEED_LENGTH} characters`
    : null;
}

/**
 * Fills in a proc-title-template: {variable}, and {{ for a brace. Null: unclosed or unknown variable.
 * Spaces at both ends are trimmed.
 */
export function expandTitle(template: string, variables: Readonly<Record<string, string>>): string | null {
  let out = '';
  for (let at = 0; at < template.length; ) {
    const open = template.indexOf('{', at);
    if (open < 0) {
      out += template.slice(at);
      break;
    }
    out += template.slice(at, open);
    if (template[open + 1] === '{') {
      out += '{';
      at = open + 2;
      continue;
    }
    const close = template.indexOf('}', open + 1);
    if (close < 0) return null;
    const name = template.slice(open + 1, close);
    if (!Object.hasOwn(variables, name)) return null;
    out += variables[name]!;
    at = close + 1;
  }
  return out.replace(/^ +| +$/g, '');
}

export function titleTemplate(value: string, around: Surroundings): Verdict {
  const title = expandTitle(cString(value), around.titleVariables(''));
  return title === null || title === '' ? 'template format is invalid or contains unknown variables' : null;
}
