// Reads and writes JavaScript values through Node-API, and turns C++ exceptions into JavaScript ones.
#pragma once

#include <node_api.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <c10/util/ArrayRef.h>
#include <c10/util/Exception.h>

namespace espalier {

// A JavaScript exception is already pending: unwind to the entry point without raising another.
struct Pending {};

inline void check(napi_env env, napi_status status, const char* expected) {
  if (status == napi_ok) return;
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (pending) throw Pending{};
  throw std::invalid_argument(std::string("expected ") + expected);
}

inline napi_valuetype type_of(napi_env env, napi_value value) {
  napi_valuetype type;
  check(env, napi_typeof(env, value, &type), "a value");
  return type;
}

inline bool is_nullish(napi_env env, napi_value value) {
  const napi_valuetype type = type_of(env, value);
  return type == napi_undefined || type == napi_null;
}

inline double to_double(napi_env env, napi_value value) {
  double result;
  check(env, napi_get_value_double(env, value, &result), "a number");
  return result;
}

inline bool to_bool(napi_env env, napi_value value) {
  bool result;
  check(env, napi_get_value_bool(env, value, &result), "true or false");
  return result;
}

inline int64_t to_int(napi_env env, napi_value value) {
  if (type_of(env, value) == napi_bigint) {
    int64_t result;
    bool lossless;
    check(env, napi_get_value_bigint_int64(env, value, &result, &lossless), "an integer");
    if (!lossless) throw std::invalid_argument("expected an integer of 64 bits");
    return result;
  }
  const double number = to_double(env, value);
  // Doubles outside this range, and NaN, have no int64_t to convert to.
  constexpr double kEnd = 9223372036854775808.0;
  if (number >= -kEnd && number < kEnd && std::trunc(number) == number) return static_cast<int64_t>(number);
  std::ostringstream message;
  message << "expected an integer, not " << number;
  throw std::invalid_argument(message.str());
}

inline std::string to_string(napi_env env, napi_value value) {
  size_t length;
  check(env, napi_get_value_string_utf8(env, value, nullptr, 0, &length), "a string");
  std::string result(length, '\0');
  check(env, napi_get_value_string_utf8(env, value, result.data(), length + 1, &length), "a string");
  return result;
}

inline bool is_array(napi_env env, napi_value value) {
  bool result;
  check(env, napi_is_array(env, value, &result), "a value");
  return result;
}

inline uint32_t array_length(napi_env env, napi_value value) {
  uint32_t length;
  check(env, napi_get_array_length(env, value, &length), "an array");
  return length;
}

inline napi_value element(napi_env env, napi_value array, uint32_t index) {
  napi_value result;
  check(env, napi_get_element(env, array, index, &result), "an array");
  return result;
}

template <typename T, typename Read>
std::vector<T> to_vector(napi_env env, napi_value array, Read read) {
  const uint32_t length = array_length(env, array);
  std::vector<T> result;
  result.reserve(length);
  for (uint32_t i = 0; i < length; ++i) result.push_back(read(env, element(env, array, i)));
  return result;
}

inline std::vector<int64_t> to_ints(napi_env env, napi_value array) { return to_vector<int64_t>(env, array, to_int); }
inline std::vector<double> to_doubles(napi_env env, napi_value array) { return to_vector<double>(env, array, to_double); }

inline napi_value number(napi_env env, double value) {
  napi_value result;
  check(env, napi_create_double(env, value, &result), "a number");
  return result;
}

inline napi_value boolean(napi_env env, bool value) {
  napi_value result;
  check(env, napi_get_boolean(env, value, &result), "a boolean");
  return result;
}

inline napi_value string(napi_env env, const std::string& value) {
  napi_value result;
  check(env, napi_create_string_utf8(env, value.data(), value.size(), &result), "a string");
  return result;
}

inline napi_value null(napi_env env) {
  napi_value result;
  check(env, napi_get_null(env, &result), "null");
  return result;
}

template <typename T, typename Write>
napi_value array(napi_env env, const T& values, Write write) {
  napi_value result;
  check(env, napi_create_array_with_length(env, values.size(), &result), "an array");
  uint32_t index = 0;
  for (const auto& value : values) check(env, napi_set_element(env, result, index++, write(env, value)), "an array");
  return result;
}

inline napi_value numbers(napi_env env, c10::ArrayRef<int64_t> values) {
  return array(env, values, [](napi_env e, int64_t value) { return number(e, static_cast<double>(value)); });
}

// The arguments of a call from JavaScript.
class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info) : env(env) {
    check(env, napi_get_cb_info(env, info, &count_, values_, nullptr, nullptr), "arguments");
    if (count_ > kMost) throw std::invalid_argument("too many arguments");
  }
  size_t size() const { return count_; }
  napi_value operator[](size_t index) const { return values_[index]; }

  const napi_env env;

 private:
  static constexpr size_t kMost = 32;
  size_t count_ = kMost;
  napi_value values_[kMost];
};

// libtorch's message without what may follow it: the C++ stack, or the list of backends that have an operator.
inline std::string without_backtrace(const std::string& message) {
  return message.substr(0, std::min(message.find("\nException raised from"), message.find("\n\n")));
}

void throw_error(napi_env env, const std::string& message);

// Runs `body` for a call from JavaScript. Whatever it throws becomes a JavaScript Error with the code ERR_TORCH.
template <napi_value (*body)(const Arguments&)>
napi_value guarded(napi_env env, napi_callback_info info) {
  try {
    return body(Arguments(env, info));
  } catch (const Pending&) {
  } catch (const c10::Error& error) {
    throw_error(env, without_backtrace(error.what_without_backtrace()));
  } catch (const std::exception& error) {
    throw_error(env, without_backtrace(error.what()));
  } catch (...) {
    throw_error(env, "an unknown C++ exception");
  }
  return nullptr;
}

}  // namespace espalier
