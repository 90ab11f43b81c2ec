// Tensors as JavaScript sees them: numbers that name a slot of a table, one table for each JavaScript thread.
//
// A number costs nothing to hand over (no wrapper object, no finalizer). It says whose table, which slot and which of
// the tensors that follow each other in that slot (its generation), so a freed tensor or another thread's is an error
// instead of a crash or another tensor's values. Scopes free what a training step left behind.
#pragma once

#include <ATen/core/Tensor.h>
#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace espalier {

class HandleTable {
 public:
  double add(at::Tensor tensor) {
    uint64_t index;
    if (vacant_.empty()) {
      index = slots_.size();
      if (index == kSlots) throw std::runtime_error("this thread holds " + std::to_string(live_) + " tensors; there is no room for more");
      slots_.emplace_back();
    } else {
      index = vacant_.back();
      vacant_.pop_back();
    }
    Slot& slot = slots_[index];
    slot.tensor = std::move(tensor);
    slot.scope = scopes_.size();
    slot.live = true;
    // An integer below 2^53: exact as a double.
    const double handle = static_cast<double>((slot.generation * kThreads + thread_) * kSlots + index);
    if (slot.scope > 0) scopes_.back().push_back(handle);
    ++live_;
    return handle;
  }

  const at::Tensor& get(double handle) const { return find(handle).tensor; }

  bool contains(double handle) const { return lookup(handle) != nullptr; }

  // From now on no scope frees it.
  void keep(double handle) { find(handle).scope = 0; }

  void free(double handle) {
    Slot& slot = find(handle);
    slot.tensor = at::Tensor();
    slot.live = false;
    --live_;
    // A slot whose generations are used up is never used again: a handle names one tensor for all time.
    if (++slot.generation < kGenerations) vacant_.push_back(index_of(handle));
  }

  void enter_scope() { scopes_.emplace_back(); }

  // Frees what the innermost scope owns, except `kept`, which the scope around it owns from now on. What an outer
  // scope owns, or none, stays with its owner.
  void leave_scope(const std::vector<double>& kept) {
    if (scopes_.empty()) throw std::logic_error("no scope is open");
    const size_t scope = scopes_.size();
    const std::vector<double> owned = std::move(scopes_.back());
    scopes_.pop_back();
    for (const double handle : kept) {
      Slot* slot = lookup(handle);
      if (slot == nullptr || slot->scope != scope) continue;
      slot->scope = scope - 1;
      if (!scopes_.empty()) scopes_.back().push_back(handle);
    }
    for (const double handle : owned) {
      const Slot* slot = lookup(handle);
      if (slot != nullptr && slot->scope == scope) free(handle);
    }
  }

  size_t live() const { return live_; }

 private:
  static constexpr uint64_t kSlots = 1u << 24;
  static constexpr uint64_t kThreads = 1u << 10;
  static constexpr uint64_t kGenerations = 1u << 19;

  struct Slot {
    at::Tensor tensor;
    uint64_t generation = 1;
    // How deep the scope that owns it lies; 0: none does.
    size_t scope = 0;
    bool live = false;
  };

  static uint64_t next_thread() {
    static std::atomic<uint64_t> tables{0};
    return tables++ % kThreads;
  }

  static uint64_t index_of(double handle) { return static_cast<uint64_t>(handle) % kSlots; }

  const Slot* lookup(double handle) const {
    if (!(handle >= 0 && handle < static_cast<double>(kGenerations * kThreads * kSlots))) return nullptr;
    const uint64_t index = index_of(handle);
    if (index >= slots_.size()) return nullptr;
    const Slot& slot = slots_[index];
    const uint64_t rest = static_cast<uint64_t>(handle) / kSlots;
    return slot.live && rest == slot.generation * kThreads + thread_ ? &slot : nullptr;
  }

  Slot* lookup(double handle) { return const_cast<Slot*>(static_cast<const HandleTable*>(this)->lookup(handle)); }

  const Slot& find(double handle) const {
    const Slot* slot = lookup(handle);
    if (slot == nullptr)
      throw std::runtime_error("the tensor was freed (its scope ended, or free() was called), or belongs to another thread");
    return *slot;
  }

  Slot& find(double handle) { return const_cast<Slot&>(static_cast<const HandleTable*>(this)->find(handle)); }

  const uint64_t thread_ = next_thread();
  std::vector<Slot> slots_;
  std::vector<uint64_t> vacant_;
  std::vector<std::vector<double>> scopes_;
  size_t live_ = 0;
};

}  // namespace espalier
