// The order that the language of a locale gives to texts (locale-collate, used by SORT ... ALPHA). The locale
// of the process stays as it is: the program around us may have chosen one.
#pragma once

#include <locale.h>

#include <string>

namespace kvasir {

class Collation {
 public:
  Collation() = default;
  ~Collation();
  Collation(const Collation&) = delete;
  Collation& operator=(const Collation&) = delete;

  // A locale by its name; empty: the one that the environment names (LC_ALL, LC_COLLATE, LANG). False: there
  // is none of that name, and nothing changes.
  bool select(const std::string& name);
  // The order is that of the bytes: C and POSIX, and until a locale has been selected.
  [[nodiscard]] bool by_bytes() const { return locale_ == nullptr; }
  // As strcoll(). Precondition: not by_bytes().
  [[nodiscard]] int compare(const char* a, const char* b) const;

 private:
  locale_t locale_ = nullptr;
};

}  // namespace kvasir
