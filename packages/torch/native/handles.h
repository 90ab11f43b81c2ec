// Tensors as JavaScript sees them: numbers that name a slot of a table, one table for each JavaScript thread.
//
// A number costs nothing to hand over (no wrapper object, no finalizer), and a slot's generation makes every use
// of a freed tensor an error instead of a crash. Scopes free what a training step left behind.
#pragma once

#include <ATen/core/Tensor.h>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace espalier {

class HandleTable {
 public:
  // A handle is generation * 2^32 + slot, exact as a double while generations stay below 2^21.
  double add(at::Tensor tensor) {
    uint32_t index;
    if (vacant_.empty()) {
      index = static_cast<uint32_t>(slots_.size());
      slots_.emplace_back();
    } else {
      index = vacant_.back();
      vacant_.pop_back();
    }
    Slot& slot = slots_[index];
    slot.tensor = std::move(tensor);
    slot.owned_by_scope = !scopes_.empty();
    slot.live = true;
    const double handle = handle_of(index);
    if (slot.owned_by_scope) scopes_.back().push_back(handle);
    ++live_;
    return handle;
  }

  const at::Tensor& get(double handle) const { return find(handle).tensor; }

  bool contains(double handle) const {
    const Slot* slot = lookup(handle);
    return slot != nullptr;
  }

  // From now on no scope frees it.
  void keep(double handle) { find(handle).owned_by_scope = false; }

  void free(double handle) {
    Slot& slot = find(handle);
    slot.tensor = at::Tensor();
    slot.live = false;
    slot.generation = slot.generation + 1 == kGenerations ? 1 : slot.generation + 1;
    vacant_.push_back(static_cast<uint32_t>(index_of(handle)));
    --live_;
  }

  void enter_scope() { scopes_.emplace_back(); }

  // Frees what the innermost scope owns, except `kept`, which the scope around it owns from now on.
  void leave_scope(const std::vector<double>& kept) {
    if (scopes_.empty()) throw std::logic_error("no scope is open");
    std::vector<double> owned = std::move(scopes_.back());
    scopes_.pop_back();
    for (double handle : kept) {
      Slot& slot = find(handle);
      if (!slot.owned_by_scope) continue;
      slot.owned_by_scope = false;
      survivors_.push_back(handle);
    }
    for (double handle : owned) {
      const Slot* slot = lookup(handle);
      if (slot != nullptr && slot->owned_by_scope) free(handle);
    }
    for (double handle : survivors_) {
      if (scopes_.empty()) continue;
      find(handle).owned_by_scope = true;
      scopes_.back().push_back(handle);
    }
    survivors_.clear();
  }

  size_t live() const { return live_; }

 private:
  static constexpr uint32_t kGenerations = 1u << 21;
  static constexpr double kSlots = 4294967296.0;

  struct Slot {
    at::Tensor tensor;
    uint32_t generation = 1;
    bool owned_by_scope = false;
    bool live = false;
  };

  double handle_of(uint32_t index) const { return slots_[index].generation * kSlots + index; }

  static uint64_t index_of(double handle) { return static_cast<uint64_t>(handle) & 0xffffffffu; }

  const Slot* lookup(double handle) const {
    if (!(handle >= kSlots && handle < kSlots * kGenerations)) return nullptr;
    const uint64_t index = index_of(handle);
    if (index >= slots_.size()) return nullptr;
    const Slot& slot = slots_[index];
    return slot.live && slot.generation == static_cast<uint64_t>(handle) >> 32 ? &slot : nullptr;
  }

  const Slot& find(double handle) const {
    const Slot* slot = lookup(handle);
    if (slot == nullptr)
      throw std::runtime_error("the tensor was freed (its scope ended, or free() was called), or belongs to another thread");
    return *slot;
  }

  Slot& find(double handle) { return const_cast<Slot&>(static_cast<const HandleTable*>(this)->find(handle)); }

  std::vector<Slot> slots_;
  std::vector<uint32_t> vacant_;
  std::vector<std::vector<double>> scopes_;
  std::vector<double> survivors_;
  size_t live_ = 0;
};

}  // namespace espalier
