/**
 * The HELP subcommands of the containers. The texts are shown to clients as they are, so they are Valkey's to the byte.
 *
 * A HELP subcommand alone does not make its container exist: the registry lists a container when another of its
 * subcommands is built.
 */

import { type Reply, Status } from '../resp/reply.js';
import type { TsHandler } from './context.js';

/** A handler that answers with a heading, the lines of `text` and how to ask for help. */
function help(text: string): TsHandler {
  const lines = [...text.trim().split('\n'), 'HELP', '    Print this help.'].map((line) => new Status(line));
  return (_call, args): Reply => {
    const name = args[0]!.replace(/[a-z]+/g, (word) => word.toUpperCase());
    return [new Status(`${name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`), ...lines];
  };
}

export const aclHelp = help(`
CAT [<category>]
    List all commands that belong to <category>, or all command categories
    when no category is specified.
DELUSER <username> [<username> ...]
    Delete a list of users.
DRYRUN <username> <command> [<arg> ...]
    Returns whether the user can execute the given command without executing the command.
GETUSER <username>
    Get the user's details.
GENPASS [<bits>]
    Generate a secure 256-bit user password. The optional \`bits\` argument can
    be used to specify a different size.
LIST
    Show users details in config file format.
LOAD
    Reload users from the ACL file.
LOG [<count> | RESET]
    Show the ACL log entries.
SAVE
    Save the current config to the ACL file.
SETUSER <username> <rule> [<rule> ...]
    Create or modify a user with the specified rules.
USERS
    List all the registered usernames.
WHOAMI
    Return the current connection username.
`);

export const clientHelp = help(`
CACHING (YES|NO)
    Enable/disable tracking of the keys for next command in OPTIN/OPTOUT modes.
CAPA <option> [options...]
    The client claims its some capability options. Options are:
    * REDIRECT
      The client can handle redirection during primary and replica failover in standalone mode.
GETREDIR
    Return the client ID we are redirecting to when tracking is enabled.
GETNAME
    Return the name of the current connection.
ID
    Return the ID of the current connection.
INFO
    Return information about the current client connection.
KILL <ip:port>
    Kill connection made from <ip:port>.
KILL <option> <value> [<option> <value> [...]]
    Kill connections. Options are:
    * ADDR (<ip:port>|<unixsocket>:0)
      Kill connections made from the specified address.
    * LADDR (<ip:port>|<unixsocket>:0)
      Kill connections made to the specified local address.
    * TYPE (NORMAL|PRIMARY|REPLICA|PUBSUB)
      Kill connections by type.
    * USER <username>
      Kill connections authenticated by <username>.
    * SKIPME (YES|NO)
      Skip killing current connection (default: yes).
    * ID <client-id> [<client-id>...]
      Kill connections by client IDs.
    * MAXAGE <maxage>
      Kill connections older than the specified age.
    * FLAGS <flags>
      Kill connections that include the specified flags.
    * NAME <client-name>
      Kill connections with the specified name.
    * IDLE <idle>
      Kill connections with idle time greater than or equal to <idle> seconds.
    * LIB-NAME <library-name>
      Kill connections with the specified library name.
    * LIB-VER <library-version>
      Kill connections with the specified library version.
    * DB <db-id>
      Kill connections currently operating on the specified database ID.
    * CAPA <capa>
      Kill connections currently with the specified capa.
    * IP <ip>
      Kill connections made from the specified ip.
LIST [options ...]
    Return information about client connections. Options:
    * TYPE (NORMAL|PRIMARY|REPLICA|PUBSUB)
      Return clients of specified type.
    * USER <username>
      Return clients authenticated by <username>.
    * ADDR <ip:port>
      Return clients connected from the specified address.
    * LADDR <ip:port>
      Return clients connected to the specified local address.
    * ID <client-id> [<client-id>...]
      Return clients with the specified IDs.
    * SKIPME (YES|NO)
      Exclude the current client from the list (default: no).
    * MAXAGE <maxage>
      List connections older than the specified age.
    * FLAGS <flags>
      Return clients with the specified flags.
    * NAME <client-name>
      Return clients with the specified name.
    * IDLE <idle>
      Return clients with idle time greater than or equal to <idle> seconds.
    * LIB-NAME <lib-name>
      Return clients with the specified lib name.
    * LIB-VER <lib-version>
      Return clients with the specified lib version.
    * DB <db-id>
      Return clients currently operating on the specified database ID.
    * CAPA <capa>
      Return connections currently with the specified capa.
    * IP <ip>
      Return connections made from the specified ip.
UNPAUSE
    Stop the current client pause, resuming traffic.
PAUSE <timeout> [WRITE|ALL]
    Suspend all, or just write, clients for <timeout> milliseconds.
REPLY (ON|OFF|SKIP)
    Control the replies sent to the current connection.
SETNAME <name>
    Assign the name <name> to the current connection.
SETINFO <option> <value>
    Set client meta attr. Options are:
    * LIB-NAME: the client lib name.
    * LIB-VER: the client lib version.
UNBLOCK <clientid> [TIMEOUT|ERROR]
    Unblock the specified blocked client.
TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]
         [OPTIN] [OPTOUT] [NOLOOP]
    Control server assisted client side caching.
TRACKINGINFO
    Report tracking status for the current connection.
NO-EVICT (ON|OFF)
    Protect current client connection from eviction.
NO-TOUCH (ON|OFF)
    Will not touch LRU/LFU stats when this mode is on.
IMPORT-SOURCE (ON|OFF)
    Mark this connection as an import source if import-mode is enabled.
    Sync tools can set their connections into 'import-source' state to visit
    expired keys.
`);

