/**
 * MODULE. C modules are not part of Kvasir: none is ever loaded, and the commands say so as a Valkey does that has none
 * and finds nothing to load.
 */
import { ErrorReply, type Reply } from '../resp/reply.js';
import type { CommandCall } from './context.js';

/** MODULE LIST */
export function moduleListCommand(): Reply {
  return [];
}

/** MODULE LOAD path [arg ...]; MODULE LOADEX path [CONFIG name value ...] [ARGS arg ...] */
export function moduleLoadCommand({ server }: CommandCall, args: string[]): Reply {
  server.log.warning(
    `Module ${args[2]!} failed to load: modules written for Valkey's C interface are not supported`,
  );
  return new ErrorReply('ERR Error loading the extension. Please check the server logs.');
}

/** MODULE UNLOAD name */
export function moduleUnloadCommand({ server }: CommandCall, args: string[]): Reply {
  const reason = 'no such module with that name';
  server.log.warning(`Error unloading module ${args[2]!}: ${reason}`);
  return new ErrorReply(`ERR Error unloading module: ${reason}`);
}
