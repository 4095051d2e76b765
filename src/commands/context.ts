/** What a command handler written in TypeScript is given: the server it runs in and the client that sent the command. */

import type { Config } from '../config/config.js';
import type { NativeServer } from '../native/addon.js';
import type { Log } from '../observability/log.js';
import type { Reply, RespVersion } from '../resp/reply.js';
import type { CommandTable } from './registry.js';

/** What introspection needs. */
export interface CommandTableContext {
  readonly commands: CommandTable;
}

/** The facts of a running server that handlers read, and the decisions they may ask for. */
export interface ServerContext extends CommandTableContext {
  readonly config: Config;
  readonly log: Log;
  readonly native: NativeServer;
  /** 40 hexadecimal digits, new at every start. */
  readonly runId: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** The bound TCP port; 0: none. */
  readonly port: number;
}

export interface ClientContext {
  readonly id: number;
  readonly resp: RespVersion;
  readonly db: number;
  /** Connected through a Unix socket or the loopback interface. */
  readonly local: boolean;
}

export interface CommandCall<S extends CommandTableContext = ServerContext> {
  readonly server: S;
  readonly client: ClientContext;
}

/**
 * Runs a command and returns its reply. `args` is the whole argument vector including the command's name, as latin1
 * byte strings; its length has been checked against the command's arity.
 */
export type TsHandler = (call: CommandCall, args: string[]) => Reply;
