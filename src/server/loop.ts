/**
 * The event loop's control side.
 *
 * A turn is receive -> execute -> persist -> reply, all of it native; turns and iterations of Node's loop take each
 * other's place (native/addon/epoll_poller.h). This class decides what happens around it: it hands the reactor its limits, runs the
 * commands that are implemented in TypeScript when the reactor calls up (in their place in the order), drives the
 * periodic work, and starts and ends the whole.
 */
import type { ClientContext, CommandCall } from '../commands/context.js';
import type { CommandTable } from '../commands/registry.js';
import type { NativeServer } from '../native/addon.js';
import { openAddon } from '../native/addon.js';
import type { Log, LogLevel } from '../observability/log.js';
import { ErrorReply, encodeReply } from '../resp/reply.js';

const LEVELS: readonly LogLevel[] = ['debug', 'verbose', 'notice', 'warning'];
/** As many arguments as a TypeScript command may have. */
const MAX_UPCALL_ARGUMENTS = 64 * 1024;

export interface LoopOptions {
  databases: number;
  clustered: boolean;
  commands: CommandTable;
  log: Log;
  /** The server that handlers see; called once per upcall, so that the loop can be made before the server. */
  context: () => CommandCall['server'];
  /** A command waits for something to be done; see NativeServer.answerTask. */
  onTask: (clientId: number, taskId: number, what: string, args: Buffer[]) => void;
  onControl: (event: string, detail: string) => void;
  /** Runs `hz` times a second after the reactor's own periodic work. */
  onCron: () => void;
}

export class Loop {
  readonly native: NativeServer;
  readonly #options: LoopOptions;
  readonly #offsets = new Int32Array(MAX_UPCALL_ARGUMENTS);
  #timer: NodeJS.Timeout | undefined;
  #hz = 10;
  #stopped = false;
  /** What the last upcall promised. */
  #promised: Promise<string> | undefined;

  /** @throws Error when the command table and the native handlers do not agree. */
  constructor(options: LoopOptions) {
    this.#options = options;
    const { NativeServer } = openAddon();
    this.native = new NativeServer(
      { databases: options.databases, clustered: options.clustered },
      {
        upcall: (commandId, clientId, resp, db, local, mayBlock, argc, bytes) =>
          this.#upcall(commandId, { id: clientId, resp, db, local, mayBlock }, argc, bytes),
        task: (clientId, taskId, what, args) =>
          what === 'reply'
            ? this.#replyLater(clientId, taskId)
            : options.onTask(clientId, taskId, what, args),
        log: (level, message) => options.log.write(LEVELS[level]!, Buffer.from(message, 'latin1')),
        control: options.onControl,
        offsets: this.#offsets,
      },
    );
    const problems = this.native.loadCommands(options.commands.compileForNative());
    if (problems.length > 0) throw new Error(`The command table is inconsistent:\n${problems.join('\n')}`);
  }

  /** How often the periodic work runs, per second. */
  set hz(value: number) {
    this.#hz = value;
    this.native.setting('hz', value);
    if (this.#timer !== undefined) this.start();
  }

  /** Starts the periodic work. */
  start(): void {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => {
      if (this.native.cron(this.#hz)) this.#options.onCron();
    }, 1000 / this.#hz);
  }

  /** Ends serving: closes sockets and lets go of Node's loop. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#stopped = true;
    this.native.stop();
  }

  /** The client waits for what the upcall before promised. */
  #replyLater(clientId: number, taskId: number): void {
    const promised = this.#promised!;
    this.#promised = undefined;
    void promised.then((reply) => {
      if (!this.#stopped) this.native.answerTask(clientId, taskId, '', [reply]);
    });
  }

  #upcall(commandId: number, client: ClientContext, argc: number, bytes: string): string | undefined {
    const handler = this.#options.commands.handler(commandId);
    if (handler === undefined) {
      // Arity keeps containers from being called without a subcommand.
      return encodeReply(new ErrorReply(`ERR command ${commandId} has no handler`), client.resp);
    }
    const args: string[] = new Array(argc);
    let from = 0;
    for (let i = 0; i < argc; i++) {
      const to = this.#offsets[i]!;
      args[i] = bytes.slice(from, to);
      from = to;
    }
    const reply = handler({ server: this.#options.context(), client }, args);
    if (!(reply instanceof Promise)) return encodeReply(reply, client.resp);
    this.#promised = reply
      .catch((error: unknown) => new ErrorReply(`ERR internal error: ${String(error)}`))
      .then((later) => encodeReply(later, client.resp));
    return undefined;
  }
}
