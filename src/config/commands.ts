// CONFIG GET, SET, REWRITE and HELP. `args` are the arguments behind the subcommand, latin1; the command table has
// checked their number already. RESETSTAT belongs to the statistics.

import { ErrorReply, OK, type Reply, Status, SYNTAX_ERROR } from '../resp/reply.js';
import type { Config, SetContext } from './config.js';
import { type RewriteOptions, rewriteConfig } from './rewrite.js';

export function configGet(config: Config, args: readonly string[]): Reply {
  return config.get(args);
}

export function configSet(config: Config, args: readonly string[], context: SetContext): Reply {
  if (args.length % 2 !== 0) return SYNTAX_ERROR;
  const pairs: [string, string][] = [];
  for (let i = 0; i < args.length; i += 2) pairs.push([args[i]!, args[i + 1]!]);
  const error = config.set(pairs, context);
  return error === null ? OK : new ErrorReply(error);
}

export function configRewrite(config: Config, options: RewriteOptions): Reply {
  if (config.file === null) return new ErrorReply('ERR The server is running without a config file');
  const error = rewriteConfig(config, options);
  if (error !== null) {
    config.log('warning', `CONFIG REWRITE failed: ${error}`);
    return new ErrorReply(`ERR Rewriting config file: ${error}`);
  }
  config.log('notice', 'CONFIG REWRITE executed with success.');
  return OK;
}

const help = [
  'CONFIG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
  'GET <pattern>',
  '    Return parameters matching the glob-like <pattern> and their values.',
  'SET <directive> <value>',
  '    Set the configuration <directive> to <value>.',
  'RESETSTAT',
  '    Reset statistics reported by the INFO command.',
  'REWRITE',
  '    Rewrite the configuration file.',
  'HELP',
  '    Print this help.',
];

export function configHelp(): Reply {
  return help.map((line) => new Status(line));
}
