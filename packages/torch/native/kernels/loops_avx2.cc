#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "loops.h"

#ifdef __x86_64__

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif

#define ESPALIER_SET avx2
#define ESPALIER_BYTES 32
#include "loops.inc"

#ifdef __clang__
#pragma clang attribute pop
#endif

#endif
