// Loads an RDB file into a keyspace without stopping the loop: the decoders run on a fiber and stop between
// pieces of input, in the middle of a huge value too.
//
// Whoever owns the loop calls run() until it returns false. Nothing that could enter JavaScript is called by
// the fiber: log lines wait in lines() until run() has returned.
//
// What the lines say is what Valkey 9.1 says; operators and tests know these texts.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/fiber.h"
#include "base/log_level.h"
#include "keyspace/keyspace.h"
#include "persist/load_types.h"
#include "persist/rdb_file.h"
#include "persist/rdb_object.h"
#include "persist/rdb_source.h"

namespace kvasir {

class RdbLoader final : private RdbSource::Pacer {
 public:
  // libraries: receives the sources of functions. All outlive the loader.
  RdbLoader(Keyspace* ks, const EncodingLimits* limits, std::vector<std::string>* libraries,
            const RdbLoadOptions& options);
  // Gives up if it is not done.
  ~RdbLoader() override;
  RdbLoader(const RdbLoader&) = delete;
  RdbLoader& operator=(const RdbLoader&) = delete;

  // One of the two, once. size: bytes of the file, RdbSource::kUnknown for a pipe.
  void read(int fd, uint64_t size);
  void expect_pushes();
  [[nodiscard]] RdbSource& source() { return *source_; }

  // Goes on until mono_us() reaches `until_us`, the input is exhausted or all is done. False: done.
  bool run(uint64_t until_us);
  // When it stopped because of a delay or for want of input: when there is something to do again, as
  // mono_us().
  [[nodiscard]] bool starving() const { return starving_; }
  [[nodiscard]] uint64_t resume_at_us() const { return resume_at_us_; }

  struct Line {
    LogLevel level;
    std::string text;
  };
  // Since the last call.
  std::vector<Line> take_lines() { return std::exchange(lines_, {}); }

  // Valid when done.
  [[nodiscard]] RdbLoadResult result() const { return result_; }
  [[nodiscard]] const RdbReplication& replication() const { return replication_; }

  [[nodiscard]] const LoadProgress& progress() const { return progress_; }

 private:
  // What precedes an entry.
  struct Attributes {
    int64_t expire_ms = kNoExpiry;
    int64_t idle_s = -1;
    int64_t frequency = -1;
  };

  bool pause(bool starving) override;
  void wait_until(uint64_t us);
  void between_keys();
  void log(LogLevel level, const char* format, ...) __attribute__((format(printf, 3, 4)));

  RdbLoadResult load();
  bool read_magic(int* version, bool* redis);
  // How one step of the file ended.
  enum class Step : uint8_t { kNext, kEnd, kShort, kResult };
  Step read_part(uint8_t type, bool redis);
  Step read_opcode(RdbOpcode code);
  Step read_field();
  bool note_field(Slice name, const std::string& value);
  bool read_slot_import();
  bool read_library();
  Step refuse_module_field();
  Step read_entry(uint8_t type);
  Step refuse_value(uint8_t type);
  void make_room();
  // False: nothing of it is to be kept, and the entry is gone.
  bool drop_due_fields(Entry* e);
  Step add(const KeyRef& k, Entry* e);
  RdbLoadResult check_sum();
  Step end_with(RdbLoadResult r) {
    step_result_ = r;
    return Step::kResult;
  }
  RdbLoadResult short_read();
  RdbLoadResult report(const char* reason, bool corrupt);
  void describe(const char* error);

  Keyspace& ks_;
  const EncodingLimits& limits_;
  std::vector<std::string>& libraries_;
  const RdbLoadOptions options_;
  std::unique_ptr<RdbSource> source_;
  std::unique_ptr<Fiber> fiber_;
  bool cancelled_ = false;
  bool starving_ = false;
  uint64_t until_us_ = 0, resume_at_us_ = 0;
  uint64_t next_event_ = 0;

  RdbLoadResult result_ = RdbLoadResult::kFailed;
  RdbLoadResult step_result_ = RdbLoadResult::kFailed;
  LoadProgress progress_;
  RdbReplication replication_;
  std::vector<Line> lines_;

  int version_ = 0;
  int64_t began_ms_ = 0;
  Database* db_ = nullptr;
  Attributes attributes_;
  // What RESIZEDB said, until there is something to put into it.
  uint64_t room_keys_ = 0, room_expires_ = 0;
  uint64_t empty_keys_ = 0, emptied_hashes_ = 0;
  std::string key_, name_, scratch_;
  // For who has to find out what is wrong with a file; the type of the key at hand, -1 between keys.
  const char* doing_ = "start";
  int type_ = -1;
  uint64_t keys_read_ = 0;
};

}  // namespace kvasir
