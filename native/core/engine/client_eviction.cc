// maxmemory-clients: disconnects the clients that take most memory.
#include "commands/client_info.h"
#include "engine/engine.h"

namespace kvasir {

bool Engine::follows_client_memory() {
  const bool wanted = core.settings.maxmemory_clients != 0;
  if (wanted == client_memory_followed_) return wanted;
  client_memory_followed_ = wanted;
  for (const auto& [id, c] : core.clients) {
    if (wanted) {
      core.client_memory.update(*c);
    } else {
      core.client_memory.forget(*c);
    }
  }
  return wanted;
}

void Engine::evict_clients() {
  const size_t limit = client_memory_limit(core.settings.maxmemory_clients, core.settings.maxmemory);
  if (limit == 0) return;
  while (core.client_memory.limited_bytes() > limit) {
    Client* c = core.client_memory.largest();
    if (c == nullptr) {
      core.log(LogLevel::kWarning, "Over client maxmemory after evicting all evictable clients");
      return;
    }
    core.log(LogLevel::kNotice, "Evicting client: %s",
             client_info(core, *c, core.settings.hide_user_data_from_log).c_str());
    core.counters.evicted_clients++;
    core.hooks->close(*c);
  }
}

}  // namespace kvasir
