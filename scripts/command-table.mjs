/**
 * The command table as text, for C++ programs that run commands without Node (native/test/engine_fuzz.cc):
 *
 *   node scripts/command-table.mjs > commands.tsv
 *
 * A line for each native command, parents before their subcommands, fields between tabs: name, full name, full name
 * of the container or '', handler or '' for a container, arity, flags, first key, last key, key step, the words that its
 * arguments may be, between blanks, and the argument that names an element. Reads dist/.
 */
import { CommandTable } from '../dist/commands/registry.js';

/** The literal words of a command's arguments, those of nested arguments included. */
function words(args, out = new Set()) {
  for (const arg of args ?? []) {
    if (arg.token) out.add(arg.token);
    words(arg.arguments ?? arg.args, out);
  }
  return out;
}

const table = new CommandTable();
for (const native of table.compileForNative()) {
  const command = table.all[native.id];
  const container = command.subcommands.size > 0;
  if (native.symbol === '' && !container) continue;
  const fields = [
    ...[command.name, command.fullName, command.parent?.fullName ?? '', native.symbol],
    ...[native.arity, native.flags, native.firstKey, native.lastKey, native.keyStep],
    [...words(command.spec.arguments)].filter((word) => /^\S+$/.test(word)).join(' '),
    native.element,
  ];
  process.stdout.write(`${fields.join('\t')}\n`);
}
