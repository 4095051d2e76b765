/**
 * Makes the binaries that the package ships: prebuilds/linux-<arch>/kvasir.glibc.node.
 *
 *   node scripts/prebuild.mjs [x64] [arm64] [--if-stale]        (neither: both)
 *
 * They run wherever Node 20 runs: glibc 2.28 and the libstdc++ of GCC 8 (Debian 10, RHEL 8). No static
 * libstdc++: it would ask for a newer glibc than the shared one does. Works on a Linux x64 machine; arm64 is
 * cross-compiled.
 */
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { isAbove, lowerVersions, neededVersions, parseVersion } from './elf-versions.mjs';
import { findProgram, isFresh, NATIVE_INPUTS, root, run, withProgress } from './native.mjs';
import { main } from './setup.mjs';

const FLOORS = { GLIBC: '2.28', GLIBCXX: '3.4.25', CXXABI: '1.3.11' };

const TARGETS = {
  x64: { programs: ['cmake', 'g++', 'strip'], packages: 'cmake g++ binutils', strip: 'strip', options: [] },
  arm64: {
    programs: ['cmake', 'aarch64-linux-gnu-g++', 'aarch64-linux-gnu-strip'],
    packages: 'cmake g++-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static',
    strip: 'aarch64-linux-gnu-strip',
    options: [`-DCMAKE_TOOLCHAIN_FILE=${join(root, 'cmake/aarch64-linux-gnu.cmake')}`],
  },
};

async function must(command) {
  const { code, output } = await run(command);
  if (code !== 0) throw new Error(`${output}\n${command.join(' ')} failed with exit code ${code}`);
}

/** The highest version asked for in each family: "GLIBC 2.14, GLIBCXX 3.4.22". */
function summary(file) {
  const highest = {};
  for (const { version } of neededVersions(file)) {
    const [family, numbers] = parseVersion(version);
    const best = highest[family];
    if (best === undefined || isAbove(version, { [family]: best })) highest[family] = numbers.join('.');
  }
  return Object.entries(highest)
    .map(([family, version]) => `${family} ${version}`)
    .join(', ');
}

function folderOf(arch) {
  return join(root, 'prebuilds', `linux-${arch}`);
}

function productOf(arch) {
  return join(folderOf(arch), 'kvasir.glibc.node');
}

async function prebuild(arch) {
  const { programs, packages, strip, options } = TARGETS[arch];
  const missing = programs.filter((name) => findProgram(name) === null);
  if (missing.length > 0) {
    throw new Error(`linux-${arch}: ${missing.join(', ')} not found. apt-get install ${packages}`);
  }
  const ccache = findProgram('ccache');
  const build = join(root, `build-prebuild-${arch}`);
  await withProgress(`linux-${arch}`, async (update) => {
    update('configuring');
    rmSync(build, { recursive: true, force: true });
    await must([
      ...[
        'cmake',
        '-S',
        root,
        '-B',
        build,
        '-DCMAKE_BUILD_TYPE=Release',
        `-DKVASIR_NODE=${process.execPath}`,
      ],
      `-DCMAKE_CXX_FLAGS=-include ${join(root, 'cmake/old-libstdcxx.h')}`,
      `-DCMAKE_LIBRARY_OUTPUT_DIRECTORY=${join(build, 'Release')}`,
      ...(ccache === null ? [] : [`-DCMAKE_CXX_COMPILER_LAUNCHER=${ccache}`]),
      ...options,
    ]);
    update('compiling');
    await must([
      'cmake',
      '--build',
      build,
      '--target',
      'kvasir',
      '--parallel',
      String(availableParallelism()),
    ]);
    const built = join(build, 'Release/kvasir.node');
    await must([strip, '--strip-unneeded', built]);
    const file = readFileSync(built);
    const before = summary(file);
    const left = lowerVersions(file, FLOORS);
    if (left.length > 0) {
      const names = left.map(({ symbol, version }) => `  ${version} ${symbol}`).join('\n');
      throw new Error(
        `linux-${arch}: needs newer system libraries than Node 20 does (${JSON.stringify(FLOORS)}):\n${names}`,
      );
    }
    mkdirSync(folderOf(arch), { recursive: true });
    writeFileSync(productOf(arch), file);
    chmodSync(productOf(arch), 0o755);
    console.log(`\nlinux-${arch}: ${file.length} bytes, needs ${summary(file)} (as linked: ${before})`);
  });
}

await main(async () => {
  const ifStale = process.argv.includes('--if-stale');
  const wanted = process.argv.slice(2).filter((arg) => arg !== '--if-stale');
  const unknown = wanted.find((arch) => !(arch in TARGETS));
  if (unknown !== undefined)
    throw new Error(`unknown target ${unknown}; known: ${Object.keys(TARGETS).join(' ')}`);
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error('prebuild runs on linux-x64; elsewhere "npm run build" compiles for the machine itself.');
  }
  for (const arch of wanted.length > 0 ? wanted : Object.keys(TARGETS)) {
    if (!ifStale || !isFresh(productOf(arch), NATIVE_INPUTS)) await prebuild(arch);
  }
});
