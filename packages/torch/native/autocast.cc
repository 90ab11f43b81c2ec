// Autocast on the CPU. libtorch chooses the operators that run in lower precision.
#include "autocast.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <torch/version.h>

namespace espalier {
namespace {

// Since libtorch 2.4, these functions take a device.
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
bool is_enabled() { return at::autocast::is_autocast_enabled(at::kCPU); }
void set_enabled(bool enabled) { at::autocast::set_autocast_enabled(at::kCPU, enabled); }
at::ScalarType dtype() { return at::autocast::get_autocast_dtype(at::kCPU); }
void set_dtype(at::ScalarType type) { at::autocast::set_autocast_dtype(at::kCPU, type); }
#else
bool is_enabled() { return at::autocast::is_cpu_enabled(); }
void set_enabled(bool enabled) { at::autocast::set_cpu_enabled(enabled); }
at::ScalarType dtype() { return at::autocast::get_autocast_cpu_dtype(); }
void set_dtype(at::ScalarType type) { at::autocast::set_autocast_cpu_dtype(type); }
#endif

}  // namespace

napi_value set_autocast(const Arguments& arguments) {
  const at::ScalarType before = is_enabled() ? dtype() : at::kFloat;
  const auto now = static_cast<at::ScalarType>(to_int(arguments.env, arguments[0]));
  if (now != before) {
    // It holds weights in the type of before.
    at::autocast::clear_cache();
    set_enabled(now != at::kFloat);
    if (now != at::kFloat) set_dtype(now);
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
