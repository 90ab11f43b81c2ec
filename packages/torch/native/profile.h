#pragma once

#include "javascript.h"

namespace espalier {

// startProfile(); stopProfile(): [name, sequence, nanoseconds, shapes of its tensors, shapes of its results][], the calls of this
// thread in between. A call includes the operators that it calls in turn. A backward pass is the nodes of the graph, each with the
// sequence number of the operator that made it; -1: none.
napi_value start_profile(const Arguments&);
napi_value stop_profile(const Arguments&);

}  // namespace espalier
