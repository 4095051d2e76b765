// Loading an append-only file into an engine, and a base of commands written from one: what is loaded from it
// is the same data set.
#include "engine/aof_loader.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "check.h"
#include "keyspace/digest.h"
#include "no_hooks.h"
#include "persist/aof_object.h"

using namespace kvasir;

namespace {

struct Declared {
  const char* name;
  int arity;
  int first_key;
  bool ends = false;
};
constexpr Declared kCommands[] = {
    {"set", -3, 1},          {"rpush", -3, 1},      {"sadd", -3, 1},      {"zadd", -4, 1},
    {"hmset", -4, 1},        {"hsetex", -6, 1},     {"xadd", -5, 1},      {"xsetid", -3, 1},
    {"xclaim", -6, 1},       {"pexpireat", -3, 1},  {"select", 2, 0},     {"multi", 1, 0, true},
    {"exec", 1, 0, true},    {"xreadgroup", -7, 0}, {"blpop", -3, 1},     {"incr", 2, 1},
    {"discard", 1, 0, true}, {"del", -2, 1},        {"subscribe", -2, 0}, {"quit", -1, 0, true},
};

class Server {
 public:
  Server() : engine(4, false, &hooks_) {
    HandlerMap handlers = all_handlers();
    const auto add = [&](const char* name, const char* symbol, int arity, int key, bool ends,
                         Command* parent) {
      auto c = std::make_unique<Command>();
      c->name = parent == nullptr ? name : std::string(symbol).substr(std::string(symbol).find('|') + 1);
      c->fullname = symbol;
      c->handler = handlers.at(symbol);
      c->arity = arity;
      c->flags = kCmdWrite;
      c->first_key = c->last_key = key;
      c->key_step = key > 0 ? 1 : 0;
      c->ends_transaction = ends;
      c->parent = parent;
      return engine.core.table.add(std::move(c));
    };
    for (const Declared& d : kCommands) add(d.name, d.name, d.arity, d.first_key, d.ends, nullptr);
    auto container = std::make_unique<Command>();
    container->name = container->fullname = "xgroup";
    container->arity = -2;
    container->is_container = true;
    Command* xgroup = engine.core.table.add(std::move(container));
    add("xgroup", "xgroup|create", -5, 2, false, xgroup);
    add("xgroup", "xgroup|createconsumer", 5, 2, false, xgroup);
    engine.update_clock();
  }

  AofLoader::Status load(const std::string& text, uint64_t* valid = nullptr, std::string* error = nullptr) {
    char name[] = "/tmp/kvasir-aof-XXXXXX";
    const int fd = mkstemp(name);
    unlink(name);
    CHECK_EQ(write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    lseek(fd, 0, SEEK_SET);
    engine.core.loading = engine.core.keyspace.loading = true;
    AofLoader loader(&engine, fd, 0);
    AofLoader::Status status;
    do {
      status = loader.run(100);
    } while (status == AofLoader::Status::kMore);
    if (valid != nullptr) *valid = loader.valid_up_to();
    if (error != nullptr) *error = loader.error();
    engine.core.loading = engine.core.keyspace.loading = false;
    return status;
  }

  // All data as commands.
  std::string base() {
    std::string text;
    AofCommands out(&text);
    Keyspace& ks = engine.core.keyspace;
    for (int i = 0; i < ks.databases(); i++) {
      Database& db = ks.db(i);
      aof_write_select(out, i);
      for (int s = db.next_slot(KeyIndex::kAll, 0); s >= 0; s = db.next_slot(KeyIndex::kAll, s + 1)) {
        EntryDict::Iterator it(db.slot(s)->keys);
        while (const Entry* e = it.next()) aof_write_entry(out, *e);
      }
    }
    return text;
  }

  bool has(const std::string& key) {
    Keyspace& ks = engine.core.keyspace;
    return static_cast<bool>(ks.db(0).find(ks.ref(key)));
  }
  Sha1::Digest digest() { return digest_dataset(engine.core.keyspace); }

 private:
  NoHooks hooks_;

 public:
  Engine engine;
};

std::string command(std::initializer_list<std::string> words) {
  std::string s = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& w : words) s += "$" + std::to_string(w.size()) + "\r\n" + w + "\r\n";
  return s;
}
std::string words(const std::string& line) {
  std::string s;
  size_t n = 0;
  for (size_t at = 0; at < line.size();) {
    const size_t end = std::min(line.find(' ', at), line.size());
    s += "$" + std::to_string(end - at) + "\r\n" + line.substr(at, end - at) + "\r\n";
    n++;
    at = end + 1;
  }
  return "*" + std::to_string(n) + "\r\n" + s;
}

std::string everything() {
  std::string s =
      words("SET string value") + words("SET number 12345") + words("SET long " + std::string(5000, 'x'));
  s += words("PEXPIREAT string 9999999999999") + words("PEXPIREAT number 1000");
  s +=
      words("RPUSH list a b 3 " + std::string(200, 'y')) + words("SADD ints 1 2 3") + words("SADD set a b 3");
  s += words("ZADD zset 1 a 2.5 b -inf c 1e300 d") + words("HMSET hash f v g 1");
  s += words("HSETEX fields PXAT 9999999999999 FIELDS 1 f v") + words("HMSET fields g w h 2");
  for (int i = 0; i < 300; i++) {
    const std::string n = std::to_string(i);
    s += words("RPUSH biglist element" + n) + words("SADD bigset member" + n) +
         words("ZADD bigzset " + n + ".5 m" + n);
    s += words("HMSET bighash f" + n + " v" + n);
  }
  s += words("SELECT 2") + words("XADD stream 1-1 f v g w") + words("XADD stream 5-0 x 1");
  s += words("XSETID stream 9-9 ENTRIESADDED 7 MAXDELETEDID 4-0");
  s += words("XGROUP CREATE stream readers 1-1 ENTRIESREAD 1") +
       words("XGROUP CREATECONSUMER stream readers idle");
  s += words("XCLAIM stream readers alice 0 1-1 TIME 1700000000000 RETRYCOUNT 3 JUSTID FORCE");
  s += words("XADD empty MAXLEN 0 0-1 x y") + words("XSETID empty 3-3 ENTRIESADDED 2 MAXDELETEDID 2-0");
  return s;
}

}  // namespace

