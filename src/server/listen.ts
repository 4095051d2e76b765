/**
 * The listening sockets that the configuration asks for: opened at start, and opened again when CONFIG SET changes
 * `port` or `bind`. (`tcp-backlog`, `unixsocket` and `unixsocketperm` cannot be changed at run time.)
 */
import type { Server } from './server.js';

const NO_MPTCP =
  'WARNING: mptcp is enabled, but this kernel has no Multipath TCP, or sysctl net.mptcp.enabled is 0. ' +
  'Listening with plain TCP instead.';

export class ListenError extends Error {
  override name = 'ListenError';
}

/** '*' and '::*' are the wildcard addresses; a leading '-' marks an address that may be missing on this machine. */
function parseAddress(address: string): { name: string; host: string; optional: boolean } {
  const optional = address.startsWith('-');
  const name = optional ? address.slice(1) : address;
  const host = name === '*' ? '0.0.0.0' : name === '::*' ? '::' : name;
  return { name, host, optional };
}

/**
 * Binds `bind` x `port` and returns the number of sockets, or null when an address that must be there cannot be bound:
 * then none is left. Without addresses, or with port 0, there is nothing to bind.
 */
function bindTcp(server: Server): number | null {
  const { config, log, native } = server;
  const configured = config.int('port');
  server.port = 0;
  if (configured === 0 && !server.ephemeral) return 0;
  let port = configured;
  let bound = 0;
  let mptcp = config.bool('mptcp');
  for (const address of config.value('bind')) {
    const { name, host, optional } = parseAddress(address);
    const listen = () =>
      native.listenTcp(host, port, config.int('tcp-backlog'), mptcp, config.int('socket-mark-id'));
    let result = listen();
    if (mptcp && result.familyMissing) {
      // Valkey ends here without a listener. A server that serves with less is worth more than one that does not.
      mptcp = false;
      result = listen();
      if (result.familyMissing) mptcp = true;
      else log.warning(NO_MPTCP);
    }
    if (result.error === '') {
      bound++;
      port = result.port;
      continue;
    }
    log.warning(`Warning: Could not create server TCP listening socket ${name}:${port}: ${result.error}`);
    if (result.familyMissing || (optional && result.addressMissing)) continue;
    native.closeListeners('tcp');
    return null;
  }
  server.port = bound === 0 ? configured : port;
  return bound;
}

/**
 * Opens everything. Returns the kinds of listeners there are now.
 * @throws ListenError when an address that must be there cannot be bound, or there is nothing to listen on.
 */
export function bindAll(server: Server): ('tcp' | 'unix')[] {
  const { config, log, native } = server;
  const kinds: ('tcp' | 'unix')[] = [];
  const bound = bindTcp(server);
  if (bound === null)
    throw new ListenError(`Failed listening on port ${config.int('port')} (tcp), aborting.`);
  if (bound > 0) kinds.push('tcp');
  const path = config.str('unixsocket');
  if (path !== '') {
    const result = native.listenUnix(
      path,
      config.int('unixsocketperm'),
      config.str('unixsocketgroup'),
      config.int('tcp-backlog'),
    );
    if (result.error !== '') {
      log.warning(`Failed opening Unix socket: ${result.error}`);
      throw new ListenError('Failed listening on port 0 (unix), aborting.');
    }
    kinds.push('unix');
  }
  if (kinds.length === 0) throw new ListenError('Configured to not listen anywhere, exiting.');
  return kinds;
}

/** Lets CONFIG SET of `port` and `bind` take effect. A change that fails is undone by the configuration, through here. */
export function rebindOnChange(server: Server): void {
  const rebind = (failure: string) => () => {
    server.native.closeListeners('tcp');
    return bindTcp(server) === null ? failure : undefined;
  };
  server.config.onApply('port', rebind('Unable to listen on this port. Check server logs.'));
  server.config.onApply('bind', rebind('Failed to bind to specified addresses.'));
}
