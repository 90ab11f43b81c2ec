// What one JavaScript thread holds: its tensors and the operators it has looked up.
#pragma once

#include <node_api.h>

#include <string>
#include <vector>

#include "handles.h"
#include "operators.h"

namespace espalier {

struct Environment {
  HandleTable tensors;
  std::vector<Operator> operators;

  static Environment& of(napi_env env) {
    void* data = nullptr;
    napi_get_instance_data(env, &data);
    return *static_cast<Environment*>(data);
  }
};

}  // namespace espalier
