// The filters of CLIENT LIST and CLIENT KILL: [NOT-]ID, TYPE, ADDR, LADDR, USER, FLAGS, NAME, LIB-NAME,
// LIB-VER, DB, CAPA, IP, and SKIPME, MAXAGE, IDLE. A client matches when it passes every filter that was
// given; a filter given twice keeps its last value, except for the ids, which add up.
#pragma once

#include <optional>
#include <unordered_set>

#include "commands/core.h"

namespace kvasir {

class ClientFilter {
 public:
  // Takes the arguments from `first` on. False: an error was replied.
  bool parse(Call& call, int first);
  // The old form of CLIENT KILL.
  void set_addr(Slice addr) { is_.addr = addr; }
  void set_skip_me(bool skip) { skip_me_ = skip; }

  // Refers to the arguments of the call it was parsed from.
  [[nodiscard]] bool matches(const Core& core, const Client& c, const Client& me) const;

 private:
  // What a client must be, or must not be.
  struct Terms {
    std::optional<std::unordered_set<uint64_t>> ids;
    std::optional<ClientClass> type;
    std::optional<Slice> addr, laddr, flags, name, lib_name, lib_ver, capa, ip;
    const User* user = nullptr;
    int db = -1;
  };
  bool parse_term(Call& call, Slice word, bool negative, int* at);
  // Whether one of the terms that were given holds (value true) or fails to hold (value false).
  static bool any(const Terms& t, const Client& c, bool value);

  Terms is_, not_;
  int64_t max_age_s_ = 0, idle_s_ = 0;  // 0: any
  bool skip_me_ = false;
};

}  // namespace kvasir
