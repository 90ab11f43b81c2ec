#pragma once

#include "javascript.h"

namespace espalier {

// setAutocast(dtype): of this thread, float32 for none; what it was before. Forgets the weights that were cast
napi_value set_autocast(const Arguments&);
// hasBfloat16(): whether this CPU has instructions for products of bfloat16
napi_value has_bfloat16(const Arguments&);

}  // namespace espalier
