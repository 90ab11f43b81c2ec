#pragma once

#include <c10/util/ThreadLocalDebugInfo.h>

#include <memory>

#include "javascript.h"

namespace espalier {

// Has this thread note what libtorch's allocators of devices say, as long as the result exists.
std::unique_ptr<c10::DebugInfoGuard> note_device_memory();

// deviceMemory(device): [used, peak, reserved, free, total] in bytes: what the tensors of this process hold and have held at
// most, what libtorch has taken of the device for them, and what the whole device has; NaN for what nobody says
napi_value device_memory(const Arguments&);
// reportDeviceMemory(device, allocated, reserved): what the allocator of a device does with each change. For tests, where
// there is no such device
napi_value report_device_memory(const Arguments&);

}  // namespace espalier
