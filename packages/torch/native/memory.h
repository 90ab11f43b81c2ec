// The memory of tensors and kernels. A training step asks for the same sizes as the step before it, so freed memory is kept: giving
// it back to the system and taking it again costs more than many an operator.
#pragma once

#include <cstddef>

namespace espalier {

// Allocates this many bytes, aligned to a line of the cache. Null where there is not enough memory.
void* take_lines(std::size_t bytes);
void give_back_lines(void* memory);

// Makes libtorch allocate tensors this way, from now on and in the whole process.
void keep_freed_memory();

}  // namespace espalier
