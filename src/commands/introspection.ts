/** COMMAND and its subcommands: the command table as clients see it. */

import {
  ErrorReply,
  encodeReply,
  MapReply,
  Raw,
  type Reply,
  type RespVersion,
  SetReply,
  Status,
  SYNTAX_ERROR,
} from '../resp/reply.js';
import type { CommandCall, CommandTableContext } from './context.js';
import { globMatch } from './glob.js';
import { getKeys, hasKeys } from './keys.js';
import type { Command, CommandTable } from './registry.js';
import {
  ACL_CATEGORY_NAMES,
  type Argument,
  COMMAND_FLAG,
  HIDDEN_COMMAND_FLAGS,
  KEY_FLAG_NAMES,
  type KeySpec,
} from './spec.js';

/** These handlers read only the table: they work without a server. */
type TableCall = CommandCall<CommandTableContext>;

type Entry = [Reply, Reply];

/** In the order of their bits; those that are not shown leave a gap. */
const FLAG_STATUSES: Status[] = [];
for (const [name, bit] of Object.entries(COMMAND_FLAG)) {
  if (!(HIDDEN_COMMAND_FLAGS as readonly string[]).includes(name)) {
    FLAG_STATUSES[Math.log2(bit)] = new Status(name);
  }
}
const CATEGORY_STATUSES = ACL_CATEGORY_NAMES.map((name) => new Status(`@${name}`));
const KEY_FLAG_STATUSES = KEY_FLAG_NAMES.map((name) => new Status(name));

/**
 * Encoded descriptions, made when first asked for: they cannot change, and many clients fetch all of them each time
 * they connect.
 */
class Descriptions {
  private readonly encoded = { 2: new WeakMap<Command, Raw>(), 3: new WeakMap<Command, Raw>() };

  constructor(private readonly describe: (command: Command, resp: RespVersion) => Reply) {}

  of(command: Command, resp: RespVersion): Raw {
    let raw = this.encoded[resp].get(command);
    if (raw === undefined) {
      const text = encodeReply(this.describe(command, resp), resp);
      // The way through a buffer leaves one flat string instead of the thousands of parts it was concatenated from.
      raw = new Raw(Buffer.from(text, 'latin1').toString('latin1'));
      this.encoded[resp].set(command, raw);
    }
    return raw;
  }
}

const info = new Descriptions(infoOf);
const docs = new Descriptions(docsOf);

/** COMMAND */
export function commandInfoAll(call: TableCall): Reply {
  return describeAll(call);
}

/** COMMAND COUNT */
export function commandCount({ server }: TableCall): Reply {
  return server.commands.size;
}

/** COMMAND INFO [name ...] */
export function commandInfo(call: TableCall, args: string[]): Reply {
  if (args.length === 2) return describeAll(call);
  return args.slice(2).map((name) => {
    const command = call.server.commands.lookup(name);
    return command === undefined ? null : info.of(command, call.client.resp);
  });
}

/** COMMAND DOCS [name ...]; unknown names are left out. */
export function commandDocs({ server, client }: TableCall, args: string[]): Reply {
  if (args.length === 2) return docsByName(server.commands.topLevel(), client.resp);
  const commands = args.slice(2).map((name) => server.commands.lookup(name));
  return docsByName(
    commands.filter((command) => command !== undefined),
    client.resp,
  );
}

/** COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern] */
export function commandList({ server }: TableCall, args: string[]): Reply {
  if (args.length === 2) return names(server.commands, () => true);
  if (args.length !== 5 || args[2]!.toLowerCase() !== 'filterby') return SYNTAX_ERROR;
  const filter = args[4]!;
  switch (args[3]!.toLowerCase()) {
    case 'module':
      return []; // no command comes from a module
    case 'aclcat': {
      const bit = (ACL_CATEGORY_NAMES as readonly string[]).indexOf(filter.toLowerCase());
      return bit < 0 ? [] : names(server.commands, (command) => (command.categories & (1 << bit)) !== 0);
    }
    case 'pattern':
      return names(server.commands, (command) => globMatch(filter, command.fullName, { ignoreCase: true }));
    default:
      return SYNTAX_ERROR;
  }
}

/** COMMAND GETKEYS command [arg ...] */
export function commandGetKeys(call: TableCall, args: string[]): Reply {
  return keysOfCall(call, args, (key) => key);
}

/** COMMAND GETKEYSANDFLAGS command [arg ...] */
export function commandGetKeysAndFlags(call: TableCall, args: string[]): Reply {
  return keysOfCall(call, args, (key, flags) => [key, setOf(KEY_FLAG_STATUSES, flags)]);
}

function keysOfCall(
  { server }: TableCall,
  args: string[],
  show: (key: string, flags: number) => Reply,
): Reply {
  const called = args.slice(2);
  const command = server.commands.resolve(called);
  if (command === undefined) return new ErrorReply('ERR Invalid command specified');
  if (!hasKeys(command)) return new ErrorReply('ERR The command has no key arguments');
  const { arity, flags } = command.spec;
  if (arity > 0 ? called.length !== arity : called.length < -arity) {
    return new ErrorReply('ERR Invalid number of arguments specified for command');
  }
  const keys = getKeys(command, called);
  if (keys.length === 0 && !flags?.includes('no_mandatory_keys')) {
    return new ErrorReply('ERR Invalid arguments specified for command');
  }
  return keys.map((key) => show(called[key.position]!, key.flags));
}

