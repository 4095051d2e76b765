/** SAVE and what DEBUG has to do with files of data. */

import type { ReplyEffect } from '../persistence/effects.js';
import { ErrorReply, OK, type Reply, Status } from '../resp/reply.js';
import type { CommandCall } from './context.js';

/** No reason given: the log has it. */
const FAILED = new ErrorReply('ERR');
const AOF_NOT_LOADED = new ErrorReply('ERR Error trying to load the AOF files, check server logs.');
const NOT_LOADED = new ErrorReply('ERR Error trying to load the RDB dump, check server logs.');

export function save({ server }: CommandCall): Reply {
  if (server.rdb.saving) return new ErrorReply('ERR Background save already in progress');
  return server.rdb.saveNow() ? OK : FAILED;
}

/** BGSAVE [SCHEDULE | CANCEL] */
export function bgSave({ server }: CommandCall, args: string[]): Reply {
  const option = args[1]?.toLowerCase();
  if (args.length > 2 || (option !== undefined && option !== 'schedule' && option !== 'cancel')) {
    return new ErrorReply('ERR syntax error');
  }
  return replied(option === 'cancel' ? server.rdb.cancel() : server.rdb.request(option === 'schedule'));
}

/** BGREWRITEAOF */
export function bgRewriteAof({ server }: CommandCall): Reply {
  return replied(server.aof.request());
}

function replied({ text, error }: ReplyEffect): Reply {
  if (!error) return new Status(text);
  return text === '' ? FAILED : new ErrorReply(`ERR ${text}`);
}

/** DEBUG LOADAOF */
export function debugLoadAof({ server, client }: CommandCall): Reply | Promise<Reply> {
  const finish = (ok: boolean): Reply => (ok ? OK : AOF_NOT_LOADED);
  return client.mayBlock ? server.aof.reload().then(finish) : finish(server.aof.reloadNow());
}

/** DEBUG RELOAD [MERGE] [NOFLUSH] [NOSAVE] */
export function debugReload({ server, client }: CommandCall, args: string[]): Reply | Promise<Reply> {
  const words = new Set(args.slice(2).map((word) => word.toLowerCase()));
  const merge = words.delete('merge');
  const flush = !words.delete('noflush');
  const saveFirst = !words.delete('nosave');
  if (words.size > 0) {
    return new ErrorReply('ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.');
  }
  if (saveFirst && !server.rdb.save()) return FAILED;
  const finish = (result: string): Reply => {
    if (result !== 'ok') return NOT_LOADED;
    server.log.notice('DB reloaded by DEBUG RELOAD');
    return OK;
  };
  const options = { empty: flush, merge };
  return client.mayBlock ? server.rdb.load(options).then(finish) : finish(server.rdb.loadNow(options));
}
