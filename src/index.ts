/**
 * A Kvasir server inside a program:
 *
 *   import { createServer } from 'kvasir';
 *   const server = createServer({ maxclients: 1000 });
 *   const { port } = await server.listen();   // an ephemeral port of the loopback interface
 *   …
 *   await server.close();
 */
import { Config, findParameter } from './config/config.js';
import { PrivateDirectory } from './config/directory.js';
import { Log, type LogLevel } from './observability/log.js';
import { AofFatal } from './persistence/aof-files.js';
import { Shutdown } from './server/lifecycle.js';
import { bindAll, rebindOnChange } from './server/listen.js';
import { Server } from './server/server.js';
import { PidFile } from './server/startup.js';

/** Configuration parameters by their names in valkey.conf. Several words are given as an array. */
export type ServerConfig = Record<string, string | number | boolean | readonly string[]>;

export interface ListenOptions {
  /** TCP port; 0 (the default) lets the system choose one. */
  port?: number;
  /** Address to bind; default 127.0.0.1. */
  host?: string;
  /** Path of a Unix socket; without a port, the server then listens there only. */
  path?: string;
}

export interface CloseOptions {
  /** Take the last snapshot that `save` asks for; default true. */
  save?: boolean;
}

export interface Address {
  host: string;
  /** 0: no TCP listener. */
  port: number;
  path: string;
}

export class EmbeddedServer {
  readonly #parameters: ServerConfig;
  readonly #log: Log;
  #server: Server | undefined;
  #address: Address | undefined;

  constructor(parameters: ServerConfig) {
    this.#parameters = { ...parameters };
    this.#log = new Log({ level: 'warning' });
    const config = this.#configure();
    if (parameters.loglevel !== undefined || parameters.logfile !== undefined) {
      this.#log.configure({ level: config.choice('loglevel'), logfile: config.str('logfile') });
    }
  }

  /** The configuration as it was asked for; every listen() starts with one of its own. */
  #configure(): Config {
    const config = new Config({
      directory: new PrivateDirectory(),
      log: (level: LogLevel, message) => this.#log.write(level, message),
    });
    // Files are for those who ask for them.
    config.assign('save', '');
    for (const [name, value] of Object.entries(this.#parameters)) {
      const parameter = findParameter(name);
      if (parameter === null) throw new TypeError(`There is no configuration parameter '${name}'`);
      const words = Array.isArray(value)
        ? value.map(String)
        : [typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value)];
      const error = config.load(parameter, words, false);
      if (error !== null) throw new TypeError(`${name}: ${error}`);
    }
    config.loaded();
    return config;
  }

  /** Where it listens; undefined before listen() and after close(). */
  get address(): Address | undefined {
    return this.#address;
  }

  /** Whether data outlive the server: who names a directory, a file or when to save means so. */
  get #keepsData(): boolean {
    return Object.keys(this.#parameters).some((name) =>
      ['appendonly', 'dir', 'dbfilename', 'save'].includes(findParameter(name)?.name ?? ''),
    );
  }

  /** Starts serving. Rejects if the address is taken, or if there is a file of data that cannot be loaded. */
  async listen(options: ListenOptions = {}): Promise<Address> {
    if (this.#server !== undefined) throw new Error('The server is listening already');
    const host = options.host ?? '127.0.0.1';
    const tcp = options.port !== undefined || options.path === undefined;
    const config = this.#configure();
    config.assign('bind', host);
    config.assign('port', String(options.port ?? 0));
    if (options.path !== undefined) config.assign('unixsocket', options.path);
    const server: Server = new Server({
      config,
      log: this.#log,
      ephemeral: tcp,
      // The program around it goes on.
      onFatal: () => setImmediate(() => this.#end(server)),
    });
    try {
      bindAll(server);
      rebindOnChange(server);
    } catch (error) {
      server.close();
      throw error;
    }
    // SHUTDOWN of a client ends this server, not the program around it.
    server.shutdown = new Shutdown({
      log: this.#log,
      notify: () => {},
      now: () => performance.now(),
      isLoading: () => server.loading,
      timeoutMs: () => config.int('shutdown-timeout') * 1000,
      signalFlags: () => new Set(),
      drain: null,
      steps: [server.aof.finalSync(), server.rdb.finalSave()],
      pidFile: new PidFile(this.#log, '', false),
      close: () => server.native.halt(),
      failed: () => {},
      abandon: () => {},
      exit: () => {
        setImmediate(() => this.#end(server));
      },
    });
    server.start();
    this.#server = server;
    if (this.#keepsData && !(await restored(server))) {
      await this.close({ save: false });
      throw new Error('The file of data cannot be loaded: see the log');
    }
    this.#address = { host, port: server.port, path: options.path ?? '' };
    return this.#address;
  }

  #end(server: Server): void {
    if (this.#server === server) void this.close({ save: false });
  }

  /**
   * Closes all connections and frees everything. The server may listen again afterwards: with what was saved, or empty.
   * Rejects, and stays open, if `save` asks for a last snapshot and it cannot be taken.
   */
  async close({ save = true }: CloseOptions = {}): Promise<void> {
    const server = this.#server;
    if (save && server !== undefined && server.config.value('save').length > 0 && !server.loading) {
      if (!server.rdb.save({ keepCache: true })) throw new Error('The data cannot be saved: see the log');
    }
    server?.close();
    this.#server = undefined;
    this.#address = undefined;
    // libuv tells of closed handles in the next turn of the loop.
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

/** Brings back what the last run left. False: it cannot be had. */
async function restored(server: Server): Promise<boolean> {
  try {
    if (!server.config.bool('appendonly') && !(await server.rdb.restore())) return false;
    await server.aof.start();
    return true;
  } catch (error) {
    if (!(error instanceof AofFatal)) throw error;
    return false;
  }
}

/** @throws TypeError for a parameter that does not exist or a value it cannot have. */
export function createServer(parameters: ServerConfig = {}): EmbeddedServer {
  return new EmbeddedServer(parameters);
}
