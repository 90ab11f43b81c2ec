#pragma once

#include "javascript.h"

namespace espalier {

// fromBytes(bytes: Uint8Array, dtype, shape): a tensor that owns a copy of the bytes
napi_value tensor_from_bytes(const Arguments&);
// toBytes(tensor): ArrayBuffer, the elements in row-major order
napi_value tensor_to_bytes(const Arguments&);
// item(tensor): the number in a tensor of one element
napi_value tensor_item(const Arguments&);
// shape(tensor), strides(tensor): number[]
napi_value tensor_shape(const Arguments&);
napi_value tensor_strides(const Arguments&);
// dtype(tensor): libtorch's number for the scalar type
napi_value tensor_dtype(const Arguments&);
// device(tensor): 'cpu', 'cuda:0'
napi_value tensor_device(const Arguments&);
// isContiguous(tensor, memory format)
napi_value tensor_is_contiguous(const Arguments&);
// storage(tensor): [identity, bytes] of its memory, which a view shares with its base
napi_value tensor_storage(const Arguments&);
// hollow(tensor): gives its memory back
napi_value hollow_tensor(const Arguments&);

// free(tensor), keep(tensor), isLive(tensor), liveTensors()
napi_value free_tensor(const Arguments&);
napi_value keep_tensor(const Arguments&);
napi_value is_live(const Arguments&);
napi_value live_tensors(const Arguments&);
// enterScope(), leaveScope(kept: number[])
napi_value enter_scope(const Arguments&);
napi_value leave_scope(const Arguments&);

}  // namespace espalier
