// Tensors without memory of their own, for those who only want to know which operators a network calls on which shapes.
#pragma once

#include <ATen/ATen.h>

namespace espalier {

// Gives back the memory of a tensor on the CPU, and of all its views. Its elements read as zeros from now on. All such tensors share
// their memory: what an operator writes into one of them in place shows in the others until one of them is hollowed again.
void hollow(const at::Tensor& tensor);

}  // namespace espalier
