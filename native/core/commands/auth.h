// Who a client is: the one place where a name and a password become a user.
#pragma once

#include "base/slice.h"

namespace kvasir {

class Core;
struct Client;
struct User;

// The user of that name, or nullptr.
User* find_user(Core& core, Slice name);

// Makes the client that user if the password is right; else counts the failure and leaves the client as it
// was.
bool authenticate(Core& core, Client& c, Slice user, Slice password);

// The state of a client that has just connected: the default user, authenticated when that needs no password.
void set_default_user(Core& core, Client& c);

}  // namespace kvasir