function names(table: CommandTable, wanted: (command: Command) => boolean): Reply {
  return table.all.filter(wanted).map((command) => command.fullName);
}

function describeAll({ server, client }: TableCall): Reply {
  return [...server.commands.topLevel()].map((command) => info.of(command, client.resp));
}

function infoOf(command: Command, resp: RespVersion): Reply {
  const { spec, legacyKeys } = command;
  return [
    command.fullName,
    spec.arity,
    setOf(FLAG_STATUSES, command.flags),
    legacyKeys.firstKey,
    legacyKeys.lastKey,
    legacyKeys.keyStep,
    setOf(CATEGORY_STATUSES, command.categories),
    new SetReply(spec.tips ?? []),
    new SetReply(command.keySpecs.map((keySpec, i) => keySpecInfo(keySpec, command.keySpecFlags[i]!))),
    [...command.subcommands.values()].map((sub) => info.of(sub, resp)),
  ];
}

function keySpecInfo({ begin, find, notes }: KeySpec, flags: number): Reply {
  const entries: Entry[] = [];
  if (notes !== undefined) entries.push(['notes', notes]);
  entries.push(['flags', setOf(KEY_FLAG_STATUSES, flags)]);

  let beginSpec: Entry[] = [];
  if (begin.type === 'index') {
    beginSpec = [['index', begin.index]];
  } else if (begin.type === 'keyword') {
    beginSpec = [
      ['keyword', begin.keyword],
      ['startfrom', begin.startFrom],
    ];
  }
  entries.push(['begin_search', typedSpec(begin.type, beginSpec)]);

  let findSpec: Entry[] = [];
  if (find.type === 'range') {
    findSpec = [
      ['lastkey', find.lastKey],
      ['keystep', find.keyStep],
      ['limit', find.limit],
    ];
  } else if (find.type === 'keynum') {
    findSpec = [
      ['keynumidx', find.keyNumIndex],
      ['firstkey', find.firstKey],
      ['keystep', find.keyStep],
    ];
  }
  entries.push(['find_keys', typedSpec(find.type, findSpec)]);
  return new MapReply(entries);
}

function typedSpec(type: string, spec: Entry[]): Reply {
  return new MapReply([
    ['type', type],
    ['spec', new MapReply(spec)],
  ]);
}

function docsByName(commands: Iterable<Command>, resp: RespVersion): Reply {
  return new MapReply(Array.from(commands, (command): Entry => [command.fullName, docs.of(command, resp)]));
}

function docsOf(command: Command, resp: RespVersion): Reply {
  const { spec } = command;
  const entries: Entry[] = [
    ['summary', spec.summary],
    ['since', spec.since],
    ['group', command.group],
  ];
  if (spec.complexity !== undefined) entries.push(['complexity', spec.complexity]);
  if (spec.docFlags) entries.push(['doc_flags', new SetReply(spec.docFlags.map((flag) => new Status(flag)))]);
  if (spec.deprecatedSince !== undefined) entries.push(['deprecated_since', spec.deprecatedSince]);
  if (spec.replacedBy !== undefined) entries.push(['replaced_by', spec.replacedBy]);
  if (spec.history) entries.push(['history', new SetReply(spec.history.map((change) => [...change]))]);
  if (spec.arguments) entries.push(['arguments', spec.arguments.map(argumentDocs)]);
  if (command.subcommands.size > 0)
    entries.push(['subcommands', docsByName(command.subcommands.values(), resp)]);
  return new MapReply(entries);
}

function argumentDocs(argument: Argument): Reply {
  const entries: Entry[] = [
    ['name', argument.name],
    ['type', argument.type],
  ];
  if (argument.arguments === undefined) entries.push(['display_text', argument.display ?? argument.name]);
  if (argument.spec !== undefined) entries.push(['key_spec_index', argument.spec]);
  if (argument.token !== undefined) entries.push(['token', argument.token]);
  if (argument.summary !== undefined) entries.push(['summary', argument.summary]);
  if (argument.since !== undefined) entries.push(['since', argument.since]);
  if (argument.deprecatedSince !== undefined) entries.push(['deprecated_since', argument.deprecatedSince]);
  const flags: Reply[] = [];
  if (argument.optional) flags.push(new Status('optional'));
  if (argument.multiple) flags.push(new Status('multiple'));
  if (argument.multipleToken) flags.push(new Status('multiple_token'));
  if (flags.length > 0) entries.push(['flags', new SetReply(flags)]);
  if (argument.arguments !== undefined) entries.push(['arguments', argument.arguments.map(argumentDocs)]);
  return new MapReply(entries);
}

/** The members whose position's bit is set in `bits`. */
function setOf(members: readonly Status[], bits: number): SetReply {
  return new SetReply(members.filter((_, bit) => bits & (1 << bit)));
}
