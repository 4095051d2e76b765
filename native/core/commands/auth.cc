#include "commands/auth.h"

#include "base/sha256.h"
#include "commands/core.h"

namespace kvasir {

namespace {

// Compares digests, so that the time tells nothing about the password, not even its length.
bool same_secret(Slice a, Slice b) {
  const auto x = Sha256::of(a);
  const auto y = Sha256::of(b);
  unsigned different = 0;
  for (size_t i = 0; i < x.size(); i++) different |= static_cast<unsigned>(x[i] ^ y[i]);
  return different == 0;
}

void set_user(Client& c, User* user, bool authenticated) {
  c.user = user;
  c.flags.authenticated = authenticated;
  if (authenticated) c.flags.ever_authenticated = true;
}

}  // namespace

User* find_user(Core& core, Slice name) {
  return name == Slice(core.default_user.name) ? &core.default_user : nullptr;
}

bool authenticate(Core& core, Client& c, Slice name, Slice password) {
  User* user = find_user(core, name);
  if (user == nullptr || !(user->nopass || same_secret(password, core.requirepass))) {
    core.counters.acl_auth_denied++;
    return false;
  }
  set_user(c, user, true);
  return true;
}

void set_default_user(Core& core, Client& c) { set_user(c, &core.default_user, core.default_user.nopass); }

}  // namespace kvasir
