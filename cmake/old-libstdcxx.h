// Included before everything else in prebuilt binaries, so that they load with the libstdc++ of GCC 8.
//
// GCC 11 and later call std::__throw_bad_array_new_length (GLIBCXX_3.4.29) wherever an array or a vector may be
// too large. An inline definition of our own takes the place of the library's.
#pragma once

namespace std {
[[noreturn]] inline void __throw_bad_array_new_length();
}  // namespace std

#include <new>

namespace std {
[[noreturn]] inline void __throw_bad_array_new_length() {
#if defined(__cpp_exceptions)
  throw bad_array_new_length();
#else
  __builtin_abort();
#endif
}
}  // namespace std
