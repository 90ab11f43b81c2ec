// The state of one JavaScript thread: its tensors and the operators it has looked up.
#pragma once

#include <node_api.h>

#include <deque>
#include <memory>

#include "device_memory.h"
#include "handles.h"
#include "operators.h"

namespace espalier {

class Environment {
  std::unique_ptr<HandleTable> table_ = HandleTables::take();
  std::unique_ptr<c10::DebugInfoGuard> noting_ = note_device_memory();

 public:
  HandleTable& tensors = *table_;
  // A deque: a running call refers to its operator, while JavaScript may look up another.
  std::deque<Operator> operators;

  Environment() = default;
  Environment(const Environment&) = delete;
  ~Environment() { HandleTables::give_back(std::move(table_)); }

  static Environment& of(napi_env env) {
    void* data = nullptr;
    napi_get_instance_data(env, &data);
    return *static_cast<Environment*>(data);
  }
};

}  // namespace espalier
