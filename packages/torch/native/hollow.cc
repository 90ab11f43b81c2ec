#include "hollow.h"

#include <sys/mman.h>

#include <cstring>
#include <memory>
#include <mutex>
#include <new>

namespace espalier {
namespace {

// Pages that nobody writes to take no memory, however many there are.
class ZeroPages {
 public:
  explicit ZeroPages(std::size_t bytes) : bytes_(bytes) {
    pages_ = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages_ == MAP_FAILED) throw std::bad_alloc();
  }
  ZeroPages(const ZeroPages&) = delete;
  ZeroPages& operator=(const ZeroPages&) = delete;
  ~ZeroPages() { munmap(pages_, bytes_); }

  void* data() const { return pages_; }
  std::size_t bytes() const { return bytes_; }

  void clear() {
#ifdef __linux__
    // The pages are dropped, and are zeros when they are next read.
    madvise(pages_, bytes_, MADV_DONTNEED);
#else
    std::memset(pages_, 0, bytes_);
#endif
  }

 private:
  void* pages_;
  std::size_t bytes_;
};

using Shared = std::shared_ptr<ZeroPages>;

void release(void* context) { delete static_cast<Shared*>(context); }

// The largest pages so far, as long as a tensor lies in them.
Shared pages_of(std::size_t bytes) {
  static std::mutex mutex;
  static std::weak_ptr<ZeroPages> latest;
  const std::lock_guard<std::mutex> lock(mutex);
  Shared pages = latest.lock();
  if (pages == nullptr || pages->bytes() < bytes) {
    // Twice as much, so that tensors that grow little by little share few mappings.
    pages = std::make_shared<ZeroPages>(2 * bytes);
    latest = pages;
  }
  return pages;
}

}  // namespace

void hollow(const at::Tensor& tensor) {
  TORCH_CHECK(tensor.device().is_cpu(), "hollow: a tensor on ", tensor.device(), "; allowed: cpu");
  c10::StorageImpl* const storage = tensor.storage().unsafeGetStorageImpl();
  if (storage->nbytes() == 0) return;
  if (storage->data_ptr().get_deleter() == &release) {
    (*static_cast<Shared*>(storage->data_ptr().get_context()))->clear();
    return;
  }
  Shared pages = pages_of(storage->nbytes());
  pages->clear();
  void* const data = pages->data();
  storage->set_data_ptr_noswap({data, new Shared(std::move(pages)), &release, c10::Device(c10::DeviceType::CPU)});
}

}  // namespace espalier
