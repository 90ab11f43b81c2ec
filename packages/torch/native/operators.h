// An operator of libtorch's dispatcher, with its schema.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>

#include <string>

namespace espalier {

struct Operator {
  c10::OperatorHandle handle;
  const c10::FunctionSchema* schema;
  std::string name;
};

}  // namespace espalier
