#include "base/collation.h"

#include <cstdlib>
#include <cstring>

namespace kvasir {

namespace {

// The rule of setlocale(3) for LC_COLLATE.
std::string from_environment() {
  for (const char* variable : {"LC_ALL", "LC_COLLATE", "LANG"}) {
    const char* value = getenv(variable);
    if (value != nullptr && *value != '\0') return value;
  }
  return "C";
}

}  // namespace

Collation::~Collation() {
  if (locale_ != nullptr) freelocale(locale_);
}

bool Collation::select(const std::string& name) {
  const std::string wanted = name.empty() ? from_environment() : name;
  locale_t locale = nullptr;
  if (wanted != "C" && wanted != "POSIX") {
    locale = newlocale(LC_COLLATE_MASK, wanted.c_str(), nullptr);
    if (locale == nullptr) return false;
  }
  if (locale_ != nullptr) freelocale(locale_);
  locale_ = locale;
  return true;
}

int Collation::compare(const char* a, const char* b) const { return strcoll_l(a, b, locale_); }

}  // namespace kvasir
