#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "loops.h"

// What every CPU of the architecture has: SSE2, NEON.
#define ESPALIER_SET baseline
#define ESPALIER_BYTES 16
#include "loops.inc"
