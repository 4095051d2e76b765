// What commands leave for the propagation stream when they go through the engine, with and without a reader.
#include <deque>
#include <initializer_list>
#include <string>

#include "check.h"
#include "engine/engine.h"
#include "no_hooks.h"

using namespace kvasir;

namespace {

// An engine with one client and the few commands that are wanted here.
class Bench {
 public:
  Bench() : engine_(1, false, &hooks_), client_(1, &replies_) {
    client_.flags.authenticated = true;
    client_.user = &engine_.core.default_user;
    engine_.core.clients.emplace(client_.id, &client_);
    HandlerMap handlers = all_handlers();
    const auto add = [&](const char* name, int arity, uint64_t flags, int first_key, bool ends) {
      auto c = std::make_unique<Command>();
      c->name = c->fullname = name;
      c->handler = handlers.at(name);
      c->arity = arity;
      c->flags = flags;
      c->first_key = c->last_key = first_key;
      c->key_step = first_key;
      c->ends_transaction = ends;
      engine_.core.table.add(std::move(c));
    };
    add("set", -3, kCmdWrite, 1, false);
    add("get", 2, kCmdReadonly, 1, false);
    add("multi", 1, 0, 0, true);
    add("exec", 1, 0, 0, true);
    engine_.update_clock();
  }
  ~Bench() {
    engine_.forget(client_);
    engine_.core.clients.erase(client_.id);
  }
  PropagationStream& stream() { return engine_.stream; }
  void run(std::initializer_list<const char*> words) {
    std::vector<Slice> argv(words.begin(), words.end());
    Pending p;
    p.request.argv = argv.data();
    p.request.argc = static_cast<uint32_t>(argv.size());
    engine_.prepare(&p, nullptr, 0);
    CHECK(engine_.execute(client_, p) == Executed::kDone);
    client_.out.clear();
  }

 private:
  NoHooks hooks_;
  Engine engine_;
  ReplyArena replies_;
  Client client_;
};

// The commands that arrived, "SET k v;SET l v;".
std::string read_all(PropagationStream::Reader& reader) {
  std::string wire;
  iovec iov[4];
  for (int n; (n = reader.peek(iov, 4)) > 0;) {
    size_t took = 0;
    for (int i = 0; i < n; i++) {
      wire.append(static_cast<char*>(iov[i].iov_base), iov[i].iov_len);
      took += iov[i].iov_len;
    }
    reader.consume(took);
  }
  std::string out;
  for (size_t at = 0; at < wire.size();) {
    int argc = std::stoi(wire.substr(at + 1));
    at = wire.find('\n', at) + 1;
    for (; argc > 0; argc--) {
      const size_t size = std::stoul(wire.substr(at + 1));
      at = wire.find('\n', at) + 1;
      out += wire.substr(at, size) + (argc > 1 ? " " : ";");
      at += size + 2;
    }
  }
  return out;
}

}  // namespace

TEST(a_transaction_is_propagated_as_its_commands) {
  Bench b;
  PropagationStream::Reader reader(&b.stream());
  b.run({"MULTI"});
  b.run({"SET", "a", "1"});
  b.run({"GET", "a"});
  b.run({"SET", "b", "2"});
  b.run({"EXEC"});
  b.run({"SET", "c", "3"});
  CHECK_EQ(read_all(reader), "MULTI;SELECT 0;SET a 1;SET b 2;EXEC;SET c 3;");
}

// EXEC says that it is not to be propagated itself; without a reader nobody takes that back.
TEST(what_was_left_while_nobody_read_does_not_swallow_a_command) {
  Bench b;
  b.run({"MULTI"});
  b.run({"SET", "a", "1"});
  b.run({"EXEC"});
  PropagationStream::Reader reader(&b.stream());
  b.run({"SET", "b", "2"});
  b.run({"SET", "c", "3"});
  CHECK_EQ(read_all(reader), "SELECT 0;SET b 2;SET c 3;");
}

TEST_MAIN()
