// A very small test harness: TEST(name) { CHECK(...); CHECK_EQ(a, b); } and TEST_MAIN() once a program.
// A failed check prints where and with what values, and the program ends with status 1.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

namespace kvasir::test {

struct Case {
  const char* name;
  void (*fn)();
};
inline std::vector<Case>& cases() {
  static std::vector<Case> all;
  return all;
}
inline int& failures() {
  static int n = 0;
  return n;
}
struct Register {
  Register(const char* name, void (*fn)()) { cases().push_back({name, fn}); }
};

inline int run_all(int argc, char** argv) {
  const std::string only = argc > 1 ? argv[1] : "";
  int ran = 0;
  for (const Case& c : cases()) {
    if (!only.empty() && std::string(c.name).find(only) == std::string::npos) continue;
    const int before = failures();
    c.fn();
    ran++;
    if (failures() != before) std::cerr << "FAILED " << c.name << "\n";
  }
  std::cout << ran << " tests, " << failures() << " failed checks\n";
  return failures() == 0 && ran > 0 ? 0 : 1;
}

}  // namespace kvasir::test

#define TEST(name)                                                      \
  static void test_##name();                                            \
  static const ::kvasir::test::Register reg_##name(#name, test_##name); \
  static void test_##name()
#define CHECK(cond)                                                      \
  do {                                                                   \
    if (!(cond)) {                                                       \
      std::cerr << __FILE__ << ":" << __LINE__ << ": " << #cond << "\n"; \
      ::kvasir::test::failures()++;                                      \
    }                                                                    \
  } while (0)
#define CHECK_EQ(a, b)                                                                                     \
  do {                                                                                                     \
    const auto& va = (a);                                                                                  \
    const auto& vb = (b);                                                                                  \
    if (!(va == vb)) {                                                                                     \
      std::cerr << __FILE__ << ":" << __LINE__ << ": " << #a << " == " << #b << ", have " << va << " and " \
                << vb << "\n";                                                                             \
      ::kvasir::test::failures()++;                                                                        \
    }                                                                                                      \
  } while (0)
#define TEST_MAIN() \
  int main(int argc, char** argv) { return ::kvasir::test::run_all(argc, argv); }
