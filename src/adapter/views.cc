// SPDX-License-Identifier: GPL-2.0
#include "adapter/views.h"

#include "adapter/adapter.h"
#include "base/scope_exit.h"
#include "shim/log.h"

namespace mana::adapter {

namespace {

template <typename Object, void (*Describe)(const Object&, const kern::Text&)>
constexpr auto show = [](void* context, shim_text* out) -> int {
  if (!shim_rtnl_lock_killable())
    return -static_cast<int>(Errno::kInterrupted);
  const ScopeExit unlock{[] { shim_rtnl_unlock(); }};
  const kern::Text text{out};
  Describe(*static_cast<const Object*>(context), text);
  return 0;
};

void function(const Adapter& adapter, const kern::Text& text) { adapter.describe(text); }
void settings(const port::Port& port, const kern::Text& text) { port.describe(text); }
void queues(const port::Port& port, const kern::Text& text) {
  port.describe_queues(text, true, true);
}
void rings(const port::Port& port, const kern::Text& text) {
  port.describe_rings(text, true, true);
}

struct PortFile {
  const char* name;
  int (*show)(void* context, shim_text* out);
};
constexpr PortFile kPortFiles[] = {
    {"settings", show<port::Port, settings>},
    {"queues", show<port::Port, queues>},
    {"rings", show<port::Port, rings>},
};

}  // namespace

Result<void> Views::create(const char* name, Adapter& adapter, Span<kern::Box<port::Port>> ports) {
  views_ = TRY(kern::Array<shim_view>::create(
      1 + sizeof(kPortFiles) / sizeof(*kPortFiles) * ports.size(), kern::kAnyNode));
  directory_ = shim_debugfs_directory(nullptr, name);
  shim_view* view = views_.begin();
  *view = {.name = "function", .show = show<Adapter, function>, .context = &adapter};
  shim_debugfs_file(directory_, view++);
  for (u32 i = 0; i < ports.size(); i++) {
    char port_name[16];
    shim_format(port_name, sizeof(port_name), "port%u", i);
    dentry* const directory = shim_debugfs_directory(directory_, port_name);
    port::Port* const port = ports[i].get();
    for (const PortFile& file : kPortFiles) {
      *view = {.name = file.name, .show = file.show, .context = port};
      shim_debugfs_file(directory, view++);
    }
  }
  return {};
}

void Views::remove() {
  if (directory_)
    shim_debugfs_remove(mana::exchange(directory_, nullptr));
}

}  // namespace mana::adapter
