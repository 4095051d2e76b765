// What DEBUG (src/commands/debug.ts) needs of the data plane.
#include <signal.h>
#include <sys/mman.h>

#include <cctype>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <unordered_map>

#include "addon_values.h"
#include "base/clock.h"
#include "base/glob.h"
#include "base/numbers.h"
#include "dict/table.h"
#include "keyspace/digest.h"
#include "keyspace/value.h"
#include "server_object.h"
#include "simd/kernels.h"
#include "types/quicklist.h"

namespace kvasir {

namespace {

using Info = Napi::CallbackInfo;

std::string hex(const Sha1::Digest& d) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string s;
  for (const uint8_t b : d) {
    s += kDigits[b >> 4];
    s += kDigits[b & 15];
  }
  return s;
}

Entry* find(Engine& engine, const Info& info) {
  Keyspace& ks = engine.core.keyspace;
  const std::string key = latin1_bytes(info[2]);
  const EntrySlot slot = ks.db(info[1].ToNumber().Int32Value()).find(ks.ref(key));
  return slot ? slot.get() : nullptr;
}

// ("object", db, key, fast): what there is to say of how a key is stored; undefined if it does not exist.
Napi::Value object(Engine& engine, const Info& info) {
  const Entry* e = find(engine, info);
  if (e == nullptr) return info.Env().Undefined();
  const bool fast = info[3].ToBoolean().Value();
  const Keyspace& ks = engine.core.keyspace;
  char text[512];
  int n = snprintf(text, sizeof text, "Value at:%p refcount:1 encoding:%s", static_cast<const void*>(e),
                   encoding_name(e->encoding()));
  const size_t rest = sizeof text - static_cast<size_t>(n);
  if (ks.lfu) {
    n += snprintf(text + n, rest, " lfu_freq:%u lfu_access_time_minutes:%u", ks.lfu_frequency(*e),
                  e->lru() >> 8);
  } else {
    n += snprintf(text + n, rest, " lru:%u lru_seconds_idle:%u", e->lru(), ks.idle_seconds(*e));
  }
  if (e->encoding() == Encoding::kQuicklist) {
    const auto* list = e->pointer<const Quicklist>();
    n += snprintf(text + n, sizeof text - static_cast<size_t>(n),
                  " ql_nodes:%zu ql_avg_node:%.2f ql_listpack_max:%d ql_compressed:%d", list->nodes(),
                  static_cast<double>(list->size()) / static_cast<double>(list->nodes()), list->fill(),
                  list->compresses() ? 1 : 0);
    if (!fast) {
      n += snprintf(text + n, sizeof text - static_cast<size_t>(n), " ql_uncompressed_size:%zu",
                    list->unpacked_bytes());
    }
  }
  return latin1(info.Env(), {text, static_cast<size_t>(n)});
}

// ("digest"): of the dataset. ("digest", db, key): of a value, deadline or not; all zeros if it does not
// exist.
Napi::Value digest(Engine& engine, const Info& info) {
  Sha1::Digest d{};
  if (info.Length() == 1) {
    d = digest_dataset(engine.core.keyspace);
  } else if (const Entry* e = find(engine, info)) {
    digest_entry(&d, *e, engine.core.keyspace.field_clock().hidden_before);
  }
  return latin1(info.Env(), hex(d));
}

// ("populate", db, count, prefix, size): keys prefix:0 … with the values value:0 …, cut or filled up with
// zero bytes to `size` unless that is 0. Existing keys stay.
Napi::Value populate(Engine& engine, const Info& info) {
  Keyspace& ks = engine.core.keyspace;
  Database& db = ks.db(info[1].ToNumber().Int32Value());
  const auto count = static_cast<size_t>(info[2].ToNumber().Int64Value());
  const std::string prefix = latin1_bytes(info[3]) + ':';
  const auto size = static_cast<size_t>(info[4].ToNumber().Int64Value());
  if (!ks.clustered()) db.slot(0)->keys.try_expand(db.size() + count);
  std::string value;
  for (size_t i = 0; i < count; i++) {
    const std::string number = std::to_string(i);
    // Valkey builds the name in 128 bytes.
    const std::string key = (prefix + number).substr(0, 127);
    const KeyRef k = ks.ref(key);
    if (ks.find_write(db, k)) continue;
    value = "value:" + number;
    if (size != 0) value.resize(size, '\0');
    ks.set(db, k, Entry::make_string(key, value));
    ks.modified(db, key);
  }
  return info.Env().Undefined();
}

// ("htstats", db, full)
Napi::Value table_stats(Engine& engine, const Info& info) {
  Database& db = engine.core.keyspace.db(info[1].ToNumber().Int32Value());
  const bool full = info[2].ToBoolean().Value();
  std::string text;
  for (const KeyIndex index : {KeyIndex::kAll, KeyIndex::kExpiring}) {
    text += index == KeyIndex::kAll ? "[Dictionary HT]\n" : "[Expires HT]\n";
    dict::TableStats sum[2];
    bool rehashing = false;
    for (int s = 0; s < db.slot_count(); s++) {
      SlotDicts* d = db.slot(s);
      if (d == nullptr) continue;
      const EntryDict& one = d->dict(index);
      sum[0].add(one.table_stats(0, full));
      if (!one.rehashing()) continue;
      if (db.slot_count() == 1) sum[0].rehash_index = one.table_stats(0, false).rehash_index;
      sum[1].add(one.table_stats(1, full));
      rehashing = true;
    }
    sum[1].table = 1;
    sum[0].print(&text, full);
    if (rehashing) sum[1].print(&text, full);
  }
  return latin1(info.Env(), text);
}

// ("htstats-key", db, key, full): false if the key's value has no hash table; undefined if it does not exist.
Napi::Value key_table_stats(Engine& engine, const Info& info) {
  const Entry* e = find(engine, info);
  if (e == nullptr) return info.Env().Undefined();
  std::string text;
  if (!value_table_stats(*e, info[3].ToBoolean().Value(), &text))
    return Napi::Boolean::New(info.Env(), false);
  return latin1(info.Env(), text);
}

// ("glob-test"): matches random patterns against random strings. What is looked for is a crash or a hang.
void glob_test() {
  Rng rng;
  for (int i = 0; i < 1000000; i++) {
    char text[32];
    char pattern[32];
    const size_t text_size = rng.below(sizeof text);
    const size_t pattern_size = rng.below(sizeof pattern);
    for (size_t j = 0; j < text_size; j++) text[j] = static_cast<char>(rng.below(128));
    for (size_t j = 0; j < pattern_size; j++) pattern[j] = static_cast<char>(rng.below(128));
    (void)glob_match({pattern, pattern_size}, {text, text_size}, false);
  }
}

// ("simd"): the set of kernels in use, and the names of those that run here. ("simd", name): selects one
// first; undefined if there is none of that name.
Napi::Value simd_kernels(const Info& info) {
  const Napi::Env env = info.Env();
  if (info.Length() > 1 && !simd::select(latin1_bytes(info[1]))) return env.Undefined();
  const auto all = simd::available();
  Napi::Array names = Napi::Array::New(env, all.size() + 1);
  names[0u] = latin1(env, simd::kernels().name);
  for (uint32_t i = 0; i < all.size(); i++) names[i + 1] = latin1(env, all[i]->name);
  return names;
}

// ("crash", how): ends the process the hard way.
void crash(Core& core, const std::string& how) {
  if (how == "segfault") {
    // A write to a page that is there and may only be read: no optimiser sees through it.
    auto* page =
        static_cast<volatile char*>(mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    *page = 'x';
  } else if (how == "oom") {
    mem_free(mem_alloc(SIZE_MAX / 2));
  } else if (how == "panic") {
    core.log(LogLevel::kWarning, "------------------------------------------------");
    core.log(LogLevel::kWarning, "!!! Software Failure. Press left mouse button to continue");
    core.log(LogLevel::kWarning, "Guru Meditation: DEBUG PANIC called at Unix time %lld #%s:%d",
             static_cast<long long>(time(nullptr)), "server_debug.cc", __LINE__);
    core.log(LogLevel::kWarning, "------------------------------------------------");
  } else {
    core.log(LogLevel::kWarning, "=== ASSERTION FAILED ===");
    core.log(LogLevel::kWarning, "==> %s:%d '1 == 2' is not true", "server_debug.cc", __LINE__);
  }
  abort();
}

}  // namespace

// debug(what, …): see NativeServer.debug in src/native/addon.ts.
Napi::Value ServerObject::debug(const Napi::CallbackInfo& info) {
  Engine& e = engine(info);
  DebugSwitches& switches = e.core.debug;
  const std::string what = info[0].ToString().Utf8Value();
  const auto on = [&] { return info[1].ToBoolean().Value(); };
  if (what == "object") return object(e, info);
  if (what == "digest") return digest(e, info);
  if (what == "populate") return populate(e, info);
  if (what == "htstats") return table_stats(e, info);
  if (what == "htstats-key") return key_table_stats(e, info);
  if (what == "simd") return simd_kernels(info);
  if (what == "active-expire") {
    switches.active_expire = on();
  } else if (what == "pause-cron") {
    switches.cron_paused = on();
  } else if (what == "reply-buffer-resizing") {
    switches.reply_buffer_resizing = on();
  } else if (what == "skip-checksum-validation") {
    switches.skip_checksum_validation = on();
  } else if (what == "quicklist-packed-threshold") {
    e.core.settings.encodings.list_packed_threshold = static_cast<size_t>(info[1].ToNumber().Int64Value());
  } else if (what == "dict-resizing") {
    dict::set_resize_policy(on() ? dict::ResizePolicy::kAllow : dict::ResizePolicy::kForbid);
  } else if (what == "sleep") {
    const int64_t us = info[1].ToNumber().Int64Value();
    const timespec t{us / 1000000, us % 1000000 * 1000};
    nanosleep(&t, nullptr);
  } else if (what == "glob-test") {
    glob_test();
  } else if (what == "crash") {
    crash(e.core, info[1].ToString().Utf8Value());
  } else {
    Napi::TypeError::New(info.Env(), "debug: unknown '" + what + "'").ThrowAsJavaScriptException();
  }
  return info.Env().Undefined();
}

}  // namespace kvasir
