#pragma once

#include "javascript.h"

namespace espalier {

// These take the number of an open file. Bytes move between the file and a tensor's memory directly, so a tensor may be larger than
// any buffer of JavaScript.

// readTensor(file, position, dtype, shape): a tensor of the bytes from a position on
napi_value read_tensor(const Arguments&);
// writeTensor(file, tensor): appends its elements, in row-major order; the number of bytes
napi_value write_tensor(const Arguments&);

}  // namespace espalier
