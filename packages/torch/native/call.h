#pragma once

#include "javascript.h"

namespace espalier {

// findOperator(name, overload): number
napi_value find_operator(const Arguments&);
// call(operator, ...arguments): a handle, a number, null, or an array of them
napi_value call_operator(const Arguments&);
// callInPlace(operator, ...arguments): its results, which are its arguments, get no handles
napi_value call_in_place(const Arguments&);
// schemas(): string[], every operator that the dispatcher knows
napi_value operator_schemas(const Arguments&);

}  // namespace espalier
