// Where the keys of a request are, by the key specs of the command table (src/commands/registry.ts,
// encodeKeySpec).
#pragma once

#include <algorithm>
#include <span>

#include "base/numbers.h"
#include "base/slice.h"
#include "commands/command.h"

namespace kvasir {

struct KeySpecView {
  static constexpr size_t kInts = 8;
  enum Begin : int32_t { kBeginUnknown = 0, kIndex = 1, kKeyword = 2 };
  enum Find : int32_t { kFindUnknown = 0, kRange = 1, kKeynum = 2 };
  const int32_t* at;
  [[nodiscard]] int32_t begin() const { return at[1]; }
  [[nodiscard]] int32_t find() const { return at[4]; }
};

// The first argument that the spec's search begins with; 0: the request has none.
int key_spec_begin(const KeySpecView& spec, std::span<const Slice> argv);

// Calls f(index of an argument) for every key that the specs tell; specs that say "unknown" tell nothing.
template <class F>
void each_key(const Command& command, std::span<const Slice> argv, F f) {
  const int argc = static_cast<int>(argv.size());
  for (size_t s = 0; s + KeySpecView::kInts <= command.key_specs.size(); s += KeySpecView::kInts) {
    const KeySpecView spec{command.key_specs.data() + s};
    int first = key_spec_begin(spec, argv);
    if (first <= 0 || first >= argc) continue;
    int last = -1;
    int step = 1;
    if (spec.find() == KeySpecView::kRange) {
      const int32_t relative = spec.at[5];
      const int32_t limit = spec.at[7];
      step = spec.at[6];
      if (relative >= 0) {
        last = first + relative;
      } else {
        last = limit <= 1 ? argc + relative : first + (argc - first) / limit + relative;
      }
    } else if (spec.find() == KeySpecView::kKeynum) {
      const int at = first + spec.at[5];
      int64_t n = 0;
      if (at >= argc || !parse_i64(argv[static_cast<size_t>(at)], &n) || n <= 0 || n > argc) continue;
      first += spec.at[6];
      step = spec.at[7];
      last = first + (static_cast<int>(n) - 1) * step;
    }
    for (int i = first; i <= std::min(last, argc - 1); i += std::max(step, 1)) f(i);
  }
}

}  // namespace kvasir
