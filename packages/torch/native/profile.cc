// The time that operators take. libtorch calls observers when an operator begins and when it ends.
#include "profile.h"

#include <ATen/ATen.h>
#include <ATen/record_function.h>

#include <chrono>
#include <memory>

namespace espalier {
namespace {

using Clock = std::chrono::steady_clock;
using Shapes = std::vector<std::vector<int64_t>>;

struct Call {
  std::string name;
  int64_t sequence = -1;
  int64_t nanoseconds = 0;
  Shapes inputs, results;
};

struct Profile {
  at::CallbackHandle callback;
  std::vector<Call> calls;
  // Whether the last call is still running. An operator that begins now is part of it.
  bool inside = false;
};

thread_local std::unique_ptr<Profile> profile;

struct Begun : at::ObserverContext {
  Clock::time_point time;
};

void add_shapes(const c10::IValue& value, Shapes& shapes) {
  if (value.isTensor()) {
    if (value.toTensor().defined()) shapes.push_back(value.toTensor().sizes().vec());
  } else if (value.isTensorList()) {
    for (const at::Tensor& tensor : value.toTensorVector()) shapes.push_back(tensor.sizes().vec());
  }
}

std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction& function) {
  if (profile == nullptr) return nullptr;
  if (profile->inside) {
    // The engine's record encloses that of the node which it evaluates, and does not name it.
    Call& call = profile->calls.back();
    if (function.scope() == at::RecordScope::BACKWARD_FUNCTION && call.sequence < 0) {
      call.name = function.name();
      call.sequence = function.seqNr();
    }
    return nullptr;
  }
  Call call;
  call.name = function.name();
  call.sequence = function.seqNr();
  for (const c10::IValue& input : function.inputs()) add_shapes(input, call.inputs);
  profile->calls.push_back(std::move(call));
  profile->inside = true;
  auto begun = std::make_unique<Begun>();
  begun->time = Clock::now();
  return begun;
}

void end(const at::RecordFunction& function, at::ObserverContext* context) {
  const auto now = Clock::now();
  if (context == nullptr || profile == nullptr) return;
  Call& call = profile->calls.back();
  call.nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(now - static_cast<Begun*>(context)->time).count();
  for (const c10::IValue& result : function.outputs()) add_shapes(result, call.results);
  profile->inside = false;
}

napi_value shapes(napi_env env, const Shapes& shapes) {
  return array(env, shapes, [](napi_env e, const std::vector<int64_t>& shape) { return numbers(e, shape); });
}

}  // namespace

napi_value start_profile(const Arguments&) {
  if (profile != nullptr) throw std::runtime_error("this thread is being profiled already");
  profile = std::make_unique<Profile>();
  profile->callback = at::addThreadLocalCallback(
      at::RecordFunctionCallback(begin, end)
          .needsInputs(true)
          .needsOutputs(true)
          .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION}));
  return nullptr;
}

napi_value stop_profile(const Arguments& arguments) {
  if (profile == nullptr) throw std::runtime_error("this thread is not being profiled");
  at::removeCallback(profile->callback);
  const std::unique_ptr<Profile> finished = std::move(profile);
  return array(arguments.env, finished->calls, [](napi_env env, const Call& call) {
    const napi_value parts[] = {string(env, call.name), number(env, static_cast<double>(call.sequence)),
                                number(env, static_cast<double>(call.nanoseconds)), shapes(env, call.inputs), shapes(env, call.results)};
    return array(env, c10::ArrayRef<napi_value>(parts), [](napi_env, napi_value part) { return part; });
  });
}

}  // namespace espalier