TEST(a_base_of_commands_makes_the_same_data_set) {
  Server first, second;
  CHECK(first.load(everything()) == AofLoader::Status::kDone);
  const std::string base = first.base();
  CHECK(second.load(base) == AofLoader::Status::kDone);
  CHECK(first.digest() == second.digest());
  CHECK_EQ(first.engine.core.keyspace.db(0).size(), 13U);
  CHECK_EQ(second.engine.core.keyspace.db(0).size(), 13U);
  CHECK_EQ(second.engine.core.keyspace.db(2).size(), 2U);
  // A command of a base has 64 elements at most.
  CHECK(base.find("*66\r\n$5\r\nRPUSH\r\n") != std::string::npos);
  CHECK(base.find("*130\r\n$4\r\nZADD\r\n") != std::string::npos);
  // Groups as well.
  CHECK(base.find(words("XGROUP CREATECONSUMER stream readers idle")) != std::string::npos);
  CHECK(base.find(words("XCLAIM stream readers alice 0 1-1 TIME 1700000000000 RETRYCOUNT 3 JUSTID FORCE")) !=
        std::string::npos);
}

TEST(a_transaction_runs_whole_or_not_at_all) {
  Server s;
  uint64_t valid = 0;
  const std::string whole =
      words("SET a 1") + words("MULTI") + words("SET b 1") + words("INCR b") + words("EXEC");
  CHECK(s.load(whole, &valid) == AofLoader::Status::kDone);
  CHECK(s.has("b"));
  CHECK_EQ(valid, whole.size());
  const std::string half = words("SET c 1") + words("MULTI") + words("SET d 1");
  for (const std::string& text : {half, half + words("EXEC").substr(0, 8)}) {
    Server other;
    CHECK(other.load(text, &valid) == AofLoader::Status::kTorn);
    CHECK_EQ(valid, words("SET c 1").size());
    CHECK(other.has("c"));
    CHECK(!other.has("d"));
  }
}

TEST(what_cannot_be_run_ends_the_load) {
  std::string error;
  uint64_t valid = 0;
  Server s;
  const std::string begin = words("SET a 1");
  CHECK(s.load(begin + words("BLA x"), &valid, &error) == AofLoader::Status::kBadCommand);
  CHECK_EQ(error, "unknown command 'BLA', with args beginning with: 'x' ");
  CHECK_EQ(valid, begin.size());
  CHECK(s.load(words("XGROUP nope"), nullptr, &error) == AofLoader::Status::kBadCommand);
  CHECK_EQ(error, "unknown subcommand 'nope'. Try XGROUP HELP.");
  CHECK(s.load(words("SET a"), nullptr, &error) == AofLoader::Status::kBadCommand);
  CHECK_EQ(error, "wrong number of arguments for 'set' command");
  CHECK(s.load(begin + "!!!", &valid) == AofLoader::Status::kBadFormat);
  CHECK_EQ(valid, begin.size());
}

TEST(nobody_waits_and_nothing_is_propagated) {
  Server s;
  PropagationStream::Reader reader(&s.engine.stream);
  // A command that would block answers as if its time was over; a subscriber is nobody.
  CHECK(s.load(words("BLPOP nothing 0") + words("SUBSCRIBE c") + words("SET a 1") + words("QUIT")) ==
        AofLoader::Status::kDone);
  CHECK(s.has("a"));
  CHECK_EQ(reader.pending(), 0U);
  CHECK_EQ(s.engine.core.pubsub.topics(TopicKind::kChannel), 0U);
}

TEST(large_arguments_and_binary_ones) {
  Server s;
  const std::string big(2000000, '\0');
  CHECK(s.load(command({"SET", "big", big}) + command({"SET", std::string("\r\n*1", 4), "x"})) ==
        AofLoader::Status::kDone);
  CHECK(s.has("big"));
  CHECK(s.has("\r\n*1"));
}

TEST_MAIN()
