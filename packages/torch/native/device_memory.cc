// What the memory of devices holds. libtorch's allocators tell profilers of each change, with their totals: the one way to know
// that all versions of libtorch have, and that needs none of CUDA's headers.
#include "device_memory.h"

#include <ATen/ATen.h>
#include <c10/core/Allocator.h>
#include <c10/core/DeviceGuard.h>
#include <dlfcn.h>
#include <torch/csrc/profiler/orchestration/observer.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <mutex>

namespace espalier {
namespace {

struct Held {
  double used = 0, peak = 0, reserved = 0;
};

std::mutex mutex;

// By device, of all threads. It is never destroyed: threads of libtorch may free memory as the process ends.
std::map<std::string, Held>& held() {
  static auto* const devices = new std::map<std::string, Held>;
  return *devices;
}

void note(const c10::Device& device, double used, double reserved) {
  const std::lock_guard<std::mutex> lock(mutex);
  Held& now = held()[device.str()];
  now = {used, std::max(now.peak, used), reserved};
}

// The type of the totals, which is another in each version.
template <typename>
struct TotalOf;
template <typename Total>
struct TotalOf<void (c10::MemoryReportingInfoBase::*)(void*, int64_t, Total, Total, c10::Device)> {
  using type = Total;
};
using Total = TotalOf<decltype(&c10::MemoryReportingInfoBase::reportMemoryUsage)>::type;

// libtorch takes whatever stands in this place for a profiler, so this is one, which is switched off.
class Listener final : public torch::profiler::impl::ProfilerStateBase {
 public:
  Listener()
      : ProfilerStateBase(torch::profiler::impl::ProfilerConfig(torch::profiler::impl::ProfilerState::Disabled)) {}

  void reportMemoryUsage(void*, int64_t, Total allocated, Total reserved, c10::Device device) override {
    note(device, static_cast<double>(allocated), static_cast<double>(reserved));
  }
  bool memoryProfilingEnabled() const override { return true; }
  torch::profiler::impl::ActiveProfilerType profilerType() override { return torch::profiler::impl::ActiveProfilerType::NONE; }
};

// The device of an argument; a kind without a number is the first of it.
c10::Device device_in(const Arguments& arguments, size_t index) {
  const c10::Device device(to_string(arguments.env, arguments[index]));
  return device.is_cpu() || device.has_index() ? device : c10::Device(device.type(), 0);
}

// What the whole device has, whoever uses it: the runtime's own function, which libtorch's libraries for GPUs have loaded.
bool whole_device(const c10::Device& device, size_t& free, size_t& total) {
  if (device.is_cpu() || !at::globalContext().hasCUDA()) return false;
  using MemoryInfo = int (*)(size_t*, size_t*);
  auto info = reinterpret_cast<MemoryInfo>(dlsym(RTLD_DEFAULT, "cudaMemGetInfo"));
  if (info == nullptr) info = reinterpret_cast<MemoryInfo>(dlsym(RTLD_DEFAULT, "hipMemGetInfo"));
  if (info == nullptr) return false;
  const c10::DeviceGuard guard(device);
  return info(&free, &total) == 0;
}

}  // namespace

std::unique_ptr<c10::DebugInfoGuard> note_device_memory() {
  return std::make_unique<c10::DebugInfoGuard>(c10::DebugInfoKind::PROFILER_STATE, std::make_shared<Listener>());
}

napi_value device_memory(const Arguments& arguments) {
  const c10::Device device = device_in(arguments, 0);
  Held now;
  {
    const std::lock_guard<std::mutex> lock(mutex);
    const auto found = held().find(device.str());
    if (found != held().end()) now = found->second;
  }
  size_t free = 0, total = 0;
  const bool known = whole_device(device, free, total);
  constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> values{now.used, now.peak, now.reserved, known ? static_cast<double>(free) : unknown,
                                   known ? static_cast<double>(total) : unknown};
  return array(arguments.env, values, [](napi_env env, double value) { return number(env, value); });
}

napi_value report_device_memory(const Arguments& arguments) {
  const double allocated = static_cast<double>(to_int(arguments.env, arguments[1]));
  const double reserved = static_cast<double>(to_int(arguments.env, arguments[2]));
  c10::reportMemoryUsageToProfiler(nullptr, 0, static_cast<Total>(allocated), static_cast<Total>(reserved), device_in(arguments, 0));
  return nullptr;
}

}  // namespace espalier
