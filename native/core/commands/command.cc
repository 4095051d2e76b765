#include "commands/command.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace kvasir {

namespace {
constexpr std::array<std::string_view, 6> kNotQueued = {"exec", "discard", "multi", "watch", "quit", "reset"};
// What a subscriber with RESP2 may send.
constexpr std::array<std::string_view, 9> kSubscriber = {"subscribe",    "unsubscribe", "psubscribe",
                                                         "punsubscribe", "ssubscribe",  "sunsubscribe",
                                                         "ping",         "quit",        "reset"};
}  // namespace

CommandTable::CommandTable() : index_(1024, nullptr), mask_(1023) {}

void CommandTable::insert(Command* c) {
  size_t i = name_hash({c->name.data(), c->name.size()}) & mask_;
  while (index_[i] != nullptr) i = (i + 1) & mask_;
  index_[i] = c;
}

Command* CommandTable::add(std::unique_ptr<Command> c) {
  Command* p = c.get();
  p->ends_transaction = std::find(kNotQueued.begin(), kNotQueued.end(), p->fullname) != kNotQueued.end();
  p->subscriber_may = std::find(kSubscriber.begin(), kSubscriber.end(), p->fullname) != kSubscriber.end();
  all_.push_back(std::move(c));
  if (p->parent != nullptr) {
    p->parent->is_container = true;
    p->parent->subcommands.emplace(p->name, p);
  } else {
    insert(p);
  }
  return p;
}

Command* CommandTable::find_sub(const Command* container, Slice name) {
  // The name of a subcommand is a C string in Valkey: it ends at a NUL. That of a command is not.
  const void* nul = name.size == 0 ? nullptr : memchr(name.data, 0, name.size);
  if (nul != nullptr) name.size = static_cast<size_t>(static_cast<const char*>(nul) - name.data);
  std::string lower(name.data, name.size);
  for (char& ch : lower) ch = ascii_lower(ch);
  const auto it = container->subcommands.find(lower);
  return it == container->subcommands.end() ? nullptr : it->second;
}

bool CommandTable::rename(Slice name, Slice new_name) {
  Command* c = find(name);
  if (c == nullptr || (!new_name.empty() && find(new_name) != nullptr)) return false;
  std::vector<Command*> keep;
  for (Command*& slot : index_) {
    if (slot != nullptr && slot != c) keep.push_back(slot);
    slot = nullptr;
  }
  if (!new_name.empty()) {
    c->name = new_name.str();
    for (char& ch : c->name) ch = ascii_lower(ch);
    keep.push_back(c);
  }
  for (Command* k : keep) insert(k);
  return true;
}

}  // namespace kvasir
