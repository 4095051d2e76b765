/**
 * The symbol versions a shared library needs (ELF .gnu.version and .gnu.version_r; glibc's "symbol versioning"),
 * and lowering them where that is safe.
 *
 * A library built on a new system binds to the newest version of every symbol, although the older version does
 * the same and is all that an older system has. Where we know that (LOWERABLE), the reference is made one
 * without a version, which the dynamic linker binds to whatever the system has. The requirement that is no
 * longer used is made a copy of a lower one of the same library. Only 64-bit little-endian files.
 */

const SHT_DYNSYM = 11;
const SHT_GNU_VERNEED = 0x6ffffffe;
const SHT_GNU_VERSYM = 0x6fffffff;
const VER_NDX_GLOBAL = 1;

/** Symbols that got a new version without a change that a caller could notice. */
const LOWERABLE = new Set([
  // libpthread became part of libc in 2.34; the old versions are still there.
  ...['pthread_create', 'pthread_join', 'pthread_detach', 'pthread_once', 'pthread_key_create'],
  ...['pthread_key_delete', 'pthread_getspecific', 'pthread_setspecific', 'pthread_mutex_trylock'],
  ...['pthread_setaffinity_np', 'pthread_getaffinity_np', 'pthread_setname_np', 'pthread_kill'],
  ...['pthread_rwlock_rdlock', 'pthread_rwlock_wrlock', 'pthread_rwlock_unlock', 'pthread_cond_clockwait'],
  ...['sem_init', 'sem_post', 'sem_wait', 'sem_destroy', 'dlopen', 'dlsym', 'dlclose', 'dlerror', 'dladdr'],
  // std::condition_variable::wait lost its noexcept in GCC 12.
  '_ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE',
]);

/** "GLIBC_2.34" as ["GLIBC", [2, 34]]; versions that are not numbers compare as highest. */
export function parseVersion(name) {
  const at = name.lastIndexOf('_');
  return [
    name.slice(0, at),
    name
      .slice(at + 1)
      .split('.')
      .map(Number),
  ];
}

/** Whether version `name` is above the floor of its family; a family without floor has none. */
export function isAbove(name, floors) {
  const [family, numbers] = parseVersion(name);
  const floor = floors[family];
  if (floor === undefined) return false;
  const limit = floor.split('.').map(Number);
  for (let i = 0; i < Math.max(numbers.length, limit.length); i++) {
    const difference = (numbers[i] ?? 0) - (limit[i] ?? 0);
    if (difference !== 0) return !(difference < 0);
  }
  return false;
}

function readElf(file) {
  if (file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2 || file[5] !== 1) {
    throw new Error('not a 64-bit little-endian ELF file');
  }
  const start = Number(file.readBigUInt64LE(0x28));
  const size = file.readUInt16LE(0x3a);
  const count = file.readUInt16LE(0x3c);
  const sections = [];
  for (let i = 0; i < count; i++) {
    const at = start + i * size;
    sections.push({
      type: file.readUInt32LE(at + 4),
      offset: Number(file.readBigUInt64LE(at + 24)),
      size: Number(file.readBigUInt64LE(at + 32)),
      link: file.readUInt32LE(at + 40),
    });
  }
  const find = (type) => sections.find((section) => section.type === type);
  const symbols = find(SHT_DYNSYM);
  const versions = find(SHT_GNU_VERSYM);
  const needs = find(SHT_GNU_VERNEED);
  if (!symbols || !versions || !needs) return { symbols: [], needs: [] };

  const text = (section, offset) => {
    const begin = section.offset + offset;
    return file.toString('latin1', begin, file.indexOf(0, begin));
  };
  const strings = sections[symbols.link];
  const needed = [];
  for (let at = needs.offset, next = -1; next !== 0; at += next) {
    const library = text(sections[needs.link], file.readUInt32LE(at + 4));
    let aux = at + file.readUInt32LE(at + 8);
    for (let left = file.readUInt16LE(at + 2); left > 0; left--) {
      const name = text(sections[needs.link], file.readUInt32LE(aux + 8));
      needed.push({ library, name, index: file.readUInt16LE(aux + 6), at: aux });
      aux += file.readUInt32LE(aux + 12);
    }
    next = file.readUInt32LE(at + 12);
  }
  const list = [];
  for (let i = 0; i < symbols.size / 24; i++) {
    const at = versions.offset + i * 2;
    const index = file.readUInt16LE(at) & 0x7fff;
    const version = needed.find((need) => need.index === index);
    if (version) list.push({ name: text(strings, file.readUInt32LE(symbols.offset + i * 24)), version, at });
  }
  return { symbols: list, needs: needed };
}

/**
 * Every versioned symbol the library asks others for.
 * @param {Buffer} file
 * @returns {{symbol: string, version: string}[]}
 */
export function neededVersions(file) {
  return readElf(file).symbols.map(({ name, version }) => ({ symbol: name, version: version.name }));
}

/**
 * Lowers in place what may be lowered.
 * @param {Buffer} file
 * @param {Record<string, string>} floors highest allowed version by family
 * @returns {{symbol: string, version: string}[]} what is still above its floor
 */
export function lowerVersions(file, floors) {
  const { symbols, needs } = readElf(file);
  const left = [];
  const above = new Set(needs.filter(({ name }) => isAbove(name, floors)));
  for (const { name, version, at } of symbols) {
    if (!above.has(version)) continue;
    if (LOWERABLE.has(name)) file.writeUInt16LE(VER_NDX_GLOBAL, at);
    else left.push({ symbol: name, version: version.name });
  }
  for (const need of above) {
    if (left.some(({ version }) => version === need.name)) continue;
    const lower = needs.find((other) => other.library === need.library && !above.has(other));
    if (lower === undefined) {
      left.push({ symbol: `(all of ${need.library})`, version: need.name });
      continue;
    }
    // vna_hash and vna_name of the lower one; vna_other stays, nothing refers to it any more.
    file.copy(file, need.at, lower.at, lower.at + 4);
    file.copy(file, need.at + 8, lower.at + 8, lower.at + 12);
  }
  return left;
}
