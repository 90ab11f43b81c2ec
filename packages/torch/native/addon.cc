// The functions that the addon exports to JavaScript.
#include <memory>

#include "autocast.h"
#include "autograd.h"
#include "call.h"
#include "device_memory.h"
#include "environment.h"
#include "files.h"
#include "javascript.h"
#include "memory.h"
#include "process.h"
#include "process_group.h"
#include "profile.h"
#include "tensors.h"

namespace espalier {

void throw_error(napi_env env, const std::string& message) { napi_throw_error(env, "ERR_TORCH", message.c_str()); }

namespace {

template <napi_value (*body)(const Arguments&)>
napi_property_descriptor function(const char* name) {
  return {name, nullptr, guarded<body>, nullptr, nullptr, nullptr, napi_enumerable, nullptr};
}

}  // namespace
}  // namespace espalier

NAPI_MODULE_INIT() {
  using namespace espalier;
  keep_freed_memory();
  std::unique_ptr<Environment> environment;
  try {
    environment = std::make_unique<Environment>();
  } catch (const std::exception& error) {
    throw_error(env, error.what());
    return nullptr;
  }
  const auto release = [](napi_env, void* data, void*) { delete static_cast<Environment*>(data); };
  if (napi_set_instance_data(env, environment.get(), release, nullptr) != napi_ok) return nullptr;
  environment.release();
  const napi_property_descriptor functions[] = {
      function<find_operator>("findOperator"),
      function<call_operator>("call"),
      function<call_in_place>("callInPlace"),
      function<operator_schemas>("schemas"),
      function<tensor_from_bytes>("fromBytes"),
      function<tensor_to_bytes>("toBytes"),
      function<read_tensor>("readTensor"),
      function<write_tensor>("writeTensor"),
      function<tensor_item>("item"),
      function<tensor_shape>("shape"),
      function<tensor_strides>("strides"),
      function<tensor_dtype>("dtype"),
      function<tensor_device>("device"),
      function<tensor_is_contiguous>("isContiguous"),
      function<tensor_storage>("storage"),
      function<hollow_tensor>("hollow"),
      function<free_tensor>("free"),
      function<keep_tensor>("keep"),
      function<is_live>("isLive"),
      function<live_tensors>("liveTensors"),
      function<enter_scope>("enterScope"),
      function<leave_scope>("leaveScope"),
      function<autograd_backward>("backward"),
      function<autograd_grad>("grad"),
      function<set_grad_enabled>("setGradEnabled"),
      function<set_autocast>("setAutocast"),
      function<has_bfloat16>("hasBfloat16"),
      function<requires_grad>("requiresGrad"),
      function<set_requires_grad>("setRequiresGrad"),
      function<is_leaf>("isLeaf"),
      function<gradients>("gradients"),
      function<set_gradients>("setGradients"),
      function<manual_seed>("manualSeed"),
      function<generator_state>("generatorState"),
      function<set_generator_state>("setGeneratorState"),
      function<device_memory>("deviceMemory"),
      function<report_device_memory>("reportDeviceMemory"),
      function<open_store>("openStore"),
      function<store_set>("storeSet"),
      function<store_has>("storeHas"),
      function<join_group>("joinGroup"),
      function<leave_group>("leaveGroup"),
      function<all_reduce>("allReduce"),
      function<broadcast>("broadcast"),
      function<barrier>("barrier"),
      function<synchronise_norms>("synchroniseNorms"),
      function<threads>("threads"),
      function<set_threads>("setThreads"),
      function<set_least_work>("setLeastWork"),
      function<version>("version"),
      function<configuration>("configuration"),
      function<start_profile>("startProfile"),
      function<stop_profile>("stopProfile"),
      function<instruction_set_name>("instructionSet"),
  };
  if (napi_define_properties(env, exports, sizeof(functions) / sizeof(functions[0]), functions) != napi_ok) return nullptr;
  return exports;
}
