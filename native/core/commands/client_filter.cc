#include "commands/client_filter.h"

#include <climits>
#include <cstring>

#include "base/numbers.h"
#include "commands/auth.h"
#include "commands/client_info.h"

namespace kvasir {

namespace {

constexpr const char* kFlagLetters = "OSMPxbtRBdcuAUreTIiEN";
constexpr const char* kCapabilityLetters = "r";

bool only_of(Slice s, const char* letters) {
  for (const char c : s) {
    if (c == 0 || strchr(letters, c) == nullptr) return false;
  }
  return true;
}

std::optional<ClientClass> class_by_name(Slice name) {
  if (equals_nocase(name, "normal")) return ClientClass::kNormal;
  if (equals_nocase(name, "slave") || equals_nocase(name, "replica")) return ClientClass::kReplica;
  if (equals_nocase(name, "pubsub")) return ClientClass::kPubsub;
  if (equals_nocase(name, "master") || equals_nocase(name, "primary")) return ClientClass::kPrimary;
  return std::nullopt;
}

// Every letter asked for is among those the client has.
bool has_all(const std::string& have, Slice asked) {
  for (const char c : asked) {
    if (have.find(c) == std::string::npos) return false;
  }
  return true;
}

// "ip:port" or "[ip6]:port" of that ip; a Unix socket's "path:0" is no match.
bool ip_matches(const Client& c, Slice ip) {
  const std::string address = c.peer_address();
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || address[colon + 1] == '0') return false;
  std::string_view host(address.data(), colon);
  if (!host.empty() && host.front() == '[') host = host.substr(1, host.size() - 2);
  return host == ip.view();
}

}  // namespace

bool ClientFilter::parse(Call& call, int first) {
  for (int i = first; i < call.argc();) {
    const Slice word = call.arg(i);
    const bool more = i + 1 < call.argc();
    if (equals_nocase(word, "skipme") && more) {
      const bool yes = equals_nocase(call.arg(i + 1), "yes");
      if (!yes && !equals_nocase(call.arg(i + 1), "no")) return call.syntax_error(), false;
      skip_me_ = yes;
      i += 2;
    } else if ((equals_nocase(word, "maxage") || equals_nocase(word, "idle")) && more) {
      const bool age = equals_nocase(word, "maxage");
      const char* name = age ? "maxage" : "idle";
      int64_t seconds = 0;
      if (!parse_i64(call.arg(i + 1), &seconds)) {
        call.reply().errorf("ERR %s is not an integer or out of range", name);
        return false;
      }
      if (seconds <= 0) {
        call.reply().errorf("ERR %s should be greater than 0", name);
        return false;
      }
      (age ? max_age_s_ : idle_s_) = seconds;
      i += 2;
    } else {
      const bool negative = word.size > 4 && equals_nocase({word.data, 4}, "not-");
      const Slice term = negative ? Slice(word.data + 4, word.size - 4) : word;
      if (!parse_term(call, term, negative, &i)) return false;
    }
  }
  return true;
}

bool ClientFilter::parse_term(Call& call, Slice word, bool negative, int* at) {
  Terms& t = negative ? not_ : is_;
  Reply& reply = call.reply();
  if (equals_nocase(word, "id")) {
    // As many numbers as follow; perhaps none.
    if (!t.ids) t.ids.emplace();
    int64_t id = 0;
    for (++*at; *at < call.argc() && parse_i64(call.arg(*at), &id); ++*at) {
      if (id < 1) {
        reply.error("ERR client-id should be greater than 0");
        return false;
      }
      t.ids->insert(static_cast<uint64_t>(id));
    }
    return true;
  }
  if (*at + 1 >= call.argc()) return call.syntax_error(), false;
  const Slice value = call.arg(*at + 1);
  *at += 2;
  const auto text = [&value](std::optional<Slice>* to) {
    *to = value;
    return true;
  };
  if (equals_nocase(word, "addr")) return text(&t.addr);
  if (equals_nocase(word, "laddr")) return text(&t.laddr);
  if (equals_nocase(word, "name")) return text(&t.name);
  if (equals_nocase(word, "lib-name")) return text(&t.lib_name);
  if (equals_nocase(word, "lib-ver")) return text(&t.lib_ver);
  if (equals_nocase(word, "ip")) return text(&t.ip);
  if (equals_nocase(word, "type")) {
    t.type = class_by_name(value);
    if (!t.type) reply.errorf("ERR Unknown client type '%s'", value.str().c_str());
    return t.type.has_value();
  }
  if (equals_nocase(word, "user")) {
    t.user = find_user(call.core, value);
    if (t.user == nullptr) reply.errorf("ERR No such user '%s'", value.str().c_str());
    return t.user != nullptr;
  }
  if (equals_nocase(word, "flags")) {
    if (only_of(value, kFlagLetters)) return text(&t.flags);
    reply.errorf("ERR Unknown flags found in the %s filter: %s", negative ? "NOT-FLAGS" : "provided",
                 value.str().c_str());
    return false;
  }
  if (equals_nocase(word, "capa")) {
    if (only_of(value, kCapabilityLetters)) return text(&t.capa);
    reply.errorf("ERR Unknown capa found in the %s filter: %s", negative ? "NOT-CAPA" : "provided",
                 value.str().c_str());
    return false;
  }
  if (equals_nocase(word, "db")) {
    const char* name = negative ? "NOT-DB" : "DB";
    int64_t db = 0;
    if (!parse_i64(value, &db) || db < INT_MIN || db > INT_MAX) {
      reply.errorf("ERR %s is not an integer or out of range", name);
      return false;
    }
    if (db < 0 || db >= call.ks().databases()) {
      reply.errorf("ERR %s number should be between 0 and %d", name, call.ks().databases() - 1);
      return false;
    }
    t.db = static_cast<int>(db);
    return true;
  }
  return call.syntax_error(), false;
}

bool ClientFilter::any(const Terms& t, const Client& c, bool value) {
  // What a client has not set equals nothing, not even the empty string.
  const auto equals = [](const std::string& have, Slice asked) {
    return !have.empty() && Slice(have) == asked;
  };
  return (t.ids && t.ids->contains(c.id) == value) || (t.type && (c.client_class() == *t.type) == value) ||
         (t.user != nullptr && (c.user == t.user) == value) || (t.db != -1 && (c.db == t.db) == value) ||
         (t.name && equals(c.name, *t.name) == value) ||
         (t.lib_name && equals(c.lib_name, *t.lib_name) == value) ||
         (t.lib_ver && equals(c.lib_ver, *t.lib_ver) == value) ||
         (t.flags && has_all(client_flags(c), *t.flags) == value) ||
         (t.capa && (t.capa->empty() || c.flags.capa_redirect) == value) ||
         (t.addr && (Slice(c.peer_address()) == *t.addr) == value) ||
         (t.laddr && (Slice(c.local_address()) == *t.laddr) == value) ||
         (t.ip && ip_matches(c, *t.ip) == value);
}

bool ClientFilter::matches(const Core& core, const Client& c, const Client& me) const {
  if (skip_me_ && &c == &me) return false;
  if (max_age_s_ != 0 && core.wall_s - c.created_ms / 1000 < max_age_s_) return false;
  if (idle_s_ != 0 && core.wall_s - c.last_interaction_s < idle_s_) return false;
  return !any(is_, c, false) && !any(not_, c, true);
}

}  // namespace kvasir
