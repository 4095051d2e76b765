#include "commands/command_keys.h"

namespace kvasir {

namespace {
// As KEY_SPEC_KEYWORDS of src/commands/registry.ts.
constexpr const char* kKeywords[] = {"KEYS", "STORE", "STOREDIST", "STREAMS"};
}  // namespace

int key_spec_begin(const KeySpecView& spec, std::span<const Slice> argv) {
  if (spec.begin() == KeySpecView::kIndex) return spec.at[2];
  if (spec.begin() != KeySpecView::kKeyword) return 0;
  const Slice keyword(kKeywords[spec.at[2]]);
  const int argc = static_cast<int>(argv.size());
  // A negative start counts from the end and searches backwards.
  const int from = spec.at[3];
  const int step = from > 0 ? 1 : -1;
  for (int i = from > 0 ? from : argc + from; i >= 1 && i < argc; i += step) {
    if (equals_nocase(argv[static_cast<size_t>(i)], keyword)) return i + 1;
  }
  return 0;
}

}  // namespace kvasir
