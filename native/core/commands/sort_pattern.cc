#include "commands/sort_pattern.h"

#include <algorithm>

#include "base/numbers.h"
#include "types/hash.h"

namespace kvasir {

SortPattern::SortPattern(Slice text) {
  const char* const nul = std::find(text.begin(), text.end(), '\0');
  const Slice visible(text.data, static_cast<size_t>(nul - text.data));
  element_ = visible == Slice("#");
  const char* const star = std::find(visible.begin(), visible.end(), '*');
  if (star == visible.end()) return;
  refers_ = true;
  before_ = {text.data, static_cast<size_t>(star - text.data)};
  const char* key_end = text.end();
  constexpr char kArrow[] = {'-', '>'};
  const char* const arrow = std::search(star + 1, visible.end(), std::begin(kArrow), std::end(kArrow));
  if (arrow != visible.end() && arrow + 2 != visible.end()) {
    key_end = arrow;
    field_ = Slice(arrow + 2, static_cast<size_t>(text.end() - arrow - 2));
  }
  after_ = {star + 1, static_cast<size_t>(key_end - star - 1)};
}

void SortPattern::key_of(Slice element, std::string* key) const {
  key->assign(before_.data, before_.size);
  key->append(element.data, element.size);
  key->append(after_.data, after_.size);
}

void SortLookup::prepare(size_t i, const Wanted& wanted) {
  Lookup& l = batch_[i];
  l.wanted = wanted;
  if (wanted.pattern->element() || !wanted.pattern->refers()) return;
  wanted.pattern->key_of(wanted.element, &l.key);
  const KeyRef k = call_.ks().ref(l.key);
  l.hash = k.hash;
  l.slot = k.slot;
  call_.db().prefetch_bucket(k);
}

void SortLookup::prefetch(size_t i) const {
  const Lookup& l = batch_[i];
  if (l.wanted.pattern->refers()) call_.db().prefetch_entry(KeyRef({}, l.hash, l.slot));
}

SortValue SortLookup::value(size_t i) {
  const Lookup& l = batch_[i];
  if (l.wanted.pattern->element()) return {true, l.wanted.element, nullptr};
  if (!l.wanted.pattern->refers()) return {};
  const Entry* e = call_.ks().lookup_read(call_.db(), KeyRef(l.key, l.hash, l.slot));
  if (e == nullptr) return {};
  if (l.wanted.pattern->has_field()) {
    HashValue v;
    if (e->type() != Type::kHash ||
        !hash_get(e->collection(), l.wanted.pattern->field(), call_.ks().field_clock(), &v)) {
      return {};
    }
    return {true, v.str(digits_), v.buffer};
  }
  if (e->type() != Type::kString) return {};
  return {true, e->string_value(digits_), e->has_buffer() ? e->buffer() : nullptr};
}

}  // namespace kvasir
