/**
 * A server as a program: what surrounds a Server in a process of its own - configuration from file, command line and
 * standard input, daemonising, pid file, supervision, banner, signals, exit.
 */

import { resolve } from 'node:path';
import type { ServerStart } from '../cli/server.js';
import { CommandTable } from '../commands/registry.js';
import { fromUtf8 } from '../config/bytes.js';
import { Config } from '../config/config.js';
import { ConfigError, loadConfig } from '../config/file.js';
import { openAddon } from '../native/addon.js';
import { Log } from '../observability/log.js';
import { AofFatal } from '../persistence/aof-files.js';
import { VALKEY_VERSION } from '../version.js';
import { applyCpuLists } from './cpu-affinity.js';
import { DaemonSide, startDaemon } from './daemon.js';
import { Shutdown, type ShutdownWord, takeSignals } from './lifecycle.js';
import { bindAll, ListenError, rebindOnChange } from './listen.js';
import { LocaleError, Server } from './server.js';
import {
  adjustOpenFilesLimit,
  logConfigured,
  logReady,
  logSmallMaxmemory,
  logStarting,
  OomScore,
  openFilesLimit,
  PidFile,
  showBanner,
} from './startup.js';
import { Supervisor } from './supervise.js';
import { logBacklogWarning, logSystemWarnings } from './system-checks.js';

function configureLog(log: Log, config: Config): void {
  log.configure({
    level: config.choice('loglevel'),
    format: config.choice('log-format'),
    timestampFormat: config.choice('log-timestamp-format'),
    logfile: config.str('logfile'),
    syslogEnabled: config.bool('syslog-enabled'),
    syslogIdent: config.str('syslog-ident'),
    syslogFacility: config.choice('syslog-facility'),
  });
}