export const clusterHelp = help(`
COUNTKEYSINSLOT <slot>
    Return the number of keys in <slot>.
GETKEYSINSLOT <slot> <count>
    Return key names stored by current node in a slot.
INFO
    Return information about the cluster.
KEYSLOT <key>
    Return the hash slot for <key>.
MYID
    Return the node id.
MYSHARDID
    Return the node's shard id.
NODES
    Return cluster configuration seen by node. Output format:
    <id> <ip:port@bus-port[,hostname]> <flags> <primary> <pings> <pongs> <epoch> <link> <slot> ...
REPLICAS <node-id>
    Return <node-id> replicas.
SLOTS
    Return information about slots range mappings. Each range is made of:
    start, end, primary and replicas IP addresses, ports and ids
SLOT-STATS
    Return an array of slot usage statistics for slots assigned to the current node.
SHARDS
    Return information about slot range mappings and the nodes associated with them.
ADDSLOTS <slot> [<slot> ...]
    Assign slots to current node.
ADDSLOTSRANGE <start slot> <end slot> [<start slot> <end slot> ...]
    Assign slots which are between <start-slot> and <end-slot> to current node.
BUMPEPOCH
    Advance the cluster config epoch.
COUNT-FAILURE-REPORTS <node-id>
    Return number of failure reports for <node-id>.
DELSLOTS <slot> [<slot> ...]
    Delete slots information from current node.
DELSLOTSRANGE <start slot> <end slot> [<start slot> <end slot> ...]
    Delete slots information which are between <start-slot> and <end-slot> from current node.
FAILOVER [FORCE|TAKEOVER]
    Promote current replica node to being a master.
FORGET <node-id>
    Remove a node from the cluster.
FLUSHSLOTS
    Delete current node own slots information.
MEET <ip> <port> [<bus-port>]
    Connect nodes into a working cluster.
REPLICATE <node-id>
    Configure current node as replica to <node-id>.
RESET [HARD|SOFT]
    Reset current node (default: soft).
SET-CONFIG-EPOCH <epoch>
    Set config epoch of current node.
SETSLOT <slot> (IMPORTING <node-id>|MIGRATING <node-id>|STABLE|NODE <node-id>)
    Set slot state.
SAVECONFIG
    Force saving cluster configuration on disk.
LINKS
    Return information about all network links between this node and its peers.
    Output format is an array where each array element is a map containing attributes of a link
MIGRATESLOTS SLOTSRANGE start-slot end-slot [start-slot end-slot ...] NODE node-id [SLOTSRANGE start-slot end-slot [start-slot end-slot ...] NODE node-id ...]
    Migrate the specified slot ranges from this node to the specified node.
CANCELSLOTMIGRATIONS ALL
    Cancel all migrations.
GETSLOTMIGRATIONS
    Get information about ongoing and recently finished slot imports and exports.
`);

