#pragma once

#include "javascript.h"

namespace espalier {

// backward(outputs, gradients | null, retainGraph, createGraph): adds to the gradients of the leaves
napi_value autograd_backward(const Arguments&);
// grad(outputs, inputs, gradients | null, retainGraph, createGraph, allowUnused): (tensor | null)[]
napi_value autograd_grad(const Arguments&);
// setGradEnabled(enabled): returns whether it was enabled before
napi_value set_grad_enabled(const Arguments&);
// requiresGrad(tensor), setRequiresGrad(tensor, required), isLeaf(tensor)
napi_value requires_grad(const Arguments&);
napi_value set_requires_grad(const Arguments&);
napi_value is_leaf(const Arguments&);
// gradients(tensors): (tensor | null)[]; setGradients(tensors, gradients | null each)
napi_value gradients(const Arguments&);
napi_value set_gradients(const Arguments&);

}  // namespace espalier