export async function serve(start: ServerStart): Promise<void> {
  const addon = openAddon();
  addon.keepLargeObjectsInHeap();
  const log = new Log({}, { datagram: addon.unixDatagramSend });
  const commands = new CommandTable();
  const config = new Config({ log: (level, message) => log.write(level, Buffer.from(message, 'latin1')) });
  try {
    loadConfig(
      config,
      {
        arguments: {
          file: start.configFile === null ? null : fromUtf8(start.configFile),
          stdin: start.stdin !== null,
          options: start.options,
        },
        readStdin: () => start.stdin ?? '',
      },
      {
        renameCommand: (from, to) => {
          if (commands.lookup(from) === undefined) return 'No such command in rename-command';
          return commands.rename(from, to) ? null : 'Target command name already exists';
        },
        user: (words) => `Error in user declaration '${words[0] ?? ''}': users are not built yet`,
      },
    );
    config.loaded();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(Buffer.from(error.report(), 'latin1'));
    process.exit(1);
  }

  const daemon = DaemonSide.detect();
  if (config.bool('daemonize') && daemon === null) {
    const code = await startDaemon({
      args: start.command,
      cwd: start.cwd,
      ...(start.stdin === null ? {} : { stdin: start.stdin }),
    });
    process.exit(code);
  }

  configureLog(log, config);
  config.onChange(() => configureLog(log, config));
  logSystemWarnings(log, config.bool('disable-thp') ? addon.disableTransparentHugePages : null);
  const supervisor = new Supervisor(log, config.choice('supervised'), {
    env: process.env,
    send: addon.unixDatagramSend,
    stop: () => process.kill(process.pid, 'SIGSTOP'),
  });
  addon.installCrashReport(config.str('logfile'), VALKEY_VERSION, config.bool('crash-log-enabled'));
  logStarting(log);
  logConfigured(log, start.bare, start.program);
  const clients = adjustOpenFilesLimit(
    log,
    config.int('maxclients'),
    openFilesLimit(),
    addon.setOpenFilesLimit,
  );
  if (clients === null) process.exit(1);
  if (clients !== config.int('maxclients')) config.assign('maxclients', String(clients));
  config.onApply('maxclients', () => {
    const asked = config.int('maxclients');
    const possible = adjustOpenFilesLimit(log, asked, openFilesLimit(), addon.setOpenFilesLimit);
    if (possible === asked) return undefined;
    return `The operating system is not able to handle the specified number of clients, try with ${possible ?? 0}`;
  });

  // A period shorter than two rounds of the cron would expire while all is well.
  const windWatchdog = (): undefined => {
    const period = config.int('watchdog-period');
    addon.setWatchdog(period === 0 ? 0 : Math.max(period, 2 * Math.floor(1000 / config.int('hz'))));
  };
  config.onApply('watchdog-period', windWatchdog);

  const clusterEnabled = config.bool('cluster-enabled');
  const pidFile = new PidFile(log, config.str('pidfile'), daemon !== null);
  let shutdown: Shutdown | undefined;
  let server: Server;
  try {
    server = new Server({
      config,
      log,
      commands,
      onCron: () => {
        shutdown?.tick();
        if (config.int('watchdog-period') > 0) windWatchdog();
      },
      onControl: (event) => {
        if (event === 'aof-failed') process.exit(1);
      },
      onFatal: () => process.exit(1),
      executable: fromUtf8(resolve(start.cwd, start.program)),
      supervised: supervisor.active === 'none' ? 'no' : supervisor.active,
    });
  } catch (error) {
    if (!(error instanceof LocaleError)) throw error;
    log.warning(error.message);
    process.exit(1);
  }
  // Before anybody can know that we are here: who reads our pid or our log may send a signal at once.
  shutdown = new Shutdown({
    log,
    notify: (message) => supervisor.notify(message),
    now: () => performance.now(),
    isLoading: () => server.loading,
    timeoutMs: () => config.int('shutdown-timeout') * 1000,
    signalFlags: (signal) =>
      new Set(
        config
          .flags(signal === 'SIGTERM' ? 'shutdown-on-sigterm' : 'shutdown-on-sigint')
          .filter((word): word is ShutdownWord & typeof word => word !== 'default'),
      ),
    drain: null,
    steps: [server.aof.finalSync(), server.rdb.finalSave()],
    pidFile,
    close: () => server.native.halt(),
    failed: () => {},
    abandon: () => {},
    // The running turn may be the one that asked for it: it ends first, its replies leave, nothing more is executed.
    exit: (code) => {
      setImmediate(() => {
        server.close();
        process.exit(code);
      });
    },
  });
  server.shutdown = shutdown;
  takeSignals(shutdown);
  log.notice(`monotonic clock: ${addon.clockName()}`);
  pidFile.create();
  applyCpuLists(addon, config.str('server-cpulist'), config.str('bio-cpulist'));
  if (config.bool('set-proc-title')) {
    const showTitle = (): undefined => {
      addon.setTitle(config.processTitle(fromUtf8(start.program)));
    };
    showTitle();
    config.onApply('proc-title-template', showTitle);
  }
  showBanner(log, {
    clusterEnabled,
    port: config.int('port'),
    tlsPort: config.int('tls-port'),
    alwaysShowLogo: config.bool('always-show-logo'),
    syslogEnabled: config.bool('syslog-enabled'),
    logfile: config.str('logfile'),
  });
  logBacklogWarning(log, config.int('tcp-backlog'));
  let kinds: ('tcp' | 'unix')[];
  try {
    kinds = bindAll(server);
    rebindOnChange(server);
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    log.warning(error.message);
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
  log.notice('Server initialized');
  const oomScore = new OomScore(log);
  const applyOomScore = () => {
    const mode = config.choice('oom-score-adj');
    const values = config.value('oom-score-adj-values');
    return oomScore.apply({ mode: mode === 'yes' ? 'relative' : mode, values }, false);
  };
  applyOomScore();
  config.onApply(['oom-score-adj', 'oom-score-adj-values'], () =>
    applyOomScore() ? undefined : 'Failed to set current oom_score_adj. Check server logs.',
  );
  server.start();
  try {
    const loaded = config.bool('appendonly') || (await server.rdb.restore());
    if (!loaded) process.exit(1);
    await server.aof.start();
  } catch (error) {
    if (!(error instanceof AofFatal)) throw error;
    process.exit(1);
  }
  logReady(log, kinds);
  logSmallMaxmemory(log, config.int('maxmemory'));
  supervisor.ready(false);
  daemon?.ready();
}
