// Sorts as much of an array as somebody will look at.
//
// Quicksort after J. L. Bentley and M. D. McIlroy, "Engineering a sort function" (Software - Practice and
// Experience, 1993), going only into those parts that meet the wanted range. Which of two equal elements
// comes first follows from the algorithm alone; it is the one that Valkey uses, so that its clients see the
// same.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <span>
#include <utility>

namespace kvasir {

namespace partial_quicksort_detail {

// order(a, b): negative, 0 or positive.
template <class T, class Order>
T* median(T* a, T* b, T* c, Order& order) {
  if (order(*a, *b) < 0) return order(*b, *c) < 0 ? b : order(*a, *c) < 0 ? c : a;
  return order(*b, *c) > 0 ? b : order(*a, *c) < 0 ? a : c;
}

template <class T, class Order>
T* pivot(T* a, size_t n, Order& order) {
  T* middle = a + n / 2;
  if (n == 7) return middle;
  T* low = a;
  T* high = a + n - 1;
  if (n > 40) {
    const size_t d = n / 8;
    low = median(low, low + d, low + 2 * d, order);
    middle = median(middle - d, middle, middle + d, order);
    high = median(high - 2 * d, high - d, high, order);
  }
  return median(low, middle, high, order);
}

template <class T>
void swap_runs(T* a, T* b, std::ptrdiff_t n) {
  for (; n > 0; n--) std::swap(*a++, *b++);
}

// Of the whole array [first, end) is wanted; `depth` more cuts may be made before a sort that is never slow.
template <class T, class Order>
void sort(T* a, size_t n, const T* first, const T* end, Order& order, unsigned depth) {
  for (; n >= 7; depth--) {
    if (a >= end || a + n <= first) return;
    if (depth == 0) return std::sort(a, a + n, [&](const T& x, const T& y) { return order(x, y) < 0; });
    std::swap(*a, *pivot(a, n, order));
    // | equal to *a | less | ... | greater | equal |
    //   a             pa     pb pc   pd              pd is the last that is not among the equal ones
    T* pa = a + 1;
    T* pb = a + 1;
    T* pc = a + n - 1;
    T* pd = a + n - 1;
    for (;;) {
      for (int c = 0; pb <= pc && (c = order(*pb, *a)) <= 0; pb++) {
        if (c == 0) std::swap(*pa++, *pb);
      }
      for (int c = 0; pb <= pc && (c = order(*pc, *a)) >= 0; pc--) {
        if (c == 0) std::swap(*pc, *pd--);
      }
      if (pb > pc) break;
      std::swap(*pb++, *pc--);
    }
    T* const behind = a + n;
    std::ptrdiff_t run = std::min(pa - a, pb - pa);
    swap_runs(a, pb - run, run);
    run = std::min(pd - pc, behind - pd - 1);
    swap_runs(pb, behind - run, run);
    const auto less = static_cast<size_t>(pb - pa);
    const auto greater = static_cast<size_t>(pd - pc);
    if (less > 1) sort(a, less, first, end, order, depth - 1);
    if (greater <= 1) return;
    a = behind - greater;
    n = greater;
  }
  if (a >= end || a + n <= first) return;
  for (T* sorted = a + 1; sorted < a + n; sorted++) {
    for (T* at = sorted; at > a && order(at[-1], *at) > 0; at--) std::swap(*at, at[-1]);
  }
}

}  // namespace partial_quicksort_detail

// The first `wanted` places of the array get what belongs there when all is sorted; behind them is the rest
// in no order. order(a, b): negative, 0 or positive.
template <class T, class Order>
void partial_quicksort(std::span<T> array, size_t wanted, Order&& order) {
  const auto depth = static_cast<unsigned>(4 * std::bit_width(array.size()));
  partial_quicksort_detail::sort(array.data(), array.size(), array.data(), array.data() + wanted, order,
                                 depth);
}

}  // namespace kvasir
