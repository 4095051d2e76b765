// Times every set of kernels that runs here: simd_bench. Nanoseconds, the best of several runs.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "base/rng.h"
#include "simd/kernels.h"
#include "types/hyperloglog.h"

using namespace kvasir;

namespace {

// What the loops compute, so that they are not dropped.
volatile uint64_t sink;

template <class F>
double best_ns(int rounds, F&& f) {
  double best = 1e18;
  for (int run = 0; run < 7; run++) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < rounds; i++) f();
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
    best = std::min(best, took.count() / rounds);
  }
  return best;
}

struct Loose : hll::String {
  std::vector<uint8_t> bytes;
  void resize(size_t n) override {
    bytes.resize(n);
    data = bytes.data();
    size = n;
  }
};

}  // namespace

int main() {
  Rng rng;
  std::vector<uint8_t> bits(1 << 20), out(1 << 20);
  for (uint8_t& b : bits) b = static_cast<uint8_t>(rng.next());
  std::vector<Loose> hlls(10);
  for (Loose& h : hlls) {
    h.resize(hll::kEmptySize);
    hll::write_empty(h.data);
    for (int i = 0; i < 100000; i++) {
      const uint64_t element = rng.next();
      hll::add(h, {reinterpret_cast<const char*>(&element), 8}, 3000);
    }
  }
  std::printf("%-10s %10s %10s %10s %10s %10s %10s\n", "kernels", "count 64K", "count 1M", "and 64K",
              "pfcount 1", "pfcount 10", "pfmerge 10");
  for (const simd::Kernels* k : simd::available()) {
    simd::select(k->name);
    alignas(64) static uint8_t raw[hll::kRegisters];
    std::vector<uint8_t> dense(simd::kHllDenseBytes);
    const auto merge_all = [&] {
      std::fill(std::begin(raw), std::end(raw), 0);
      std::vector<Slice> strings;
      for (const Loose& h : hlls) strings.push_back(h.slice());
      hll::merge_dense(raw, strings);
    };
    const double count64k = best_ns(200, [&] { sink = k->popcount(bits.data(), 1 << 16); });
    const double count1m = best_ns(20, [&] { sink = k->popcount(bits.data(), 1 << 20); });
    const double and64k =
        best_ns(100, [&] { k->bit_and(out.data(), bits.data(), bits.data() + (1 << 19), 1 << 16); });
    const double one = best_ns(100, [&] {
      uint64_t n = 0;
      hll::cardinality(hlls[0].slice(), &n);
      sink = n;
    });
    const double ten = best_ns(50, [&] {
      merge_all();
      sink = hll::cardinality_of_raw(raw);
    });
    const double merge = best_ns(50, [&] {
      merge_all();
      k->hll_pack(dense.data(), raw);
    });
    std::printf("%-10s %10.0f %10.0f %10.0f %10.0f %10.0f %10.0f\n", k->name, count64k, count1m, and64k, one,
                ten, merge);
  }
  return 0;
}
