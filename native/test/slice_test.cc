#include "base/slice.h"

#include <string>

#include "check.h"

using namespace kvasir;

// Every pair of bytes at every place of strings of every length that is compared in another way.
TEST(case_is_ignored_of_ascii_letters_only) {
  for (size_t size = 1; size <= 19; size++) {
    for (size_t at = 0; at < size; at++) {
      std::string a(size, 'x'), b(size, 'X');
      for (int i = 0; i < 256; i++) {
        for (int j = 0; j < 256; j++) {
          a[at] = static_cast<char>(i);
          b[at] = static_cast<char>(j);
          const bool same = ascii_lower(a[at]) == ascii_lower(b[at]);
          if (equals_nocase(a, b) != same) {
            CHECK_EQ(std::to_string(size) + " bytes, at " + std::to_string(at) + ": " + std::to_string(i) +
                         " and " + std::to_string(j),
                     same ? "equal" : "different");
            return;
          }
        }
      }
    }
  }
  CHECK(equals_nocase("", ""));
  CHECK(!equals_nocase("a", ""));
}

TEST_MAIN()
