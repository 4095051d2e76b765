// Glob patterns of KEYS, SCAN, PSUBSCRIBE, CONFIG GET and ACL rules: * ? [abc] [^a-c] and \ to take the next
// character literally.
//
// The corners are Valkey's (util.c, checked against the server), since clients and ACL rules lean on them:
// - an empty string is matched by the empty pattern only, not by "*";
// - an unclosed class ends with the pattern ("[a" matches a, "[^" any one byte); "[]" never matches;
// - in a class "x-y" is a range whatever y is, ']' included; its ends are ordered, as signed bytes, before
// case is
//   folded; an escaped character in a class is compared with its case;
// - a '\' at the end stands for itself;
// - with more than 1000 stars that are not at the end nothing matches.
//
// Only the last star met is ever retried, so a match takes at most |pattern| x |string| steps.
#pragma once

#include "base/slice.h"

namespace kvasir {

bool glob_match(const Slice& pattern, const Slice& string, bool nocase = false);

}  // namespace kvasir
