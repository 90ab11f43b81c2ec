// c10d's header of ProcessGroupGloo includes gloo's headers, which neither Debian's libtorch-dev nor PyTorch's packages bring
// along. A program that only makes a process group and calls it passes gloo's objects by pointer, so the declarations in
// this folder are enough.
#pragma once

#include <chrono>

namespace gloo {

class Context {
 public:
  // Newer headers call it in a function that no program here uses.
  void setTimeout(std::chrono::milliseconds timeout);
};

}  // namespace gloo
