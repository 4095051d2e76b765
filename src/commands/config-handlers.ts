/** CONFIG, as handlers of the command table. */
import { configGet, configRewrite, configSet } from '../config/commands.js';
import { isSensitive } from '../config/config.js';
import { OK, type Reply } from '../resp/reply.js';
import type { CommandCall } from './context.js';

export function configGetCommand({ server }: CommandCall, args: string[]): Reply {
  return configGet(server.config, args.slice(2));
}

export function configSetCommand({ server, client }: CommandCall, args: string[]): Reply {
  // Secrets must not show in COMMANDLOG and MONITOR, whether the command succeeds or not.
  for (let i = 2; i + 1 < args.length; i += 2) {
    if (isSensitive(args[i]!)) server.native.redact(i + 1);
  }
  return configSet(server.config, args.slice(2), {
    loading: server.native.loading().active,
    local: client.local,
  });
}

export function configRewriteCommand({ server }: CommandCall): Reply {
  return configRewrite(server.config, { users: () => [] });
}

export function configResetStatCommand({ server }: CommandCall): Reply {
  server.native.resetStats();
  server.rdb.resetFigures();
  return OK;
}
