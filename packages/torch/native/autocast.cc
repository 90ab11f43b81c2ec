// Autocast on a device. libtorch chooses the operators that run in lower precision.
#include "autocast.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <torch/version.h>

namespace espalier {
namespace {

// Since libtorch 2.4, these functions take a device.
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
bool is_enabled(at::DeviceType device) { return at::autocast::is_autocast_enabled(device); }
void set_enabled(at::DeviceType device, bool enabled) { at::autocast::set_autocast_enabled(device, enabled); }
at::ScalarType dtype(at::DeviceType device) { return at::autocast::get_autocast_dtype(device); }
void set_dtype(at::DeviceType device, at::ScalarType type) { at::autocast::set_autocast_dtype(device, type); }
#else
// Those without a device in their name are CUDA's, which ROCm uses too.
bool is_enabled(at::DeviceType device) { return device == at::kCPU ? at::autocast::is_cpu_enabled() : at::autocast::is_enabled(); }
void set_enabled(at::DeviceType device, bool enabled) {
  device == at::kCPU ? at::autocast::set_cpu_enabled(enabled) : at::autocast::set_enabled(enabled);
}
at::ScalarType dtype(at::DeviceType device) {
  return device == at::kCPU ? at::autocast::get_autocast_cpu_dtype() : at::autocast::get_autocast_gpu_dtype();
}
void set_dtype(at::DeviceType device, at::ScalarType type) {
  device == at::kCPU ? at::autocast::set_autocast_cpu_dtype(type) : at::autocast::set_autocast_gpu_dtype(type);
}
#endif

at::DeviceType to_device(const std::string& name) {
  const at::DeviceType type = at::Device(name).type();
  if (type != at::kCPU && type != at::kCUDA)
    throw std::invalid_argument("there is no autocast on the device '" + name + "'; allowed: cpu, cuda");
  return type;
}

}  // namespace

napi_value set_autocast(const Arguments& arguments) {
  const at::DeviceType device = to_device(to_string(arguments.env, arguments[1]));
  const at::ScalarType before = is_enabled(device) ? dtype(device) : at::kFloat;
  const auto now = static_cast<at::ScalarType>(to_int(arguments.env, arguments[0]));
  if (now != before) {
    // It holds weights in the type of before.
    at::autocast::clear_cache();
    set_enabled(device, now != at::kFloat);
    if (now != at::kFloat) set_dtype(device, now);
  }
  return number(arguments.env, static_cast<double>(before));
}

napi_value has_bfloat16(const Arguments& arguments) {
#ifdef __x86_64__
  return boolean(arguments.env, __builtin_cpu_supports("avx512bf16"));
#else
  return boolean(arguments.env, false);
#endif
}

}  // namespace espalier
