// Memory of tensors and of kernels. A training step asks for the same sizes as the one before, so what is freed is kept for
// it: to give memory back to the system and to take it again costs more than many an operator.
#pragma once

#include <cstddef>

namespace espalier {

// So many bytes, which begin at the border of a line of the cache; null where there are none left.
void* take_lines(std::size_t bytes);
void give_back_lines(void* memory);

// Makes tensors live in such memory, from now on and for the whole process.
void keep_freed_memory();

}  // namespace espalier
