// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "kern/memory.h"
#include "port/port.h"
#include "shim/debugfs.h"

namespace mana::adapter {

class Adapter;

// What debugfs shows of a function: below mana/<its PCI name>, the file "function", and for each
// port a directory with "settings", "queues" and "rings".
//
// A reading takes RTNL, under which ports and channels change. remove() waits for readers, and so
// is called without RTNL and before anything that they look at goes.
class Views : NonCopyable {
 public:
  ~Views() { remove(); }

  // In a kernel without debugfs there is nothing to see.
  Result<void> create(const char* name, Adapter& adapter, Span<kern::Box<port::Port>> ports);
  void remove();

 private:
  dentry* directory_ = nullptr;
  kern::Array<shim_view> views_;
};

}  // namespace mana::adapter