export const commandHelp = help(`
(no subcommand)
    Return details about all commands.
COUNT
    Return the total number of commands in this server.
LIST
    Return a list of all commands in this server.
INFO [<command-name> ...]
    Return details about multiple commands.
    If no command names are given, documentation details for all
    commands are returned.
DOCS [<command-name> ...]
    Return documentation details about multiple commands.
    If no command names are given, documentation details for all
    commands are returned.
GETKEYS <full-command>
    Return the keys from a full command.
GETKEYSANDFLAGS <full-command>
    Return the keys and the access flags from a full command.
`);

export const commandlogHelp = help(`
GET <count> <type>
    Return top <count> entries of the specified <type> from the commandlog (-1 mean all).
    Entries are made of:
    id, timestamp,
        time in microseconds for type of slow,
        or size in bytes for type of large-request,
        or size in bytes for type of large-reply
    arguments array, client IP and port,
    client name
LEN <type>
    Return the length of the specified type of commandlog.
RESET <type>
    Reset the specified type of commandlog.
`);

export const configHelp = help(`
GET <pattern>
    Return parameters matching the glob-like <pattern> and their values.
SET <directive> <value>
    Set the configuration <directive> to <value>.
RESETSTAT
    Reset statistics reported by the INFO command.
REWRITE
    Rewrite the configuration file.
`);

export const functionHelp = help(`
LOAD [REPLACE] <FUNCTION CODE>
    Create a new library with the given library name and code.
DELETE <LIBRARY NAME>
    Delete the given library.
LIST [LIBRARYNAME PATTERN] [WITHCODE]
    Return general information on all the libraries:
    * Library name
    * The engine used to run the Library
    * Functions list
    * Library code (if WITHCODE is given)
    It also possible to get only function that matches a pattern using LIBRARYNAME argument.
STATS
    Return information about the current function running:
    * Function name
    * Command used to run the function
    * Duration in MS that the function is running
    If no function is running, return nil
    In addition, returns a list of available engines.
KILL
    Kill the current running function.
FLUSH [ASYNC|SYNC]
    Delete all the libraries.
    When called without the optional mode argument, the behavior is determined by the
    lazyfree-lazy-user-flush configuration directive. Valid modes are:
    * ASYNC: Asynchronously flush the libraries.
    * SYNC: Synchronously flush the libraries.
DUMP
    Return a serialized payload representing the current libraries, can be restored using FUNCTION RESTORE command
RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]
    Restore the libraries represented by the given payload, it is possible to give a restore policy to
    control how to handle existing libraries (default APPEND):
    * FLUSH: delete all existing libraries.
    * APPEND: appends the restored libraries to the existing libraries. On collision, abort.
    * REPLACE: appends the restored libraries to the existing libraries, On collision, replace the old
      libraries with the new libraries (notice that even on this option there is a chance of failure
      in case of functions name collision with another library).
`);

export const latencyHelp = help(`
DOCTOR
    Return a human readable latency analysis report.
GRAPH <event>
    Return an ASCII latency graph for the <event> class.
HISTORY <event>
    Return time-latency samples for the <event> class.
LATEST
    Return the latest latency samples for all events.
RESET [<event> ...]
    Reset latency data of one or more <event> classes.
    (default: reset all data for all event classes)
HISTOGRAM [COMMAND ...]
    Return a cumulative distribution of latencies in the format of a histogram for the specified command names.
    If no commands are specified then all histograms are replied.
`);

