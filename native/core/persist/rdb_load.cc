#include "persist/rdb_load.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <limits>

#include "base/clock.h"
#include "keyspace/value.h"
#include "types/hash.h"

namespace kvasir {

namespace {

// The least that an entry takes in a file: type, key and value.
constexpr uint64_t kLeastEntry = 3;
// Empty keys that are named in the log.
constexpr uint64_t kEmptyKeysNamed = 10;
constexpr size_t kIdDigits = 40;
constexpr uint8_t kModulePreRelease = 6, kModule = 7;
constexpr uint64_t kModuleUint = 2;

// The name in a module's type id: nine characters of six bits above its version.
std::string module_name(uint64_t id) {
  static constexpr char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string name;
  for (int shift = 58; shift >= 10; shift -= 6) name += kLetters[id >> shift & 63];
  return name;
}

}  // namespace

RdbLoader::RdbLoader(Keyspace* ks, const EncodingLimits* limits, std::vector<std::string>* libraries,
                     const RdbLoadOptions& options)
    : ks_(*ks), limits_(*limits), libraries_(*libraries), options_(options) {}

RdbLoader::~RdbLoader() {
  cancelled_ = true;
  while (fiber_ && !fiber_->done()) fiber_->resume();
}

void RdbLoader::read(int fd, uint64_t size) {
  source_ = std::make_unique<RdbSource>(static_cast<Pacer*>(this), fd, size);
  if (size != RdbSource::kUnknown) progress_.total_bytes = size;
}

void RdbLoader::expect_pushes() { source_ = std::make_unique<RdbSource>(static_cast<Pacer*>(this)); }

// ------------------------------------------------------------------ the loop's side

bool RdbLoader::run(uint64_t until_us) {
  if (!fiber_) {
    fiber_ = std::make_unique<Fiber>([this](Fiber&) {
      result_ = load();
      progress_.loaded_bytes = source_->offset();
    });
  }
  until_us_ = until_us;
  starving_ = false;
  resume_at_us_ = 0;
  if (!fiber_->done()) fiber_->resume();
  return !fiber_->done();
}

// ------------------------------------------------------------------ the fiber's side

bool RdbLoader::pause(bool starving) {
  if (cancelled_) return false;
  if (starving || mono_us() >= until_us_) {
    progress_.loaded_bytes = source_->offset();
    starving_ = starving;
    fiber_->yield();
  }
  return !cancelled_;
}

void RdbLoader::between_keys() {
  if (options_.pace == nullptr) return;
  const int64_t delay = options_.pace->key_delay_us;
  if (delay >= 1000) {
    resume_at_us_ = mono_us() + static_cast<uint64_t>(delay);
    until_us_ = 0;
    pause(false);
  } else if (delay > 0) {
    usleep(static_cast<useconds_t>(delay));
  } else if (delay < 0 && std::rand() % -delay == 0) {  // NOLINT: any number will do
    usleep(1);
  }
  if (source_->offset() < next_event_) return;
  next_event_ = source_->offset() + static_cast<uint64_t>(options_.pace->event_bytes);
  until_us_ = 0;
  pause(false);
}

void RdbLoader::log(LogLevel level, const char* format, ...) {
  char text[1024];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  lines_.push_back({level, text});
}

// Valkey has its check read the file again and say where it gives up: we know that already.
void RdbLoader::describe(const char* error) {
  log(LogLevel::kWarning, "--- RDB ERROR DETECTED ---");
  log(LogLevel::kWarning, "[offset %" PRIu64 "] %s", source_->offset(), error);
  log(LogLevel::kWarning, "[additional info] While doing: %s", doing_);
  if (type_ >= 0) {
    if (!options_.hide_user_data) log(LogLevel::kWarning, "[additional info] Reading key '%s'", key_.c_str());
    log(LogLevel::kWarning, "[additional info] Reading type %d (%s)", type_,
        rdb_type_name(static_cast<uint8_t>(type_)));
  }
  log(LogLevel::kWarning, "[info] %" PRIu64 " keys read", keys_read_);
}

RdbLoadResult RdbLoader::report(const char* reason, bool corrupt) {
  char text[1024];
  snprintf(text, sizeof text, "Internal error in RDB reading offset %" PRIu64 " -> %s", source_->offset(),
           reason);
  if (options_.from_file) {
    log(LogLevel::kWarning, "%s", text);
    describe(reason);
    return RdbLoadResult::kUnreadable;
  }
  if (corrupt) {
    log(LogLevel::kWarning, "%s. Failure loading rdb format", text);
    return RdbLoadResult::kUnreadable;
  }
  log(LogLevel::kWarning,
      "%s. Failure loading rdb format from socket, assuming connection error, resuming operation.", text);
  return RdbLoadResult::kFailed;
}

RdbLoadResult RdbLoader::short_read() {
  if (cancelled_) return RdbLoadResult::kFailed;
  log(LogLevel::kWarning, "Short read or OOM loading DB. Unrecoverable error, aborting now.");
  return report("Unexpected EOF reading RDB file", false);
}

RdbLoadResult RdbLoader::load() {
  began_ms_ = wall_ms();
  if (options_.verify_checksum) source_->keep_checksum();
  Slice magic;
  if (!source_->bytes(9, &magic)) return short_read();
  const bool redis = memcmp(magic.data, "REDIS0", 6) == 0;
  if (!redis && memcmp(magic.data, "VALKEY", 6) != 0) {
    log(LogLevel::kWarning, "Wrong signature trying to load DB from file: %.9s", magic.str().c_str());
    return RdbLoadResult::kIncompatible;
  }
  version_ = atoi(magic.str().c_str() + 6);  // NOLINT(cert-err34-c): what is no number is version 0
  const bool foreign = version_ >= kFirstForeignVersion && version_ <= kLastForeignVersion;
  if (version_ < 1 || redis != (version_ <= kLastForeignVersion) ||
      (options_.strict_version && (version_ > kRdbVersion || foreign))) {
    log(LogLevel::kWarning, "Can't handle RDB format version %d", version_);
    return RdbLoadResult::kIncompatible;
  }
  if (options_.empty_first) {
    log(LogLevel::kNotice, "RDB signature and version check passed. Flushing old data");
    ks_.flush(-1, options_.empty_lazily);
    libraries_.clear();
  }
  db_ = &ks_.db(0);
  for (;;) {
    doing_ = "read-type";
    type_ = -1;
    uint8_t type;
    if (!source_->byte(&type)) return short_read();
    switch (read_part(type, redis)) {
      case Step::kNext:
        break;
      case Step::kEnd:
        return check_sum();
      case Step::kShort:
        return short_read();
      case Step::kResult:
        return step_result_;
    }
  }
}

RdbLoadResult RdbLoader::check_sum() {
  if (version_ >= 5) {
    doing_ = "check-sum";
    const uint64_t expected = source_->checksum();
    uint64_t stored;
    if (!source_->le64(&stored)) return short_read();
    if (!options_.verify_checksum) {
      // Nobody wants to know.
    } else if (stored == 0) {
      log(LogLevel::kNotice, "RDB file was saved with checksum disabled: no check performed.");
    } else if (stored != expected) {
      log(LogLevel::kWarning,
          "Wrong RDB checksum expected: (%" PRIx64 ") but got (%" PRIx64 "). Aborting now.", expected,
          stored);
      return report("RDB CRC error", true);
    }
  }
  const LoadProgress& p = progress_;
  if (empty_keys_ > 0) {
    log(LogLevel::kNotice,
        "Done loading RDB, keys loaded: %" PRIu64 ", keys expired: %" PRIu64 ", empty keys skipped: %" PRIu64
        ", all fields expired hashes: %" PRIu64 ".",
        p.keys_loaded, p.keys_expired, empty_keys_, emptied_hashes_);
  } else {
    log(LogLevel::kNotice,
        "Done loading RDB, keys loaded: %" PRIu64 ", keys expired: %" PRIu64
        ", all fields expired hashes: %" PRIu64 ".",
        p.keys_loaded, p.keys_expired, emptied_hashes_);
  }
  return RdbLoadResult::kOk;
}

RdbLoader::Step RdbLoader::read_part(uint8_t type, bool redis) {
  constexpr auto kLastForeignType = static_cast<uint8_t>(RdbOpcode::kSlotImport);
  if (redis && type >= kFirstForeignType && type <= kLastForeignType) {
    log(LogLevel::kWarning, "Can't handle foreign type or opcode %d in RDB with version %d", type, version_);
    return end_with(RdbLoadResult::kFailed);
  }
  if (type >= static_cast<uint8_t>(RdbOpcode::kSlotImport)) return read_opcode(static_cast<RdbOpcode>(type));
  const Step step = read_entry(type);
  attributes_ = {};
  return step;
}

RdbLoader::Step RdbLoader::read_opcode(RdbOpcode code) {
  RdbSource& in = *source_;
  uint64_t n, keys, expires;
  Slice bytes;
  const auto done = [](bool read) { return read ? Step::kNext : Step::kShort; };
  switch (code) {
    case RdbOpcode::kDeadline: {
      doing_ = "read-expire";
      if (!in.bytes(4, &bytes)) return Step::kShort;
      int32_t s;
      memcpy(&s, bytes.data, 4);
      attributes_.expire_ms = int64_t{s} * 1000;
      return Step::kNext;
    }
    case RdbOpcode::kDeadlineMs:
      doing_ = "read-expire";
      if (!in.le64(&n)) return Step::kShort;
      attributes_.expire_ms = static_cast<int64_t>(n);
      return Step::kNext;
    case RdbOpcode::kFrequency: {
      uint8_t count;
      if (!in.byte(&count)) return Step::kShort;
      attributes_.frequency = count;
      return Step::kNext;
    }
    case RdbOpcode::kIdle:
      if (!in.length(&n)) return Step::kShort;
      attributes_.idle_s = static_cast<int64_t>(std::min<uint64_t>(n, std::numeric_limits<int64_t>::max()));
      return Step::kNext;
    case RdbOpcode::kSelect:
      doing_ = "read-len";
      if (!in.length(&n)) return Step::kShort;
      if (n >= static_cast<uint64_t>(ks_.databases())) {
        log(LogLevel::kWarning,
            "FATAL: Data file was created with a Valkey server configured to handle more than %d databases. "
            "Exiting\n",
            ks_.databases());
        return end_with(RdbLoadResult::kExit);
      }
      db_ = &ks_.db(static_cast<int>(n));
      return Step::kNext;
    case RdbOpcode::kResize:
      doing_ = "read-len";
      if (!in.length(&keys) || !in.length(&expires)) return Step::kShort;
      room_keys_ = keys;
      room_expires_ = expires;
      return Step::kNext;
    case RdbOpcode::kSlotInfo:
      // Of Redis and of release candidates; see "slot-info" in note_field().
      return done(in.length(&n) && in.length(&keys) && in.length(&expires));
    case RdbOpcode::kSlotImport:
      return done(read_slot_import());
    case RdbOpcode::kField:
      doing_ = "read-aux";
      return read_field();
    case RdbOpcode::kModuleAux:
      doing_ = "read-module-aux";
      return refuse_module_field();
    case RdbOpcode::kFunctionPreRelease:
      return end_with(report("Pre-release function format not supported.", true));
    case RdbOpcode::kFunction:
      doing_ = "read-functions";
      return done(read_library());
    case RdbOpcode::kEnd:
      return Step::kEnd;
  }
  return Step::kShort;
}

bool RdbLoader::read_library() {
  Slice source;
  if (!source_->string(&source, &scratch_)) {
    log(LogLevel::kWarning, "Failed loading library, Failed loading library payload");
    return false;
  }
  std::string text = source.str();
  if (std::find(libraries_.begin(), libraries_.end(), text) == libraries_.end()) {
    libraries_.push_back(std::move(text));
  }
  return true;
}

// The name of a job and the ranges of slots that it was bringing: the job is not taken up again, and neither
// are its keys to be served. Cluster nodes come with their own issue; what is read is checked.
bool RdbLoader::read_slot_import() {
  Slice name;
  uint64_t ranges, first, last;
  if (!source_->string(&name, &scratch_)) return false;
  if (name.size != kIdDigits) {
    log(LogLevel::kWarning, "Invalid slot import job name length in RDB");
    return false;
  }
  if (!source_->length(&ranges)) return false;
  for (; ranges > 0; ranges--) {
    if (!source_->length(&first) || !source_->length(&last)) return false;
    if (first >= Database::kSlots || last >= Database::kSlots || first > last) {
      log(LogLevel::kWarning, "Invalid slot import range in RDB: start=%" PRIu64 " end=%" PRIu64, first,
          last);
      return false;
    }
  }
  return true;
}

RdbLoader::Step RdbLoader::refuse_module_field() {
  uint64_t id, kind, when;
  if (!source_->length(&id) || !source_->length(&kind) || !source_->length(&when)) return Step::kShort;
  if (kind != kModuleUint) return end_with(report("bad when_opcode", false));
  log(LogLevel::kWarning, "The RDB file contains AUX module data I can't load: no matching module '%s'",
      module_name(id).c_str());
  return end_with(RdbLoadResult::kExit);
}

RdbLoader::Step RdbLoader::read_field() {
  Slice bytes;
  if (!source_->string(&bytes, &scratch_)) return Step::kShort;
  name_ = bytes.str();
  if (!source_->string(&bytes, &scratch_)) return Step::kShort;
  return note_field(name_, bytes.str()) ? Step::kNext : Step::kShort;
}

bool RdbLoader::note_field(Slice name, const std::string& value) {
  const char* const text = value.c_str();
  const auto number = [&] { return static_cast<int64_t>(strtoll(text, nullptr, 10)); };
  const auto is = [&](const char* known) { return equals_nocase(name, known); };
  if (!name.empty() && name[0] == '%') {
    log(LogLevel::kNotice, "RDB '%s': %s", name_.c_str(), text);
  } else if (is("repl-stream-db")) {
    replication_.stream_db = static_cast<int>(number());
  } else if (is("repl-id")) {
    if (value.size() == kIdDigits) replication_.id = value;
  } else if (is("repl-offset")) {
    replication_.offset = number();
  } else if (is("redis-ver")) {
    log(LogLevel::kNotice, "Loading RDB produced by Redis version %s", text);
  } else if (is("valkey-ver")) {
    log(LogLevel::kNotice, "Loading RDB produced by Valkey version %s", text);
  } else if (is("ctime")) {
    log(LogLevel::kNotice, "RDB age %" PRId64 " seconds", std::max<int64_t>(0, began_ms_ / 1000 - number()));
  } else if (is("used-mem")) {
    log(LogLevel::kNotice, "RDB memory usage when created %.2f Mb",
        static_cast<double>(number()) / (1024 * 1024));
    progress_.used_memory = static_cast<uint64_t>(number());
  } else if (is("aof-preamble")) {
    if (number() != 0) log(LogLevel::kNotice, "RDB has an AOF tail");
  } else if (is("aof-base")) {
    if (number() != 0) log(LogLevel::kNotice, "RDB is base AOF");
  } else if (is("slot-info")) {
    int slot = 0;
    uint64_t keys = 0, expires = 0;
    // NOLINTNEXTLINE(cert-err34-c): a number out of range is a wish that cannot be granted
    if (sscanf(text, "%i,%" SCNu64 ",%" SCNu64, &slot, &keys, &expires) < 3) return false;
    if (ks_.clustered() && slot >= 0 && slot < Database::kSlots) {
      db_->reserve(KeyIndex::kAll, slot, source_->believed(keys, kLeastEntry));
      db_->reserve(KeyIndex::kExpiring, slot, source_->believed(expires, kLeastEntry));
    }
  } else if (!is("redis-bits") && !is("lua")) {
    log(LogLevel::kDebug, "Unrecognized RDB AUX field: '%s'", name_.c_str());
  }
  return true;
}

void RdbLoader::make_room() {
  // In cluster mode each slot says for itself.
  if (!ks_.clustered()) {
    db_->reserve(KeyIndex::kAll, 0, source_->believed(room_keys_, kLeastEntry));
    db_->reserve(KeyIndex::kExpiring, 0, source_->believed(room_expires_, kLeastEntry));
  }
  room_keys_ = room_expires_ = 0;
}

RdbLoader::Step RdbLoader::refuse_value(uint8_t type) {
  char text[128];
  if (type == kModulePreRelease) return end_with(report("Pre-release module format not supported", true));
  if (type == kModule) {
    uint64_t id;
    if (!source_->length(&id)) return end_with(report("Short read module id", false));
    snprintf(text, sizeof text,
             "The RDB file contains module data I can't load: no matching module type '%s'",
             module_name(id).c_str());
    return end_with(report(text, true));
  }
  if (options_.strict_version) {
    snprintf(text, sizeof text, "Unknown RDB encoding type %d", type);
    return end_with(report(text, false));
  }
  log(LogLevel::kWarning, "Unknown type or opcode when loading DB. Unrecoverable error, aborting now.");
  return end_with(RdbLoadResult::kFailed);
}

RdbLoader::Step RdbLoader::read_entry(uint8_t type) {
  RdbSource& in = *source_;
  if (room_keys_ != 0 || room_expires_ != 0) make_room();
  Slice name;
  doing_ = "read-key";
  if (!in.string(&name, &scratch_) || name.size > std::numeric_limits<uint32_t>::max()) return Step::kShort;
  key_.assign(name.data, name.size);
  doing_ = "read-object-value";
  type_ = type;
  keys_read_++;
  if (!rdb_type_known(type)) return refuse_value(type);
  const KeyRef k = ks_.ref(key_);
  db_->prefetch_bucket(k);
  Entry* e = nullptr;
  switch (rdb_load_value(in, type, key_, attributes_.expire_ms, limits_, &e)) {
    case RdbLoaded::kCorrupt:
      return in.refused() ? end_with(report(in.refusal(), true)) : Step::kShort;
    case RdbLoaded::kEmpty:
      // A bug of old versions left such keys behind.
      if (empty_keys_++ >= kEmptyKeysNamed) break;
      if (options_.hide_user_data) {
        log(LogLevel::kNotice, "rdbLoadObject skipping empty key");
      } else {
        log(LogLevel::kNotice, "rdbLoadObject skipping empty key: %s", key_.c_str());
      }
      break;
    case RdbLoaded::kOk: {
      const Step step = add(k, e);
      if (step != Step::kNext) return step;
    }
  }
  between_keys();
  return cancelled_ ? Step::kShort : Step::kNext;
}

bool RdbLoader::drop_due_fields(Entry* e) {
  if (e->type() != Type::kHash || !hash_has_deadlines(e->collection())) return true;
  std::array<HashField*, Keyspace::kMostFields> due;
  const Collection c = e->collection();
  while (const size_t n = hash_take_due(c, began_ms_, due.data(), due.size())) {
    if (options_.propagate_expired) {
      std::vector<Slice> names;
      for (size_t i = 0; i < n; i++) names.push_back(due[i]->field());
      ks_.tell_fields_expired(*db_, key_, names);
    }
    for (size_t i = 0; i < n; i++) HashField::destroy(due[i]);
  }
  if (hash_size(c) > 0) return true;
  emptied_hashes_++;
  value_destroy(e);
  return false;
}

RdbLoader::Step RdbLoader::add(const KeyRef& k, Entry* e) {
  if (options_.drop_expired) {
    if (!drop_due_fields(e)) return Step::kNext;
    if (e->expire_ms() != kNoExpiry && e->expire_ms() < began_ms_) {
      if (options_.propagate_expired) ks_.tell_expired(*db_, key_);
      value_destroy(e);
      progress_.keys_expired++;
      return Step::kNext;
    }
  }
  if (!ks_.load(*db_, k, e)) {
    if (!options_.replace_duplicates) {
      value_destroy(e);
      if (options_.hide_user_data) {
        log(LogLevel::kWarning, "RDB has duplicated key in DB %d", db_->id());
      } else {
        log(LogLevel::kWarning, "RDB has duplicated key '%s' in DB %d", key_.c_str(), db_->id());
      }
      log(LogLevel::kWarning, "Duplicated key found in RDB file");
      return end_with(RdbLoadResult::kExit);
    }
    ks_.remove(*db_, k, false);
    ks_.load(*db_, k, e);
  }
  progress_.keys_loaded++;
  ks_.set_access(e, attributes_.frequency, attributes_.idle_s);
  return Step::kNext;
}

}  // namespace kvasir
