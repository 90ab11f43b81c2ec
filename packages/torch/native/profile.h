#pragma once

#include "javascript.h"

namespace espalier {

// startProfile(); stopProfile(): [name, sequence, nanoseconds, shapes of its tensors, shapes of its results][], what this
// thread called in between; what an operator calls in turn is part of it. During a backward pass: the nodes of the graph,
// each with the sequence number that the operator which made it had; -1 is none.
napi_value start_profile(const Arguments&);
napi_value stop_profile(const Arguments&);

}  // namespace espalier
