#include "loops.h"

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace espalier {

#define ESPALIER_DECLARE(set)                \
  namespace set {                            \
  extern const Loops<float> float_loops;     \
  extern const Loops<double> double_loops;   \
  }
ESPALIER_DECLARE(baseline)
#ifdef __x86_64__
ESPALIER_DECLARE(avx2)
ESPALIER_DECLARE(avx512)
#endif

namespace {

struct InstructionSet {
  const char* name;
  bool here;
  const Loops<float>& floats;
  const Loops<double>& doubles;
};

const InstructionSet& chosen() {
  static const InstructionSet& set = []() -> const InstructionSet& {
    static const InstructionSet sets[] = {
#ifdef __x86_64__
        {"avx512",
         __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512bw"),
         avx512::float_loops, avx512::double_loops},
        {"avx2", __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"), avx2::float_loops, avx2::double_loops},
#endif
        {"baseline", true, baseline::float_loops, baseline::double_loops},
    };
    const char* const asked = std::getenv("ESPALIER_CPU");
    std::string allowed;
    for (const InstructionSet& set : sets) {
      if (!set.here) continue;
      if (asked == nullptr || std::string(asked) == set.name) return set;
      allowed += allowed.empty() ? set.name : std::string(", ") + set.name;
    }
    throw std::runtime_error("ESPALIER_CPU is '" + std::string(asked) + "'; allowed on this machine: " + allowed);
  }();
  return set;
}

}  // namespace

template <>
const Loops<float>& loops<float>() {
  return chosen().floats;
}

template <>
const Loops<double>& loops<double>() {
  return chosen().doubles;
}

const char* instruction_set() { return chosen().name; }

}  // namespace espalier
