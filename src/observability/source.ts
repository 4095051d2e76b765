/** What INFO and the reports read of a server. A ServerContext is one. */
import type { Config } from '../config/config.js';
import type { NativeServer } from '../native/addon.js';
import type { AppendOnlyFile } from '../persistence/aof.js';
import type { Rdb } from '../persistence/rdb.js';

export interface ObservedServer {
  readonly config: Config;
  readonly native: NativeServer;
  readonly aof: Pick<AppendOnlyFile, 'figures'>;
  readonly rdb: Pick<Rdb, 'figures'>;
  /** 40 hexadecimal digits, new at every start. */
  readonly runId: string;
  /** 40 hexadecimal digits: the history of changes that this server's data are part of. */
  readonly replicationId: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** The bound TCP port; 0: none. */
  readonly port: number;
  /** Absolute path of the program, latin1 bytes; empty for a server inside of another program. */
  readonly executable: string;
  /** Who watches over the process. */
  readonly supervised: 'no' | 'upstart' | 'systemd';
  /** Connections that MIGRATE has to other servers. */
  readonly cachedMigrateSockets: number;
  /** The shutdown under way waits this many milliseconds more at most; null: none is under way. */
  readonly shutdownRemainingMs: number | null;
}
