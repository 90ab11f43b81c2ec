#pragma once

#include "javascript.h"

namespace espalier {

// manualSeed(seed); generatorState(device): ArrayBuffer; setGeneratorState(Uint8Array, device)
napi_value manual_seed(const Arguments&);
napi_value generator_state(const Arguments&);
napi_value set_generator_state(const Arguments&);
// threads(), setThreads(n): the threads of one operator
napi_value threads(const Arguments&);
napi_value set_threads(const Arguments&);
// setLeastWork(n): the multiply-adds from which kernels divide their work among threads; returns the number before
napi_value set_least_work(const Arguments&);
// version(): '1.13.0'; configuration(): how libtorch was built
napi_value version(const Arguments&);
napi_value configuration(const Arguments&);
// instructionSet(): the one that the kernels use, such as 'avx512'
napi_value instruction_set_name(const Arguments&);

}  // namespace espalier
