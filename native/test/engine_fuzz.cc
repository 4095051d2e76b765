// Random programs of commands through the engine, by several clients: whatever they send, nothing may crash,
// leak or leave a value that cannot be written as an RDB object and read back. Needs the command table as
// text:
//
//   node scripts/command-table.mjs > commands.tsv; KVASIR_COMMAND_TABLE=commands.tsv engine_fuzz
//
// An input is a program: each step takes a byte that says what happens, and then the bytes it needs.
// Arguments are drawn from keys, numbers, the words that the command's declaration knows, and plain bytes, so
// that mutations meet options and types and not only syntax errors.
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <memory>
#include <sstream>

#include "base/background.h"
#include "engine/engine.h"
#include "keyspace/value.h"
#include "no_hooks.h"
#include "persist/rdb_object.h"
#include "resp/saved_request.h"

using namespace kvasir;

namespace {

[[noreturn]] void fail(const std::string& why) {
  fprintf(stderr, "engine_fuzz: %s\n", why.c_str());
  abort();
}

struct Declared {
  std::vector<std::string> call;  // its name, and the subcommand's
  int arity = 0;
  std::vector<std::string> words;
};

std::vector<std::string> split(const std::string& line, char at) {
  std::vector<std::string> parts(1);
  for (const char c : line) {
    if (c == at) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

// What would end the process or wait for somebody who is not there.
bool left_out(const std::string& symbol) { return symbol.starts_with("client|kill") || symbol == "migrate"; }

// Fills the engine's table; returns what can be called.
std::vector<Declared> load_table(CommandTable* table) {
  const char* path = getenv("KVASIR_COMMAND_TABLE");
  if (path == nullptr) fail("KVASIR_COMMAND_TABLE names no file; see the head of engine_fuzz.cc");
  std::ifstream file(path);
  if (!file) fail(std::string("cannot read ") + path);
  HandlerMap handlers = all_handlers();
  std::unordered_map<std::string, Command*> by_name;
  std::vector<Declared> declared;
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> f = split(line, '\t');
    auto c = std::make_unique<Command>();
    c->id = static_cast<int>(by_name.size());
    c->name = f[0];
    c->fullname = f[1];
    if (!f[2].empty()) c->parent = by_name.at(f[2]);
    if (!f[3].empty()) c->handler = handlers.at(f[3]);
    c->arity = std::stoi(f[4]);
    c->flags = std::stoull(f[5]);
    c->first_key = std::stoi(f[6]);
    c->last_key = std::stoi(f[7]);
    c->key_step = std::stoi(f[8]);
    c->element = std::stoi(f[10]);
    if (c->handler != nullptr && !left_out(f[3])) {
      Declared d;
      d.call = split(f[1], '|');
      d.arity = c->arity;
      if (f.size() > 9 && !f[9].empty()) d.words = split(f[9], ' ');
      declared.push_back(d);
    }
    by_name[f[1]] = table->add(std::move(c));
  }
  if (declared.empty()) fail("the table is empty");
  return declared;
}

class FuzzHooks final : public NoHooks {
 public:
  void close(Client& c) override { c.flags.close_asap = true; }
};

// A client without a socket: what it sends runs at once, or is kept while it is blocked.
class Session final : public Client {
 public:
  Session(Engine* engine, uint64_t session_id, ReplyArena* replies)
      : Client(session_id, replies), engine_(engine) {
    engine_->core.clients.emplace(id, this);
    flags.authenticated = true;
    user = &engine_->core.default_user;
  }
  ~Session() override {
    engine_->core.clients.erase(id);
    engine_->forget(*this);
    out.clear();
  }
  void send(const std::vector<std::string>& words) {
    std::vector<Slice> argv(words.begin(), words.end());
    Request r;
    r.argv = argv.data();
    r.argc = static_cast<uint32_t>(argv.size());
    if (blocked != Blocked::kNo) {
      saved_.emplace_back(r);
    } else {
      run(r);
    }
  }
  void rerun() override {
    SavedRequest request = std::move(saved_.front());
    saved_.pop_front();
    if (run(request.restore(&args_))) unblocked_rest();
  }
  void unblocked() override {
    saved_.pop_front();
    unblocked_rest();
  }
  void end_turn() {
    out.clear();
    if (blocked == Blocked::kNo) args_.reset();
  }

 private:
  // False: the client is blocked and the request kept.
  bool run(Request r) {
    Pending p;
    p.request = r;
    engine_->prepare(&p, nullptr, db);
    switch (engine_->execute(*this, p)) {
      case Executed::kBlocked:
        saved_.emplace_front(p.request);
        for (const auto& [i, value] : waits->new_args) saved_.front().set_arg(i, value);
        return false;
      case Executed::kPostponed:
        // Nobody resumes paused clients here.
        blocked = Blocked::kNo;
        return true;
      case Executed::kDone:
        return true;
    }
    return true;
  }
  void unblocked_rest() {
    blocked = Blocked::kNo;
    while (!saved_.empty() && blocked == Blocked::kNo) {
      SavedRequest next = std::move(saved_.front());
      saved_.pop_front();
      run(next.restore(&args_));
    }
  }

  Engine* engine_;
  ArgArena args_;
  std::deque<SavedRequest> saved_;
};

class Program {
 public:
  Program(const uint8_t* data, size_t size) : at_(data), end_(data + size) {}
  [[nodiscard]] bool over() const { return at_ == end_; }
  uint8_t byte() { return over() ? 0 : *at_++; }
  size_t below(size_t n) { return byte() % n; }
  std::string bytes(size_t n) {
    n = std::min(n, static_cast<size_t>(end_ - at_));
    std::string s(reinterpret_cast<const char*>(at_), n);
    at_ += n;
    return s;
  }

 private:
  const uint8_t* at_;
  const uint8_t* end_;
};

const char* const kOdd[] = {"",
                            "0",
                            "-1",
                            "1",
                            "2",
                            "10",
                            "9223372036854775807",
                            "-9223372036854775808",
                            "1.5",
                            "inf",
                            "nan",
                            "-inf",
                            "(1",
                            "[a",
                            "-",
                            "+",
                            "*",
                            "$",
                            ">",
                            "1-1",
                            "0-0",
                            "5-*",
                            "a*",
                            "1e300",
                            "(inf",
                            "[",
                            "~",
                            "=",
                            "#",
                            "<0.1",
                            "100000",
                            "abc"};

std::string argument(Program& p, const Declared& d) {
  switch (p.below(8)) {
    case 0:
    case 1:
      return std::string("k") + static_cast<char>('0' + p.below(5));
    case 2:
    case 3:
      if (!d.words.empty()) return d.words[p.below(d.words.size())];
      [[fallthrough]];
    case 4:
      return kOdd[p.below(std::size(kOdd))];
    case 5:
      return std::to_string(static_cast<int>(p.byte()) - 20);
    case 6:
      return p.bytes(p.below(24));
    default:
      return std::string(p.below(200), 'x');
  }
}

// Every value can be written, read back and is then the same.
void check_values(Engine* engine) {
  Keyspace& ks = engine->core.keyspace;
  for (int i = 0; i < ks.databases(); i++) {
    EntryDict::Iterator it(ks.db(i).slot(0)->keys);
    while (Entry* e = it.next()) {
      std::string bytes;
      RdbWriter out(&bytes, false);
      rdb_save_value(out, *e);
      RdbInput in(bytes);
      Entry* copy = nullptr;
      if (rdb_load_value(in, static_cast<uint8_t>(rdb_type_of(*e)), e->key(), kNoExpiry,
                         engine->core.settings.encodings, &copy) != RdbLoaded::kOk) {
        fail("a value cannot be read back");
      }
      Sha1::Digest a{}, b{};
      value_mix(*e, &a);
      value_mix(*copy, &b);
      if (a != b) fail("a value has changed on its way through RDB");
      value_bytes(*e, 5);
      value_destroy(copy);
    }
  }
}

struct World {
  World() : engine(2, false, &hooks) {
    declared = load_table(&engine.core.table);
    // Small, so that a short program meets every encoding.
    EncodingLimits& limits = engine.core.settings.encodings;
    limits.hash_max_listpack_entries = limits.set_max_listpack_entries = limits.zset_max_listpack_entries = 4;
    limits.set_max_intset_entries = 4;
    limits.list_max_listpack_size = 4;
    limits.list_compress_depth = 1;
    limits.stream_node_max_entries = 4;
    // So that no argument asks for memory that this program has not got.
    engine.core.settings.proto_max_bulk_len = 1 << 20;
  }
  FuzzHooks hooks;
  Engine engine;
  std::vector<Declared> declared;
  ReplyArena replies;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static World world;
  // KVASIR_FUZZ_TRACE: shows the program of an input that failed.
  static const bool trace = getenv("KVASIR_FUZZ_TRACE") != nullptr;
  Engine& engine = world.engine;
  Program p(data, size);
  PropagationStream::Reader reader(&engine.stream);
  std::unique_ptr<Session> sessions[3];
  uint64_t ids = 1;
  for (auto& s : sessions) s = std::make_unique<Session>(&engine, ids++, &world.replies);
  engine.update_clock();
  int64_t later_ms = 0;
  for (int step = 0; step < 200 && !p.over(); step++) {
    engine.core.wall_ms += later_ms;
    engine.core.keyspace.now_ms = engine.core.wall_ms;
    auto& session = sessions[p.below(3)];
    switch (p.below(16)) {
      case 0:
        later_ms += p.byte() * 50;
        engine.end_overdue_waits();
        break;
      case 1:
        session.reset();
        session = std::make_unique<Session>(&engine, ids++, &world.replies);
        break;
      case 2:
        engine.cron(10);
        engine.between_turns();
        break;
      case 3:
        session->reply.resp = session->reply.resp == 2 ? 3 : 2;
        break;
      default: {
        const Declared& d =
            world.declared[(static_cast<size_t>(p.byte()) << 8 | p.byte()) % world.declared.size()];
        std::vector<std::string> words = d.call;
        const size_t least = static_cast<size_t>(std::abs(d.arity));
        const size_t wanted = d.arity > 0 && p.below(16) != 0 ? least : least + p.below(5);
        while (words.size() < wanted) words.push_back(argument(p, d));
        if (trace) {
          for (const std::string& word : words) fprintf(stderr, "%s ", word.c_str());
          fprintf(stderr, "\n");
        }
        session->send(words);
      }
    }
    for (auto& s : sessions) {
      s->end_turn();
      if (s->flags.close_asap) s = std::make_unique<Session>(&engine, ids++, &world.replies);
    }
    world.replies.reset();
    reader.consume(reader.pending());
  }
  check_values(&engine);
  for (auto& s : sessions) s.reset();
  engine.core.pauses = {};
  engine.core.update_pauses();
  engine.core.keyspace.flush(-1, false);
  // What FLUSHALL ASYNC and UNLINK have handed over would look like a leak.
  background_drain();
  return 0;
}
