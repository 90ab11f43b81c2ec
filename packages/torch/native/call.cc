// The way to all of ATen: looks an operator up by name, reads its arguments by its schema and calls it boxed.
#include "call.h"

#include <cmath>
#include <sstream>

#include "environment.h"
#include "javascript.h"

namespace espalier {
namespace {

c10::Scalar to_scalar(napi_env env, napi_value value) {
  switch (type_of(env, value)) {
    case napi_boolean:
      return c10::Scalar(to_bool(env, value));
    case napi_bigint:
      return c10::Scalar(to_int(env, value));
    default: {
      // A whole number is an integer, as in Python: it does not turn an integer tensor into a floating-point one.
      const double number = to_double(env, value);
      const bool whole = std::abs(number) <= 9007199254740992.0 && std::trunc(number) == number;
      if (whole && !(number == 0 && std::signbit(number))) return c10::Scalar(static_cast<int64_t>(number));
      return c10::Scalar(number);
    }
  }
}

c10::IValue to_ivalue(Environment& environment, napi_env env, napi_value value, const c10::Type& type, int64_t fixed_length);

c10::IValue to_list(Environment& environment, napi_env env, napi_value value, const c10::TypePtr& item, int64_t fixed_length) {
  // Where the schema fixes the length of a list, a number stands for that many equal numbers: a stride of 2 is [2, 2].
  const bool repeated = fixed_length > 0 && !is_array(env, value);
  switch (item->kind()) {
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType:
      if (repeated) return std::vector<int64_t>(fixed_length, to_int(env, value));
      return to_ints(env, value);
    case c10::TypeKind::FloatType:
      if (repeated) return std::vector<double>(fixed_length, to_double(env, value));
      return to_doubles(env, value);
    default: {
      const uint32_t length = array_length(env, value);
      c10::impl::GenericList list(item);
      list.reserve(length);
      for (uint32_t i = 0; i < length; ++i) list.push_back(to_ivalue(environment, env, element(env, value, i), *item, 0));
      return list;
    }
  }
}

c10::IValue to_ivalue(Environment& environment, napi_env env, napi_value value, const c10::Type& type, int64_t fixed_length) {
  switch (type.kind()) {
    case c10::TypeKind::TensorType:
      return environment.tensors.get(to_double(env, value));
    case c10::TypeKind::NumberType:
      return to_scalar(env, value);
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType:
      return to_int(env, value);
    case c10::TypeKind::FloatType:
      return to_double(env, value);
    case c10::TypeKind::BoolType:
      return to_bool(env, value);
    case c10::TypeKind::StringType:
      return to_string(env, value);
    case c10::TypeKind::DeviceObjType:
      return c10::Device(to_string(env, value));
    case c10::TypeKind::OptionalType: {
      if (is_nullish(env, value)) return c10::IValue();
      return to_ivalue(environment, env, value, *type.containedType(0), fixed_length);
    }
    case c10::TypeKind::ListType:
      return to_list(environment, env, value, type.containedType(0), fixed_length);
    default:
      throw std::invalid_argument("an argument of type " + type.str() + " cannot be given from JavaScript");
  }
}

napi_value from_ivalue(Environment& environment, napi_env env, const c10::IValue& value) {
  if (value.isTensor()) {
    const at::Tensor& tensor = value.toTensor();
    return tensor.defined() ? number(env, environment.tensors.add(tensor)) : null(env);
  }
  if (value.isNone()) return null(env);
  if (value.isBool()) return boolean(env, value.toBool());
  if (value.isInt()) return number(env, static_cast<double>(value.toInt()));
  if (value.isDouble()) return number(env, value.toDouble());
  if (value.isString()) return string(env, value.toStringRef());
  if (value.isList()) {
    const auto items = value.toListRef();
    return array(env, items, [&](napi_env e, const c10::IValue& item) { return from_ivalue(environment, e, item); });
  }
  throw std::runtime_error("a result of type " + value.tagKind() + " cannot be given to JavaScript");
}

void describe(std::ostream& out, const c10::IValue& value) {
  if (value.isTensor()) {
    const at::Tensor& tensor = value.toTensor();
    if (tensor.defined())
      out << tensor.scalar_type() << tensor.sizes();
    else
      out << "undefined";
  } else if (value.isList()) {
    out << "[";
    bool first = true;
    for (const c10::IValue& item : value.toListRef()) {
      if (!first) out << ", ";
      first = false;
      describe(out, item);
    }
    out << "]";
  } else {
    out << value;
  }
}

void push_arguments(Environment& environment, const Operator& op, const Arguments& arguments, c10::Stack& stack) {
  const auto& parameters = op.schema->arguments();
  // The first JavaScript argument is the operator itself.
  if (arguments.size() - 1 > parameters.size())
    throw std::invalid_argument(op.name + " takes at most " + std::to_string(parameters.size()) + " arguments");
  for (size_t i = 0; i < parameters.size(); ++i) {
    const c10::Argument& parameter = parameters[i];
    const bool given = i + 1 < arguments.size() && type_of(arguments.env, arguments[i + 1]) != napi_undefined;
    try {
      if (given) {
        stack.push_back(to_ivalue(environment, arguments.env, arguments[i + 1], *parameter.type(), parameter.N().value_or(0)));
      } else if (parameter.default_value().has_value()) {
        stack.push_back(*parameter.default_value());
      } else if (parameter.type()->kind() == c10::TypeKind::OptionalType) {
        stack.emplace_back();
      } else {
        throw std::invalid_argument("it is missing");
      }
    } catch (const Pending&) {
      throw;
    } catch (const std::exception& error) {
      throw std::invalid_argument(op.name + ": argument '" + parameter.name() + "' (" + parameter.type()->str() + "): " + error.what());
    }
  }
}

// Adds the operator and its arguments to libtorch's message. Reads the arguments a second time, because the call may have taken lists
// off its stack.
std::string explain(Environment& environment, const Operator& op, const Arguments& arguments, const std::string& message) {
  c10::Stack stack;
  push_arguments(environment, op, arguments, stack);
  std::ostringstream out;
  out << op.name << ": " << without_backtrace(message) << " (called with ";
  for (size_t i = 0; i < stack.size(); ++i) {
    if (i > 0) out << ", ";
    out << op.schema->arguments()[i].name() << "=";
    describe(out, stack[i]);
  }
  out << ")";
  return out.str();
}

}  // namespace

napi_value find_operator(const Arguments& arguments) {
  const std::string name = to_string(arguments.env, arguments[0]);
  const std::string overload = to_string(arguments.env, arguments[1]);
  const auto handle = c10::Dispatcher::singleton().findSchema({name, overload});
  if (!handle.has_value())
    throw std::invalid_argument("this libtorch has no operator " + name + (overload.empty() ? "" : "." + overload));
  Environment& environment = Environment::of(arguments.env);
  environment.operators.push_back({*handle, &handle->schema(), overload.empty() ? name : name + "." + overload});
  return number(arguments.env, static_cast<double>(environment.operators.size() - 1));
}

namespace {

c10::Stack run(const Arguments& arguments) {
  Environment& environment = Environment::of(arguments.env);
  const size_t index = static_cast<size_t>(to_int(arguments.env, arguments[0]));
  if (index >= environment.operators.size()) throw std::invalid_argument("there is no operator " + std::to_string(index));
  const Operator& op = environment.operators[index];
  c10::Stack stack;
  stack.reserve(op.schema->arguments().size());
  push_arguments(environment, op, arguments, stack);
  try {
    op.handle.callBoxed(&stack);
  } catch (const c10::Error& error) {
    throw std::runtime_error(explain(environment, op, arguments, error.what_without_backtrace()));
  } catch (const std::exception& error) {
    throw std::runtime_error(explain(environment, op, arguments, error.what()));
  }
  return stack;
}

}  // namespace

napi_value call_operator(const Arguments& arguments) {
  Environment& environment = Environment::of(arguments.env);
  const c10::Stack stack = run(arguments);
  if (stack.empty()) return nullptr;
  if (stack.size() == 1) return from_ivalue(environment, arguments.env, stack[0]);
  return array(arguments.env, stack, [&](napi_env env, const c10::IValue& value) { return from_ivalue(environment, env, value); });
}

napi_value call_in_place(const Arguments& arguments) {
  run(arguments);
  return nullptr;
}

napi_value operator_schemas(const Arguments& arguments) {
  std::vector<std::string> schemas;
  for (const auto& name : c10::Dispatcher::singleton().getAllOpNames()) {
    const auto handle = c10::Dispatcher::singleton().findSchema(name);
    if (!handle.has_value()) continue;
    std::ostringstream out;
    out << handle->schema();
    schemas.push_back(out.str());
  }
  return array(arguments.env, schemas, [](napi_env env, const std::string& schema) { return string(env, schema); });
}

}  // namespace espalier
