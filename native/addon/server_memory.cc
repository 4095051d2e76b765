// What the control plane reads of the server's memory (INFO memory, MEMORY).
#include "addon_values.h"
#include "dict/table.h"
#include "server_object.h"

namespace kvasir {

namespace {

// What a dict occupies; without the buckets that chains have grown by (`arrays`); and how much of that is the
// array that a resize is leaving behind.
struct TableMemory {
  size_t dicts = 0, bytes = 0, arrays = 0, leaving = 0, rehashing = 0;

  void add(const EntryDict& d) {
    const size_t n = d.mem_bytes();
    if (n == 0) return;
    dicts++;
    bytes += n + sizeof d;
    arrays += sizeof d;
    for (const unsigned t : {0U, 1U}) {
      if (d.buckets(t) != 0) arrays += dict::table_bytes(d.buckets(t));
    }
    if (!d.rehashing()) return;
    rehashing++;
    leaving += dict::table_bytes(d.buckets(0));
  }
};

}  // namespace

// memory(): sizes in bytes. `databases`: per database with tables [index, keys, bytes of the table of keys,
// of that of deadlines].
Napi::Value ServerObject::memory(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Engine& e = engine(info);
  const size_t used = e.load.note_used();
  const LoadSamples::Memory& m = e.load.memory();
  Napi::Array databases = Napi::Array::New(env);
  uint32_t n = 0;
  TableMemory all;
  for (int i = 0; i < e.core.keyspace.databases(); i++) {
    const Database& db = e.core.keyspace.db(i);
    TableMemory keys;
    TableMemory expires;
    for (int s = 0; s < db.slot_count(); s++) {
      const SlotDicts* d = db.slot(s);
      if (d == nullptr) continue;
      keys.add(d->keys);
      expires.add(d->expires);
    }
    if (keys.dicts > 0) {
      keys.bytes += db.directory_bytes();
      keys.arrays += db.directory_bytes();
    }
    for (const TableMemory* t : {&keys, &expires}) {
      all.arrays += t->arrays;
      all.leaving += t->leaving;
      all.rehashing += t->rehashing;
    }
    if (i > 0 && keys.dicts == 0) continue;
    Napi::Array row = Napi::Array::New(env, 4);
    row.Set(0U, Napi::Number::New(env, i));
    row.Set(1U, Napi::Number::New(env, static_cast<double>(db.size())));
    row.Set(2U, Napi::Number::New(env, static_cast<double>(keys.bytes)));
    row.Set(3U, Napi::Number::New(env, static_cast<double>(expires.bytes)));
    databases.Set(n++, row);
  }
  Fields f(env);
  f("used", used)("peak", e.load.peak())("startup", startup_memory_)("sampledUsed", m.used)(
      "sampledRss", m.rss)("active", m.active)("resident", m.resident)("tables", all.arrays)(
      "tablesRehashing", all.leaving)("rehashing", all.rehashing)("entryHeader", sizeof(Entry));
  Napi::Object o = f.object();
  o.Set("databases", databases);
  return o;
}

// purge(): gives what is empty back to the system; returns the bytes.
Napi::Value ServerObject::purge(const Napi::CallbackInfo& info) {
  mem_return_large();
  return Napi::Number::New(info.Env(), static_cast<double>(mem_purge()));
}

}  // namespace kvasir
