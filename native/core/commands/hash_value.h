// What the hash commands share: finding the hash, changing it and putting it back, replying with its values,
// and the list of fields that the commands about deadlines end with.
#pragma once

#include <cstdint>

#include "commands/core.h"
#include "types/hash.h"

namespace kvasir {

// A hash to be read.
struct FoundHash {
  const Entry* entry = nullptr;
  bool wrong = false;  // of another type: the error was replied
  explicit operator bool() const { return entry != nullptr; }
  [[nodiscard]] Collection collection() const { return entry->collection(); }
};
FoundHash read_hash(const Call& call, int key_arg);

// The hash under argument 1 while it is changed: `c` may move and change its encoding, and goes back into its
// entry by store().
class HashEdit {
 public:
  explicit HashEdit(const Call& call)
      : call_(call), ks_(call.ks()), db_(call.db()), key_(call.key(1)), clock_(ks_.field_clock()) {}

  // Each looks the hash up. False: there is something else, and the error was replied.
  bool find();
  // As a reading command does, with its statistics.
  bool find_to_read();
  // Where there is none, store() will add it.
  bool find_or_prepare();

  [[nodiscard]] bool exists() const { return entry_ != nullptr; }
  [[nodiscard]] const KeyRef& key() const { return key_; }
  [[nodiscard]] const FieldClock& clock() const { return clock_; }
  // Of the hash as it was found.
  [[nodiscard]] bool had_deadlines() const { return had_deadlines_; }

  [[nodiscard]] HashInput input(int arg) const {
    return {call_.arg(arg), call_.bufs == nullptr ? nullptr : call_.bufs[arg]};
  }
  HashStored set(Slice field, const HashInput& value, int64_t deadline = kNoExpiry, bool keep = false,
                 uint64_t hash = 0) {
    return hash_set(&c, call_.core.settings.encodings, field, value, deadline, keep, clock_, hash);
  }
  // `deadline`: the earliest that a field was given.
  void store(int64_t deadline = kNoExpiry);
  // Instead of store(), after fields were removed: deletes the key if none is left. True: it is gone.
  bool store_or_delete();
  // The same for what may also have added or redated fields.
  bool store_or_delete(int64_t deadline);

  // Watchers hear of the change.
  void modified() { ks_.modified(db_, key_.key); }
  void notify(const char* event, uint32_t klass = kNotifyHash) { ks_.notify(klass, event, key_.key, db_); }
  // Fields that were past their deadline were overwritten: as if they had expired now.
  void expired(size_t fields) {
    if (fields == 0) return;
    ks_.stats.expired_fields += fields;
    notify("hexpired");
  }

  Collection c{};  // valid if the hash exists, or once the caller has made it

 private:
  bool found(Entry* e);

  const Call& call_;
  Keyspace& ks_;
  Database& db_;
  KeyRef key_;
  FieldClock clock_;
  Entry* entry_ = nullptr;
  EntryRoom room_;
  bool had_deadlines_ = false;
};

void reply_value(const Call& call, const HashValue& value);
// The value of a field, or null. The hash may be absent.
void reply_field(const Call& call, const Collection* c, Slice field, const FieldClock& clock,
                 uint64_t hash = 0);

// The list FIELDS numfields field ... at the end of a command's arguments.
struct FieldList {
  int token = 0;  // argument FIELDS
  int first = 0;  // argument with the first field
};
// Finds the word FIELDS from argument `from` on. False: it is not there, or nothing stands after it. It may
// be the key, if that is how it reads: then an error follows.
bool find_field_list(const Call& call, int from, FieldList* list);
// Reads the list at argument 2; `words` arguments belong to each field. False: an error was replied, which is
// a syntax error if the token is missing, and `mismatch` if the number is not that of the fields.
bool parse_field_list(const Call& call, const char* mismatch, FieldList* list);
// Reads the number of fields in a list that find_field_list() found. False: an error was replied.
bool check_field_count(const Call& call, const FieldList& list, int words, const char* mismatch);
inline constexpr const char* kFieldCountMismatch =
    "ERR numfields should be greater than 0 and match the provided number of fields";

}  // namespace kvasir
