// LCS: the longest common subsequence of two strings.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "base/numbers.h"
#include "commands/core.h"

namespace kvasir {

namespace {

// The table of the textbook algorithm has the length of the LCS of every pair of prefixes. Two rows of it are
// enough for the length; for the way back one bit a cell is: where the last characters differ, whether
// dropping that of `a` leaves a longer LCS than dropping that of `b`.
class LcsTable {
 public:
  // The length of the LCS; with_path: up() can be asked afterwards. False: no memory.
  bool compute(Slice a, Slice b, bool with_path) {
    if (a.empty() || b.empty()) return true;
    width_ = b.size;
    if (with_path) {
      // Never longer than the limit on 32 bits a cell that the caller has checked.
      bits_.reset(new (std::nothrow) uint64_t[(a.size * b.size + 63) / 64]());
      if (!bits_) return false;
    }
    // row[j]: of the prefixes of i and j characters; of i - 1 characters for those j not reached yet.
    std::vector<uint32_t> row(b.size + 1, 0);
    for (size_t i = 1; i <= a.size; i++) {
      const char c = a[i - 1];
      uint32_t diagonal = 0;
      for (size_t j = 1; j <= b.size; j++) {
        const uint32_t above = row[j];
        const uint32_t left = row[j - 1];
        if (c == b[j - 1]) {
          row[j] = diagonal + 1;
        } else {
          row[j] = std::max(above, left);
          if (with_path && above > left) set_up(i, j);
        }
        diagonal = above;
      }
    }
    length_ = row[b.size];
    return true;
  }
  [[nodiscard]] uint32_t length() const { return length_; }
  [[nodiscard]] bool up(size_t i, size_t j) const {
    const size_t cell = (i - 1) * width_ + (j - 1);
    return (bits_[cell / 64] >> (cell % 64) & 1) != 0;
  }

 private:
  void set_up(size_t i, size_t j) {
    const size_t cell = (i - 1) * width_ + (j - 1);
    bits_[cell / 64] |= uint64_t{1} << (cell % 64);
  }
  std::unique_ptr<uint64_t[]> bits_;
  size_t width_ = 0;
  uint32_t length_ = 0;
};

struct LcsOptions {
  bool length_only = false;
  bool ranges = false;
  bool with_match_length = false;
  int64_t min_match_length = 0;
};

bool parse_options(const Call& call, LcsOptions* o) {
  for (int i = 3; i < call.argc(); i++) {
    const Slice word = call.arg(i);
    if (equals_nocase(word, "IDX")) {
      o->ranges = true;
    } else if (equals_nocase(word, "LEN")) {
      o->length_only = true;
    } else if (equals_nocase(word, "WITHMATCHLEN")) {
      o->with_match_length = true;
    } else if (equals_nocase(word, "MINMATCHLEN") && i + 1 < call.argc()) {
      if (!parse_i64(call.arg(++i), &o->min_match_length)) {
        call.not_an_integer();
        return false;
      }
    } else {
      call.syntax_error();
      return false;
    }
  }
  if (o->length_only && o->ranges) {
    call.reply().error("ERR If you want both the length and indexes, please just use IDX.");
    return false;
  }
  return true;
}

// Walks from the ends of both strings to their starts; calls on_match(i, j) for every pair of characters
// (counted from 0) of the LCS, last to first.
template <class F>
void walk_back(const LcsTable& table, Slice a, Slice b, F&& on_match) {
  size_t i = a.size;
  size_t j = b.size;
  while (i > 0 && j > 0) {
    if (a[i - 1] == b[j - 1]) {
      i--;
      j--;
      on_match(i, j);
    } else if (table.up(i, j)) {
      i--;
    } else {
      j--;
    }
  }
}

void reply_ranges(const Call& call, const LcsTable& table, Slice a, Slice b, const LcsOptions& o) {
  Reply& reply = call.reply();
  reply.map(2);
  reply.bulk("matches");
  const Output::Mark mark = reply.begin_aggregate();
  int64_t count = 0;
  // The run of adjacent matches being collected: `length` characters from a_start and b_start.
  size_t a_start = 0, b_start = 0, length = 0;
  const auto end_run = [&] {
    if (length != 0 && static_cast<int64_t>(length) >= o.min_match_length) {
      reply.array(o.with_match_length ? 3 : 2);
      for (const size_t start : {a_start, b_start}) {
        reply.array(2);
        reply.integer(static_cast<int64_t>(start));
        reply.integer(static_cast<int64_t>(start + length - 1));
      }
      if (o.with_match_length) reply.integer(static_cast<int64_t>(length));
      count++;
    }
    length = 0;
  };
  walk_back(table, a, b, [&](size_t i, size_t j) {
    if (length != 0 && (a_start != i + 1 || b_start != j + 1)) end_run();
    a_start = i;
    b_start = j;
    length++;
  });
  end_run();
  reply.end_array(mark, count);
  reply.bulk("len");
  reply.integer(table.length());
}

void lcs_command(Call& call) {
  Keyspace& ks = call.ks();
  const Entry* ea = ks.lookup_read(call.db(), call.key(1));
  const Entry* eb = ks.lookup_read(call.db(), call.key(2));
  if ((ea != nullptr && ea->type() != Type::kString) || (eb != nullptr && eb->type() != Type::kString)) {
    call.reply().error("ERR The specified keys must contain string values");
    return;
  }
  LcsOptions o;
  if (!parse_options(call, &o)) return;
  char tmp_a[24], tmp_b[24];
  const Slice a = ea == nullptr ? Slice("", 0) : ea->string_value(tmp_a);
  const Slice b = eb == nullptr ? Slice("", 0) : eb->string_value(tmp_b);
  constexpr size_t kMaxSize = std::numeric_limits<uint32_t>::max() - 1;
  if (a.size >= kMaxSize || b.size >= kMaxSize) {
    call.reply().error("ERR String too long for LCS");
    return;
  }
  // The limit of Valkey, whose table takes 32 bits a cell: it bounds the time as well.
  const uint64_t cells = static_cast<uint64_t>(a.size + 1) * (b.size + 1);
  if (cells > static_cast<uint64_t>(call.core.settings.proto_max_bulk_len) / sizeof(uint32_t)) {
    call.reply().error("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
    return;
  }
  LcsTable table;
  if (!table.compute(a, b, !o.length_only)) {
    call.reply().error("ERR Insufficient memory, failed allocating transient memory for LCS");
    return;
  }
  if (o.ranges) return reply_ranges(call, table, a, b, o);
  if (o.length_only) {
    call.reply().integer(table.length());
    return;
  }
  std::string result(table.length(), '\0');
  size_t at = result.size();
  walk_back(table, a, b, [&](size_t i, size_t) { result[--at] = a[i]; });
  call.reply().bulk(result);
}

}  // namespace

void register_string_lcs_command(HandlerMap& map) { map["lcs"] = lcs_command; }

}  // namespace kvasir
