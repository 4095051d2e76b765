/** SHUTDOWN: its words, which the configuration uses as well, and its handler. */
import { asciiLower } from '../config/bytes.js';
import { ErrorReply, NO_REPLY, OK, type Reply, SYNTAX_ERROR } from '../resp/reply.js';
import type { CommandCall } from './context.js';

/** The words of SHUTDOWN, shutdown-on-sigint and shutdown-on-sigterm (where `default` is none of them). */
export const SHUTDOWN_WORDS = ['save', 'nosave', 'now', 'force', 'safe', 'failover'] as const;
export type ShutdownWord = (typeof SHUTDOWN_WORDS)[number];
export type ShutdownFlags = ReadonlySet<ShutdownWord>;

/** `exited`: the server ends. `draining`: replicas lag, it will end later. `failed`: it serves on. */
export type ShutdownOutcome = 'exited' | 'draining' | 'failed';

const FAILED = new ErrorReply('ERR Errors trying to SHUTDOWN. Check logs.');

/** SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [SAFE] [FAILOVER] | ABORT */
export function shutdown({ server, client }: CommandCall, args: string[]): Reply {
  const flags = new Set<ShutdownWord>();
  let abort = false;
  for (const bytes of args.slice(1)) {
    const word = asciiLower(bytes);
    if (word === 'abort') abort = true;
    else if ((SHUTDOWN_WORDS as readonly string[]).includes(word)) flags.add(word as ShutdownWord);
    else return SYNTAX_ERROR;
  }
  if ((abort && flags.size > 0) || (flags.has('nosave') && flags.has('save'))) return SYNTAX_ERROR;
  if (flags.has('failover') && !server.config.bool('cluster-enabled'))
    return new ErrorReply('ERR SHUTDOWN FAILOVER is only supported in cluster mode.');
  if (abort) return server.shutdown.abort() ? OK : new ErrorReply('ERR No shutdown in progress.');
  // A client whose request ends the server reads the end of the connection as the answer.
  const outcome = server.shutdown.request(flags, server.native.identity(client.id));
  return outcome === 'failed' ? FAILED : NO_REPLY;
}
