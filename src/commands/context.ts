/** What a command handler written in TypeScript is given: the server it runs in and the client that sent the command. */

import type { Log } from '../observability/log.js';
import type { ObservedServer } from '../observability/source.js';
import type { AppendOnlyFile } from '../persistence/aof.js';
import type { Rdb } from '../persistence/rdb.js';
import type { Reply, RespVersion } from '../resp/reply.js';
import type { CommandTable } from './registry.js';
import type { ShutdownFlags, ShutdownOutcome } from './shutdown.js';

/** What introspection needs. */
export interface CommandTableContext {
  readonly commands: CommandTable;
}

/** How a server is asked to end. */
export interface ShutdownControl {
  /** `client`: who asked, for the log; null: a signal. */
  request(flags: ShutdownFlags, client: string | null): ShutdownOutcome;
  /** False: there was nothing to abort. */
  abort(): boolean;
  /** How long the shutdown under way waits for replicas at most; null: none is under way. */
  readonly remainingMs: number | null;
}

/** The facts of a running server that handlers read, and the decisions they may ask for. */
export interface ServerContext extends CommandTableContext, ObservedServer {
  readonly log: Log;
  readonly shutdown: ShutdownControl;
  readonly aof: AppendOnlyFile;
  readonly rdb: Rdb;
}

export interface ClientContext {
  readonly id: number;
  readonly resp: RespVersion;
  readonly db: number;
  /** Connected through a Unix socket or the loopback interface. */
  readonly local: boolean;
  /** It can wait for its reply: the command is not part of a transaction or a script. */
  readonly mayBlock: boolean;
}

export interface CommandCall<S extends CommandTableContext = ServerContext> {
  readonly server: S;
  readonly client: ClientContext;
}

/**
 * Runs a command and returns its reply. `args` is the whole argument vector including the command's name, as latin1
 * byte strings; its length has been checked against the command's arity. A promise lets the client wait, which
 * `client.mayBlock` must allow; everybody else is served meanwhile.
 */
export type TsHandler = (call: CommandCall, args: string[]) => Reply | Promise<Reply>;
