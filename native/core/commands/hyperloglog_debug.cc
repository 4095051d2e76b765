// PFDEBUG and PFSELFTEST: HyperLogLogs from inside.
#include <cinttypes>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "commands/hyperloglog.h"

namespace kvasir {

namespace {

// PFDEBUG SIMD ON|OFF, which Valkey has for its own kernels.
void switch_kernels(Call& call) {
  const Slice portable = simd::available().front()->name;
  const auto is_portable = [&] { return Slice(simd::kernels().name) == portable; };
  if (equals_nocase(call.arg(2), "ON")) {
    if (is_portable()) simd::select("auto");
  } else if (equals_nocase(call.arg(2), "OFF")) {
    simd::select(portable);
  } else {
    return call.reply().error("ERR Argument must be ON or OFF");
  }
  call.reply().status(is_portable() ? "disabled" : "enabled");
}

// The encoding changes the key, without notice to watchers: the command is propagated so that replicas
// follow.
bool make_dense(const Call& call, HllValue& value) {
  if (!hll::to_dense(value)) {
    corrupt_hll(call);
    return false;
  }
  call.ks().dirty++;
  return true;
}

void reply_runs(const Call& call, Slice s) {
  std::string text;
  hll::for_each_run(s, [&](uint8_t value, size_t length, bool two_bytes) {
    char run[32];
    const int n = value != 0 ? snprintf(run, sizeof run, "v:%d,%zu ", value, length)
                             : snprintf(run, sizeof run, "%c:%zu ", two_bytes ? 'Z' : 'z', length);
    text.append(run, static_cast<size_t>(n));
    return true;
  });
  if (!text.empty()) text.pop_back();
  call.reply().bulk(text);
}

void pfdebug_command(Call& call) {
  const Slice name = call.arg(1);
  if (equals_nocase(name, "SIMD")) return switch_kernels(call);

  const KeyRef k = call.key(2);
  const EntrySlot slot = call.ks().find_write(call.db(), k);
  if (!slot) return call.reply().error("ERR The specified key does not exist");
  if (!check_hll(call, slot.get())) return;
  HllValue value(call, k, slot);
  const bool sparse = hll::encoding_of(value.slice()) == hll::Encoding::kSparse;
  if (equals_nocase(name, "GETREG")) {
    if (sparse && !make_dense(call, value)) return;
    call.reply().array(hll::kRegisters);
    for (size_t i = 0; i < hll::kRegisters; i++) {
      call.reply().integer(hll::dense_register(value.data + hll::kHeaderSize, i));
    }
  } else if (equals_nocase(name, "DECODE")) {
    if (!sparse) return call.reply().error("ERR HLL encoding is not sparse");
    reply_runs(call, value.slice());
  } else if (equals_nocase(name, "ENCODING")) {
    call.reply().status(sparse ? "sparse" : "dense");
  } else if (equals_nocase(name, "TODENSE")) {
    if (sparse && !make_dense(call, value)) return;
    call.reply().integer(sparse ? 1 : 0);
  } else {
    call.reply().errorf("ERR Unknown PFDEBUG subcommand '%s'", name.str().c_str());
  }
}

// A HyperLogLog that is no key's value.
class LooseHll : public hll::String {
 public:
  explicit LooseHll(size_t n) { LooseHll::resize(n); }
  void resize(size_t n) override {
    bytes_.resize(n);
    data = bytes_.data();
    size = n;
  }

 private:
  std::vector<uint8_t> bytes_;
};

// Random registers come out as they went in.
bool test_registers(const Call& call) {
  std::vector<uint8_t> dense(simd::kHllDenseBytes);
  std::vector<uint8_t> expected(hll::kRegisters);
  for (int round = 0; round < 1000; round++) {
    for (size_t i = 0; i < hll::kRegisters; i++) {
      expected[i] = static_cast<uint8_t>(call.core.rng.below(64));
      hll::set_dense_register(dense.data(), i, expected[i]);
    }
    for (size_t i = 0; i < hll::kRegisters; i++) {
      const int found = hll::dense_register(dense.data(), i);
      if (found == expected[i]) continue;
      call.reply().errorf("ERR TESTFAILED Register %zu should be %d but is %d", i, expected[i], found);
      return false;
    }
  }
  return true;
}

// Distinct elements are estimated alike by both encodings, and within a few standard errors.
bool test_estimates(const Call& call) {
  LooseHll dense(hll::kEmptySize);
  LooseHll sparse(hll::kEmptySize);
  hll::write_empty(dense.data);
  hll::write_empty(sparse.data);
  hll::to_dense(dense);
  const double error = 1.04 / std::sqrt(static_cast<double>(hll::kRegisters));
  const uint64_t seed = call.core.rng.next();
  uint64_t checkpoint = 1;
  for (uint64_t i = 1; i <= 10000000; i++) {
    const uint64_t element = i ^ seed;
    const Slice bytes(reinterpret_cast<const char*>(&element), sizeof element);
    hll::add(dense, bytes, sparse_limit(call));
    hll::add(sparse, bytes, sparse_limit(call));
    if (i != checkpoint) continue;
    checkpoint *= 10;
    if (i < sparse_limit(call) / 2 && hll::encoding_of(sparse.slice()) != hll::Encoding::kSparse) {
      call.reply().error("ERR TESTFAILED sparse encoding not used");
      return false;
    }
    uint64_t estimate = 0, other = 0;
    hll::cardinality(dense.slice(), &estimate);
    hll::cardinality(sparse.slice(), &other);
    if (estimate != other) {
      call.reply().error("ERR TESTFAILED dense/sparse disagree");
      return false;
    }
    // Ten elements collide from time to time, which is a larger part of them than of others.
    const auto most =
        i == 10 ? int64_t{1} : static_cast<int64_t>(std::ceil(error * 6 * static_cast<double>(i)));
    const int64_t off = std::abs(static_cast<int64_t>(i) - static_cast<int64_t>(estimate));
    if (off <= most) continue;
    call.reply().errorf("ERR TESTFAILED Too big error. card:%" PRIu64 " abserr:%" PRId64, i, off);
    return false;
  }
  return true;
}

void pfselftest_command(Call& call) {
  if (test_registers(call) && test_estimates(call)) call.reply().ok();
}

}  // namespace

void register_hll_debug_commands(HandlerMap& map) {
  map["pfdebug"] = pfdebug_command;
  map["pfselftest"] = pfselftest_command;
}

}  // namespace kvasir
