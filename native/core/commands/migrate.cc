// MIGRATE: moves keys to another server by RESTORE, key by key.
//
// While the payloads are on their way the source goes on serving, and the keys stay where they are. Each is
// watched as by WATCH: one that changed after it was sent is sent again instead of being deleted, and then
// nobody may write until it has arrived, so that no more than two rounds are needed. What its sender was told
// to have written is therefore never lost.
#include "base/numbers.h"
#include "commands/core.h"
#include "commands/dump.h"
#include "commands/task.h"
#include "commands/transaction.h"

namespace kvasir {

namespace {

constexpr int64_t kDefaultTimeoutMs = 1000;

// Watches one key for as long as it lives.
class KeyWatch {
 public:
  KeyWatch(Core* core, int db, Slice key) : core_(core), client_(std::make_unique<Client>(0, nullptr)) {
    core_->watched.watch(client_.get(), db, key);
  }
  ~KeyWatch() {
    if (client_ != nullptr) core_->watched.unwatch(client_.get());
  }
  KeyWatch(KeyWatch&&) noexcept = default;
  KeyWatch(const KeyWatch&) = delete;
  KeyWatch& operator=(const KeyWatch&) = delete;
  KeyWatch& operator=(KeyWatch&&) = delete;
  [[nodiscard]] bool changed() const { return core_->watched.broken(*client_); }

