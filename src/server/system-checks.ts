/**
 * What is wrong with the machine we are about to serve on: the checks behind `--check-system` and the
 * warnings at start-up. Everything is read from /proc and /sys, through `SystemFiles`, so that tests can
 * show any machine. Texts are Valkey's: operators search for them.
 */
import { readFileSync } from 'node:fs';
import type { Log } from '../observability/log.js';

/** The first line of a file without its line end, or null when it cannot be read. */
export type SystemFiles = (path: string) => string | null;

export const systemFiles: SystemFiles = (path) => {
  try {
    return readFileSync(path, 'latin1').split('\n', 1)[0]!.trim();
  } catch {
    return null;
  }
};

export type CheckResult = { state: 'ok' | 'skipped' } | { state: 'warning'; message: string };

const OK: CheckResult = { state: 'ok' };
const SKIPPED: CheckResult = { state: 'skipped' };
const CLOCKSOURCE = '/sys/devices/system/clocksource/clocksource0';
/** Clock sources that are read in user space (vDSO), best first. */
const FAST_CLOCKSOURCES = ['tsc', 'arch_sys_counter', 'kvm-clock', 'hyperv_clocksource_tsc_page'];

function warning(message: string): CheckResult {
  return { state: 'warning', message };
}

/**
 * User and system time in seconds that reading the clock in a busy loop for 50 ms took. (performance.now()
 * and not hrtime.bigint(): the collector's own system calls for the bigints would be counted.)
 */
export function measureClock(): { user: number; system: number } {
  const before = process.cpuUsage();
  const end = performance.now() + 50;
  while (performance.now() < end);
  const used = process.cpuUsage(before);
  return { user: used.user / 1e6, system: used.system / 1e6 };
}

/** Reading the clock must not be a system call: above a tenth of the loop in the kernel means it is. */
export function checkClocksource(files: SystemFiles, measure = measureClock): CheckResult {
  const { user, system } = measure();
  if (system * 10 <= system + user) return OK;
  const current = files(`${CLOCKSOURCE}/current_clocksource`);
  const available = files(`${CLOCKSOURCE}/available_clocksource`);
  const names = available?.split(/\s+/) ?? [];
  const better = FAST_CLOCKSOURCES.find((name) => name !== current && names.includes(name));
  let message =
    'Slow system clocksource detected. This can result in degraded performance. ' +
    `Current clocksource: ${current ?? ''}. Available clocksources: ${available ?? ''}. `;
  if (current !== null && better !== undefined) {
    message +=
      "Consider changing the system's clocksource. For example: run the command " +
      `'echo ${better} > ${CLOCKSOURCE}/current_clocksource' as root. To permanently change the system's ` +
      "clocksource you'll need to set the 'clocksource=' kernel command line parameter.";
  } else if (current === null || available === null) {
    message +=
      'Could not determine the available clocksources from sysfs, so no clocksource change can be recommended.';
  } else {
    message +=
      "No suitable alternative clocksource is available, so changing the system's clocksource is unlikely to help. " +
      'This may indicate that clock_gettime() is not using the vDSO fast path (for example due to a kernel timer ' +
      'workaround or virtualization limitation).';
  }
  return warning(message);
}

export function checkXenClocksource(files: SystemFiles): CheckResult {
  const current = files(`${CLOCKSOURCE}/current_clocksource`);
  if (current === null) return SKIPPED;
  if (current !== 'xen') return OK;
  return warning(
    "Your system is configured to use the 'xen' clocksource which might lead to degraded performance. " +
      "Check the result of the [slow-clocksource] system check: run 'kvasir-server --check-system' to check if " +
      "the system's clocksource isn't degrading performance.",
  );
}

export function checkOvercommit(files: SystemFiles): CheckResult {
  const value = files('/proc/sys/vm/overcommit_memory');
  if (value === null) return SKIPPED;
  if (Number.parseInt(value, 10) === 1) return OK;
  return warning(
    'Memory overcommit must be enabled! Without it, a background save or replication may fail under low memory ' +
      "condition. To fix this issue add 'vm.overcommit_memory = 1' to /etc/sysctl.conf and then reboot or run the " +
      "command 'sysctl vm.overcommit_memory=1' for this to take effect.",
  );
}

export function checkTransparentHugePages(files: SystemFiles): CheckResult {
  const value = files('/sys/kernel/mm/transparent_hugepage/enabled');
  if (value === null) return SKIPPED;
  if (!value.includes('[always]')) return OK;
  return warning(
    'You have Transparent Huge Pages (THP) support enabled in your kernel. This will create latency and memory ' +
      "usage issues with Valkey. To fix this issue run the command 'echo madvise > " +
      "/sys/kernel/mm/transparent_hugepage/enabled' as root, and add it to your /etc/rc.local in order to retain " +
      'the setting after a reboot. Valkey must be restarted after THP is disabled (set to ' +
      "'madvise' or 'never').",
  );
}

const CHECKS: readonly [name: string, check: (files: SystemFiles) => CheckResult][] = [
  ['slow-clocksource', (files) => checkClocksource(files)],
  ['xen-clocksource', checkXenClocksource],
  ['overcommit', checkOvercommit],
  ['THP', checkTransparentHugePages],
];

/** `--check-system`: prints every check, returns whether all passed. */
export function runSystemChecks(print: (text: string) => void, files: SystemFiles = systemFiles): boolean {
  let passed = true;
  for (const [name, check] of CHECKS) {
    const result = check(files);
    if (result.state === 'warning') {
      passed = false;
      print(`[${name}]...WARNING:\n${result.message}\n`);
    } else {
      print(`[${name}]...${result.state === 'ok' ? 'OK' : 'skipped'}\n`);
    }
  }
  return passed;
}

/**
 * The warnings a starting server logs.
 * @param disableHugePages switches transparent huge pages off for this process (prctl), true on success;
 *   null when `disable-thp` is no or the addon cannot.
 */
export function logSystemWarnings(
  log: Log,
  disableHugePages: (() => boolean) | null,
  files: SystemFiles = systemFiles,
): void {
  const overcommit = checkOvercommit(files);
  if (overcommit.state === 'warning') log.warning(`WARNING ${overcommit.message}`);
  const hugePages = checkTransparentHugePages(files);
  if (hugePages.state === 'warning' && !disableHugePages?.()) log.warning(`WARNING ${hugePages.message}`);
  const xen = checkXenClocksource(files);
  if (xen.state === 'warning') log.warning(`WARNING ${xen.message}`);
}

/** Warns when the kernel cuts the configured listen backlog. */
export function logBacklogWarning(log: Log, tcpBacklog: number, files: SystemFiles = systemFiles): void {
  const limit = Number.parseInt(files('/proc/sys/net/core/somaxconn') ?? '', 10);
  if (limit > 0 && limit < tcpBacklog) {
    log.warning(
      `WARNING: The TCP backlog setting of ${tcpBacklog} cannot be enforced because /proc/sys/net/core/somaxconn ` +
        `is set to the lower value of ${limit}.`,
    );
  }
}
