// Runs command handlers on a Core of their own, without engine and sockets, and shows what they hand to the
// propagation stream and which events they raise.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "base/strbuf.h"
#include "commands/core.h"
#include "no_hooks.h"

namespace kvasir {

class RecordedSignals final : public Signals {
 public:
  void key_modified(Database&, Slice key, bool) override { modified += key.str() + " "; }
  void notify(uint32_t, const char* event, Slice key, int) override {
    events += std::string(event) + ":" + key.str() + " ";
  }
  void propagate_delete(Database&, Slice key, bool lazy) override {
    events += (lazy ? "<unlink " : "<del ") + key.str() + "> ";
  }
  void expiry_took(int64_t) override {}
  void propagate_field_delete(Database& db, Slice key, std::span<const Slice> fields, bool key_gone,
                              bool lazy) override {
    events += "<hdel " + key.str();
    for (const Slice& f : fields) events += " " + f.str();
    events += "> ";
    if (key_gone) propagate_delete(db, key, lazy);
  }
  void flushed(int) override {}
  void swapping(int, int) override {}
  void swapped(int, int) override {}
  void key_ready(kvasir::Database&, kvasir::Slice, kvasir::Type) override {}
  void key_gone(kvasir::Database&, kvasir::Slice) override {}
  std::string events, modified;
};

inline constexpr int64_t kNow = 1'700'000'000'000;

class CommandBench {
 public:
  using Register = void (*)(HandlerMap&);
  explicit CommandBench(std::initializer_list<Register> groups)
      : core(2, false, &signals, &hooks), client(std::make_unique<Client>(1, &arena)) {
    for (const Register add : groups) add(handlers);
    core.stream_active = true;
    core.keyspace.now_ms = kNow;
    core.keyspace.interest_notify = ~0U;
    core.keyspace.interest_modified = Keyspace::kWatchers;
  }

  // Runs a command (words between blanks; '' is the empty word) and returns its reply, line ends as blanks.
  std::string run(const std::string& line) {
    std::vector<std::string> words;
    for (size_t i = 0; i < line.size();) {
      const size_t end = std::min(line.find(' ', i), line.size());
      words.push_back(line.substr(i, end - i));
      if (words.back() == "''") words.back().clear();
      i = end + 1;
    }
    std::vector<StrBuf*> bufs(words.size(), nullptr);
    return run(words, bufs);
  }
  std::string run(const std::vector<std::string>& words, const std::vector<StrBuf*>& bufs) {
    std::vector<Slice> argv(words.begin(), words.end());
    for (size_t i = 0; i < bufs.size(); i++) {
      if (bufs[i] != nullptr) argv[i] = bufs[i]->slice();
    }
    std::string name = words[0];
    if (words.size() > 1 && handlers.count(lower(name)) == 0) name += "|" + words[1];
    name = lower(name);
    command.name = command.fullname = name;
    command.first_key = name == "msetex" ? 2 : 1;
    signals.events.clear();
    signals.modified.clear();
    core.propagation.reset();
    const uint64_t dirty = core.keyspace.dirty;
    auto own = bufs;
    Call call{core, *client, command, argv, own.data(), 0};
    handlers.at(name)(call);
    changes = core.keyspace.dirty - dirty;
    stream = stream_of(words);
    return take_reply();
  }
  std::string take_reply() {
    std::string out;
    iovec iov[16];
    while (!client->out.empty()) {
      const int n = client->out.peek(iov, 16);
      size_t sum = 0;
      for (int i = 0; i < n; i++) {
        out.append(static_cast<const char*>(iov[i].iov_base), iov[i].iov_len);
        sum += iov[i].iov_len;
      }
      client->out.consume(sum);
    }
    std::string shown;
    for (size_t i = 0; i < out.size(); i++) {
      if (out[i] == '\r') continue;
      shown += out[i] == '\n' ? ' ' : out[i];
    }
    if (!shown.empty()) shown.pop_back();
    return shown;
  }
  const Entry* entry(const char* key) {
    const EntrySlot slot = core.keyspace.db(0).find(core.keyspace.ref(key));
    return slot ? slot.get() : nullptr;
  }
  std::string encoding(const char* key) { return encoding_name(entry(key)->encoding()); }

  RecordedSignals signals;
  NoHooks hooks;
  Core core;
  ReplyArena arena;
  std::unique_ptr<Client> client;
  HandlerMap handlers;
  Command command;
  std::string stream;    // what replicas get for the last command, apart from what was due; empty: nothing
  uint64_t changes = 0;  // how much the last command added to `dirty`

 private:
  static std::string lower(std::string s) {
    for (char& c : s) c = ascii_lower(c);
    return s;
  }
  // Commands are set apart by "|".
  std::string stream_of(const std::vector<std::string>& words) const {
    std::string out;
    const auto append = [&out](Slice word, bool first) {
      if (!out.empty()) out += first ? "|" : " ";
      out += word.str();
    };
    const Propagation& p = core.propagation;
    if (changes > 0 && !p.rewritten() && !p.suppressed()) {
      for (const std::string& w : words) append(w, false);
    }
    for (const Propagation::Item& item : p.items()) {
      size_t at = 0;
      for (size_t i = 0; i < item.sizes.size(); at += item.sizes[i++]) {
        append(Slice(item.bytes.data() + at, item.sizes[i]), i == 0);
      }
    }
    return out;
  }
};

}  // namespace kvasir
