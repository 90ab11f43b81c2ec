#pragma once

#include "javascript.h"

namespace espalier {

// openStore(file | null, host, port, serves, milliseconds): opens what the processes of a group find each other by, a file or a
// port of one of them, which it returns
napi_value open_store(const Arguments&);
// storeSet(key, text); storeHas(keys): whether all of them are set
napi_value store_set(const Arguments&);
napi_value store_has(const Arguments&);
// joinGroup(rank, size, address, milliseconds, device): waits for the others. The process listens at the address, a name or a
// number, and computes on the device. Returns what exchanges tensors on GPUs: 'nccl', or 'gloo', through the host's memory
napi_value join_group(const Arguments&);
// leaveGroup(): also closes the store
napi_value leave_group(const Arguments&);
// allReduce(tensors): replaces the values by their sums over all processes; broadcast(tensors, root): by those of one
napi_value all_reduce(const Arguments&);
napi_value broadcast(const Arguments&);
// barrier(): waits until all processes have come to it
napi_value barrier(const Arguments&);
// synchroniseNorms(on): whether batch norms normalise by the batches of all processes; returns whether they did before
napi_value synchronise_norms(const Arguments&);

}  // namespace espalier
