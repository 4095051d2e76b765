/** Opens the listening sockets that the configuration asks for. */
import type { Server } from './server.js';

export class ListenError extends Error {
  override name = 'ListenError';
}

/** '*' and '-::*' are the wildcard addresses; a leading '-' marks an address that may be missing on this machine. */
function numericAddress(address: string): { host: string; optional: boolean } {
  const optional = address.startsWith('-');
  const name = optional ? address.slice(1) : address;
  if (name === '*') return { host: '0.0.0.0', optional };
  if (name === '::*') return { host: '::', optional };
  return { host: name, optional };
}

/**
 * Binds `bind` x `port` and `unixsocket`. Returns the kinds of listeners there are now.
 * @throws ListenError when an address that must be there cannot be bound.
 */
export function bindAll(server: Server): ('tcp' | 'unix')[] {
  const { config, log, native } = server;
  const kinds: ('tcp' | 'unix')[] = [];
  const backlog = config.int('tcp-backlog');
  const configured = config.int('port');
  if (configured !== 0 || server.ephemeral) {
    let port = configured;
    let bound = 0;
    for (const address of config.value('bind')) {
      const { host, optional } = numericAddress(address);
      const result = native.listenTcp(host, port, backlog, config.bool('mptcp'));
      if (result.error === '') {
        bound++;
        port = result.port;
        continue;
      }
      log.warning(`Warning: Could not create server TCP listening socket ${address}:${port}: ${result.error}`);
      if (optional && result.notSupported) continue;
      throw new ListenError(`Failed listening on port ${port} (tcp), aborting.`);
    }
    if (bound === 0) throw new ListenError(`Failed listening on port ${port} (tcp), aborting.`);
    server.port = port;
    kinds.push('tcp');
  }
  const path = config.str('unixsocket');
  if (path !== '') {
    const result = native.listenUnix(path, config.int('unixsocketperm'), backlog);
    if (result.error !== '') {
      log.warning(`Failed opening Unix socket: bind: ${result.error}`);
      throw new ListenError('Failed listening on port 0 (unix), aborting.');
    }
    kinds.push('unix');
  }
  return kinds;
}
