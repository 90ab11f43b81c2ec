// An operator of libtorch's dispatcher and how its arguments are read.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>

#include <string>
#include <vector>

namespace espalier {

struct Operator {
  c10::OperatorHandle handle;
  const c10::FunctionSchema* schema;
  std::string name;
};

}  // namespace espalier