 private:
  Core* core_;
  std::unique_ptr<Client> client_;
};

struct Options {
  bool copy = false, replace = false;
  std::vector<Slice> auth;  // [user,] password
  int first_key = 3, keys = 1;
  int64_t timeout_ms = kDefaultTimeoutMs, db = 0;
};

struct MigrateTask final : Task {
  explicit MigrateTask(Core* c) : core(c) {}
  ~MigrateTask() override { end_pause(); }
  void end_pause() {
    if (std::exchange(paused, false)) core->pauses.end(PauseReason::kKeyMigration);
  }
  struct Sent {
    std::string key;
    KeyWatch watch;
  };
  Core* core;
  std::vector<Sent> sent;  // in the order of the answer's lines
  bool paused = false;     // this is the second round
  std::string error;       // of the target, in the first round
};

bool parse_options(const Call& call, Options* o) {
  const auto secret = [&](int i) {
    call.core.redact(i);
    return call.arg(i);
  };
  for (int i = 6; i < call.argc(); i++) {
    const Slice word = call.arg(i);
    const int more = call.argc() - 1 - i;
    if (equals_nocase(word, "copy")) {
      o->copy = true;
    } else if (equals_nocase(word, "replace")) {
      o->replace = true;
    } else if (equals_nocase(word, "auth") && more >= 1) {
      // After AUTH2 it replaces the password only.
      if (o->auth.empty()) o->auth.resize(1);
      o->auth.back() = secret(++i);
    } else if (equals_nocase(word, "auth2") && more >= 2) {
      o->auth = {secret(i + 1), secret(i + 2)};
      i += 2;
    } else if (equals_nocase(word, "keys")) {
      if (!call.arg(3).empty()) {
        call.reply().error(
            "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string");
        return false;
      }
      o->first_key = i + 1;
      o->keys = more;
      break;
    } else {
      call.syntax_error();
      return false;
    }
  }
  if (!parse_i64(call.arg(5), &o->timeout_ms) || !parse_i64(call.arg(4), &o->db)) {
    call.not_an_integer();
    return false;
  }
  if (o->timeout_ms <= 0) o->timeout_ms = kDefaultTimeoutMs;
  return true;
}

void append_command(std::string* out, std::initializer_list<Slice> argv) {
  char digits[kInt64Chars];
  const auto header = [&](char kind, size_t n) {
    out->push_back(kind);
    out->append(digits, format_u64(digits, n));
    out->append("\r\n");
  };
  header('*', argv.size());
  for (const Slice& s : argv) {
    header('$', s.size);
    out->append(s.data, s.size);
    out->append("\r\n");
  }
}

// The command that gives the target the key as it is now: the entry, or nothing.
void append_key(const Call& call, Slice key, const Entry* e, bool replace, std::string* out) {
  const Keyspace& ks = call.ks();
  if (e == nullptr) return append_command(out, {"DEL", key});
  char digits[kInt64Chars];
  int64_t ttl_ms = 0;
  if (e->expire_ms() != kNoExpiry) ttl_ms = std::max<int64_t>(1, e->expire_ms() - ks.now_ms);
  const Slice ttl(digits, format_i64(digits, ttl_ms));
  std::string payload;
  append_dump(call.core, *e, &payload);
  const Slice name = ks.clustered() ? "RESTORE-ASKING" : "RESTORE";
  if (replace) {
    append_command(out, {name, key, ttl, payload, "REPLACE"});
  } else {
    append_command(out, {name, key, ttl, payload});
  }
}

// Sends what stands in `requests`, one for each key of the task.
void send(Call& call, const Options& o, std::unique_ptr<MigrateTask> task, const std::string& requests) {
  char db[kInt64Chars], timeout[kInt64Chars], replies[kInt64Chars];
  std::vector<Slice> argv{call.arg(1),
                          call.arg(2),
                          {db, format_i64(db, o.db)},
                          {timeout, format_i64(timeout, o.timeout_ms)},
                          {replies, format_u64(replies, task->sent.size())},
                          requests};
  argv.insert(argv.end(), o.auth.begin(), o.auth.end());
  call.start_task("migrate", std::move(task), argv);
}

void begin(Call& call, const Options& o) {
  auto task = std::make_unique<MigrateTask>(&call.core);
  std::string requests;
  for (int i = o.first_key; i < o.first_key + o.keys; i++) {
    const Slice key = call.arg(i);
    const Entry* e = call.ks().lookup_read(call.db(), call.key(i));
    if (e == nullptr) continue;
    if (!call.may_block()) {
      return call.reply().error(
          "ERR MIGRATE cannot wait for another server inside a transaction or a script");
    }
    append_key(call, key, e, o.replace, &requests);
    task->sent.push_back({key.str(), KeyWatch(&call.core, call.client.db, key)});
  }
  if (task->sent.empty()) return call.reply().status("NOKEY");
  send(call, o, std::move(task), requests);
}

void remove_keys(Call& call, const std::vector<std::string>& keys) {
  Keyspace& ks = call.ks();
  std::vector<Slice> gone{"DEL"};
  for (const std::string& key : keys) {
    const EntrySlot slot = call.db().find(ks.ref(key));
    if (!slot) continue;
    ks.remove_at(call.db(), ks.ref(key), slot, ks.lazyfree_server_del);
    ks.modified(call.db(), key);
    ks.notify(kNotifyGeneric, "del", key, call.db());
    ks.dirty++;
    gone.emplace_back(key);
  }
  if (gone.size() == 1 || !call.propagating()) return;
  call.propagation().suppress();
  call.propagation().also(std::span<const Slice>(gone));
}

// Takes in the answer: deletes what has arrived unchanged, sends again what has changed, or replies.
void go_on(Call& call, const Options& o, std::unique_ptr<MigrateTask> task) {
  const TaskAnswer answer = std::move(task->answer);
  std::vector<std::string> arrived, changed;
  for (size_t i = 0; i < std::min(answer.lines.size(), task->sent.size()); i++) {
    const std::string& line = answer.lines[i];
    const MigrateTask::Sent& sent = task->sent[i];
    if (!line.empty() && line[0] == '-') {
      if (task->error.empty()) task->error = line.substr(1);
    } else if (o.copy) {
      // It stays, whatever became of it.
    } else {
      (sent.watch.changed() ? changed : arrived).push_back(sent.key);
    }
  }
  task->sent.clear();
  remove_keys(call, arrived);
  if (!changed.empty() && answer.failure.empty() && !task->paused) {
    task->paused = true;
    call.core.pauses.pause(PauseReason::kKeyMigration, call.core.wall_ms + 2 * o.timeout_ms,
                           PauseScope::kWrites);
    call.core.update_pauses();
    std::string requests;
    for (const std::string& key : changed) {
      const EntrySlot slot = call.db().find(call.ks().ref(key));
      const bool there = slot && !call.ks().expired(*slot.get());
      append_key(call, key, there ? slot.get() : nullptr, true, &requests);
      task->sent.push_back({key, KeyWatch(&call.core, call.client.db, key)});
    }
    return send(call, o, std::move(task), requests);
  }
  task->end_pause();
  if (!task->error.empty()) {
    call.reply().error("ERR Target instance replied with error: " + task->error);
  } else if (!answer.failure.empty()) {
    call.reply().error("IOERR error or timeout " + answer.failure);
  } else if (!changed.empty()) {
    call.reply().error("ERR the keys went on changing and were not deleted");
  } else {
    call.reply().ok();
  }
}

// MIGRATE host port key|"" db timeout [COPY] [REPLACE] [AUTH password | AUTH2 user password] [KEYS key ...]
void migrate_command(Call& call) {
  Options o;
  if (!parse_options(call, &o)) return;
  if (call.client.task == nullptr) return begin(call, o);
  go_on(call, o, std::unique_ptr<MigrateTask>(static_cast<MigrateTask*>(call.client.task.release())));
}

}  // namespace

void register_migrate_command(HandlerMap& map) { map["migrate"] = migrate_command; }

}  // namespace kvasir
