#pragma once

#include "javascript.h"

namespace espalier {

// setAutocast(dtype, device): sets this thread's autocast on cpu or cuda, float32 for none; returns the one before. Empties the
// cache of cast weights
napi_value set_autocast(const Arguments&);
// hasBfloat16(): whether this CPU multiplies bfloat16 in hardware
napi_value has_bfloat16(const Arguments&);

}  // namespace espalier
