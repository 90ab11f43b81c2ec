// Tensors as JavaScript sees them: numbers that name a slot of a table. Each JavaScript thread has a table of its own.
//
// Passing a number costs nothing (no wrapper object, no finalizer). It names the table, the slot, and which of the slot's
// successive tensors is meant (its generation). A freed tensor or another thread's is therefore an error, never a crash or
// another tensor's values. Scopes free what a training step leaves behind.
#pragma once

#include <ATen/core/Tensor.h>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace espalier {

class HandleTable {
 public:
  // How many tables a process can have at a time.
  static constexpr uint64_t kTables = 1u << 10;

  explicit HandleTable(uint64_t table) : table_(table) {}

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
    const double handle = static_cast<double>((slot.generation * kTables + table_) * kSlots + index);
    if (slot.scope > 0) scopes_.back().push_back(handle);
    ++live_;
    return handle;
  }

  const at::Tensor& get(double handle) const { return find(handle).tensor; }

  bool contains(double handle) const { return lookup(handle) != nullptr; }

  // From now on no scope frees it.
  void keep(double handle) { find(handle).scope = 0; }

  void free(double handle) {
    find(handle);
    vacate(index_of(handle));
  }

  void enter_scope() { scopes_.emplace_back(); }

  // Frees the tensors of the innermost scope, except `kept`, which pass to the scope around it. The tensors of outer scopes, or of
  // none, stay where they are.
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
      if (slot != nullptr && slot->scope == scope) vacate(index_of(handle));
    }
  }

  // Frees every tensor and closes every scope.
  void clear() {
    scopes_.clear();
    for (uint64_t index = 0; index < slots_.size(); ++index)
      if (slots_[index].live) vacate(index);
  }

  size_t live() const { return live_; }

 private:
  static constexpr uint64_t kSlots = 1u << 24;
  static constexpr uint64_t kGenerations = 1u << 19;

  struct Slot {
    at::Tensor tensor;
    uint64_t generation = 1;
    // The depth of the scope that owns it; 0: none.
    size_t scope = 0;
    bool live = false;
  };

  static uint64_t index_of(double handle) { return static_cast<uint64_t>(handle) % kSlots; }

  void vacate(uint64_t index) {
    Slot& slot = slots_[index];
    slot.tensor = at::Tensor();
    slot.live = false;
    --live_;
    // A slot that has used up its generations is never used again: a handle names one tensor for all time.
    if (++slot.generation < kGenerations) vacant_.push_back(index);
  }

  const Slot* lookup(double handle) const {
    if (!(handle >= 0 && handle < static_cast<double>(kGenerations * kTables * kSlots))) return nullptr;
    const uint64_t whole = static_cast<uint64_t>(handle), index = whole % kSlots;
    if (static_cast<double>(whole) != handle || index >= slots_.size()) return nullptr;
    const Slot& slot = slots_[index];
    return slot.live && whole / kSlots == slot.generation * kTables + table_ ? &slot : nullptr;
  }

  Slot* lookup(double handle) { return const_cast<Slot*>(static_cast<const HandleTable*>(this)->lookup(handle)); }

  const Slot& find(double handle) const {
    const Slot* slot = lookup(handle);
    if (slot == nullptr)
      throw std::runtime_error("the tensor was freed (its scope ended, or free() was called), or belongs to another thread");
    return *slot;
  }

  Slot& find(double handle) { return const_cast<Slot&>(static_cast<const HandleTable*>(this)->find(handle)); }

  const uint64_t table_;
  std::vector<Slot> slots_;
  std::vector<uint64_t> vacant_;
  std::vector<std::vector<double>> scopes_;
  size_t live_ = 0;
};

// The tables of a process. A thread that ends leaves its table, emptied, to the next thread. Since the slots keep their generations,
// no handle of the old thread is ever a handle of the new one.
class HandleTables {
 public:
  static std::unique_ptr<HandleTable> take() {
    HandleTables& tables = all();
    const std::lock_guard<std::mutex> lock(tables.mutex_);
    if (!tables.unused_.empty()) {
      std::unique_ptr<HandleTable> table = std::move(tables.unused_.back());
      tables.unused_.pop_back();
      return table;
    }
    if (tables.made_ == HandleTable::kTables)
      throw std::runtime_error("libtorch is loaded in " + std::to_string(tables.made_) + " threads of this process; there is no room for more");
    return std::make_unique<HandleTable>(tables.made_++);
  }

  static void give_back(std::unique_ptr<HandleTable> table) {
    table->clear();
    HandleTables& tables = all();
    const std::lock_guard<std::mutex> lock(tables.mutex_);
    tables.unused_.push_back(std::move(table));
  }

 private:
  // Never destroyed: threads may end after the static destructors of the process.
  static HandleTables& all() {
    static HandleTables& tables = *new HandleTables();
    return tables;
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<HandleTable>> unused_;
  uint64_t made_ = 0;
};

}  // namespace espalier
