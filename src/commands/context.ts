/** What a command handler written in TypeScript is given: the server it runs in and the client that sent the command. */

import type { Reply, RespVersion } from '../resp/reply.js';
import type { CommandTable } from './registry.js';

export interface ServerContext {
  readonly commands: CommandTable;
}

export interface ClientContext {
  readonly id: number;
  readonly resp: RespVersion;
  readonly db: number;
}

export interface CommandCall {
  readonly server: ServerContext;
  readonly client: ClientContext;
}

/**
 * Runs a command and returns its reply. `args` is the whole argument vector including the command's name, as latin1
 * byte strings; its length has been checked against the command's arity.
 */
export type TsHandler = (call: CommandCall, args: string[]) => Reply;