export const memoryHelp = help(`
DOCTOR
    Return memory problems reports.
MALLOC-STATS
    Return internal statistics report from the memory allocator.
PURGE
    Attempt to purge dirty pages for reclamation by the allocator.
STATS
    Return information about the memory usage of the server.
USAGE <key> [SAMPLES <count>]
    Return memory in bytes used by <key> and its value. Nested values are
    sampled up to <count> times (default: 5, 0 means sample all).
`);

export const objectHelp = help(`
ENCODING <key>
    Return the kind of internal representation used in order to store the value
    associated with a <key>.
FREQ <key>
    Return the access frequency index of the <key>. The returned integer is
    proportional to the logarithm of the recent access frequency of the key.
IDLETIME <key>
    Return the idle time of the <key>, that is the approximated number of
    seconds elapsed since the last access to the key.
REFCOUNT <key>
    Return the number of references of the value associated with the specified
    <key>.
`);

export const pubsubHelp = help(`
CHANNELS [<pattern>]
    Return the currently active channels matching a <pattern> (default: '*').
NUMPAT
    Return number of subscriptions to patterns.
NUMSUB [<channel> ...]
    Return the number of subscribers for the specified channels, excluding
    pattern subscriptions(default: no channels).
SHARDCHANNELS [<pattern>]
    Return the currently active shard level channels matching a <pattern> (default: '*').
SHARDNUMSUB [<shardchannel> ...]
    Return the number of subscribers for the specified shard level channel(s)
`);

export const scriptHelp = help(`
DEBUG (YES|SYNC|NO) [<engine_name>]
    Set the debug mode for subsequent scripts executed of the specified engine.
    Default engine name: 'lua'
EXISTS <sha1> [<sha1> ...]
    Return information about the existence of the scripts in the script cache.
FLUSH [ASYNC|SYNC]
    Flush the Lua scripts cache. Very dangerous on replicas.
    When called without the optional mode argument, the behavior is determined
     by the lazyfree-lazy-user-flush configuration directive. Valid modes are:
    * ASYNC: Asynchronously flush the scripts cache.
    * SYNC: Synchronously flush the scripts cache.
KILL
    Kill the currently executing Lua script.
LOAD <script>
    Load a script into the scripts cache without executing it.
SHOW <sha1>
    Show a script from the scripts cache.
`);

export const slowlogHelp = help(`
GET [<count>]
    Return top <count> entries from the slowlog (default: 10, -1 mean all).
    Entries are made of:
    id, timestamp, time in microseconds, arguments array, client IP and port,
    client name
LEN
    Return the length of the slowlog.
RESET
    Reset the slowlog.
`);

export const moduleHelp = help(`
LIST
    Return a list of loaded modules.
LOAD <path> [<arg> ...]
    Load a module library from <path>, passing to it any optional arguments.
LOADEX <path> [[CONFIG NAME VALUE] [CONFIG NAME VALUE]] [ARGS ...]
    Load a module library from <path>, while passing it module configurations and optional arguments.
UNLOAD <name>
    Unload a module.
`);

export const xgroupHelp = help(`
CREATE <key> <groupname> <id|$> [option]
    Create a new consumer group. Options are:
    * MKSTREAM
      Create the empty stream if it does not exist.
    * ENTRIESREAD entries_read
      Set the group's entries_read counter (internal use).
CREATECONSUMER <key> <groupname> <consumer>
    Create a new consumer in the specified group.
DELCONSUMER <key> <groupname> <consumer>
    Remove the specified consumer.
DESTROY <key> <groupname>
    Remove the specified group.
SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]
    Set the current group ID and entries_read counter.
`);

export const xinfoHelp = help(`
CONSUMERS <key> <groupname>
    Show consumers of <groupname>.
GROUPS <key>
    Show the stream consumer groups.
STREAM <key> [FULL [COUNT <count>]
    Show information about the stream.
`);
