#include "types/type.h"

namespace kvasir {

const char* type_name(Type t) {
  switch (t) {
    case Type::kString:
      return "string";
    case Type::kList:
      return "list";
    case Type::kSet:
      return "set";
    case Type::kZset:
      return "zset";
    case Type::kHash:
      return "hash";
    case Type::kStream:
      return "stream";
  }
  return "unknown";
}

const char* encoding_name(Encoding e) {
  switch (e) {
    case Encoding::kRaw:
      return "raw";
    case Encoding::kInt:
      return "int";
    case Encoding::kHashtable:
      return "hashtable";
    case Encoding::kListpack:
      return "listpack";
    case Encoding::kIntset:
      return "intset";
    case Encoding::kSkiplist:
      return "skiplist";
    case Encoding::kEmbstr:
      return "embstr";
    case Encoding::kQuicklist:
      return "quicklist";
    case Encoding::kStream:
      return "stream";
  }
  return "unknown";
}

void digest_xor(Sha1::Digest* digest, Slice bytes) {
  const Sha1::Digest d = Sha1::of(bytes);
  for (size_t i = 0; i < d.size(); i++) (*digest)[i] ^= d[i];
}

void digest_mix(Sha1::Digest* digest, Slice bytes) {
  digest_xor(digest, bytes);
  *digest = Sha1::of({reinterpret_cast<const char*>(digest->data()), digest->size()});
}

}  // namespace kvasir
