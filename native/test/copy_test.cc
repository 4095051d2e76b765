#include "base/copy.h"

#include <string>

#include "check.h"

using namespace kvasir;

TEST(copies_every_length_and_nothing_else) {
  std::string from(200, '\0');
  for (size_t i = 0; i < from.size(); i++) from[i] = static_cast<char>('A' + i % 57);
  for (size_t n = 0; n <= 130; n++) {
    // Buffers of the exact size: the sanitizers see a byte too many.
    const std::string source = from.substr(7, n);
    std::string to(n + 2, '.');
    copy_short(to.data() + 1, source.data(), n);
    CHECK_EQ(to, "." + source + ".");
  }
}

TEST_MAIN()
