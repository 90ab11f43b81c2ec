#pragma once

#include "javascript.h"

namespace espalier {

// findOperator(name, overload): number
napi_value find_operator(const Arguments&);
// call(operator, ...arguments): a handle, a number, null, or an array of them
napi_value call_operator(const Arguments&);
// callInPlace(operator, ...arguments): the results are arguments and get no handles
napi_value call_in_place(const Arguments&);
// schemas(): string[], of every operator of the dispatcher
napi_value operator_schemas(const Arguments&);

}  // namespace espalier
