#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "loops.h"

// The instructions of every CPU of the architecture: SSE2, NEON.
#define ESPALIER_SET baseline
#define ESPALIER_BYTES 16
#include "loops.inc"
