/** BGREWRITEAOF. */
import { ErrorReply, type Reply, Status } from '../resp/reply.js';
import type { CommandCall } from './context.js';

export function bgRewriteAof({ server }: CommandCall): Reply {
  const { text, error } = server.aof.request();
  return error ? new ErrorReply(`ERR ${text}`) : new Status(text);
}
