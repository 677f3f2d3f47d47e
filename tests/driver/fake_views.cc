// SPDX-License-Identifier: GPL-2.0
// debugfs, devlink and their texts: files are found by path, reports are noted down.
#include "fake_kernel.h"
#include "shim/debugfs.h"
#include "shim/devlink.h"

namespace {

mana::test::FakeKernel& kernel() { return mana::test::FakeKernel::current(); }

}  // namespace

// --- text.h ---

void shim_text_begin(shim_text* text, const char* name) {
  text->lines += std::string(text->indent, ' ') + name + "\n";
  text->indent += 2;
}
void shim_text_begin_number(shim_text* text, const char* name, u32 index) {
  shim_text_begin(text, (std::string{name} + " " + std::to_string(index)).c_str());
}
void shim_text_end(shim_text* text) {
  if (text->indent < 2)
    kernel().error("a text's group is ended twice");
  text->indent -= 2;
}
void shim_text_word(shim_text* text, const char* name, const char* value) {
  text->lines += std::string(text->indent, ' ') + name + ": " + value + "\n";
}
void shim_text_number(shim_text* text, const char* name, u64 value) {
  shim_text_word(text, name, std::to_string(value).c_str());
}
void shim_text_hex(shim_text* text, const char* name, u64 value) {
  char digits[20];
  std::snprintf(digits, sizeof(digits), "0x%llx", value);
  shim_text_word(text, name, digits);
}
void shim_text_dwords(shim_text* text, u32 index, const u32* dwords, u32 count) {
  std::string value;
  for (u32 i = 0; i < count; i++)
    value += (i ? " " : "") + std::to_string(dwords[i]);
  shim_text_word(text, ("[" + std::to_string(index) + "]").c_str(), value.c_str());
}

// --- debugfs.h ---

dentry* shim_debugfs_directory(dentry* parent, const char* name) {
  kernel().process_context("shim_debugfs_directory");
  auto& made = kernel().directories.emplace_back(std::make_unique<dentry>());
  made->path = (parent ? parent->path + "/" : "") + name;
  return made.get();
}
void shim_debugfs_file(dentry* directory, const shim_view* view) {
  kernel().views[directory->path + "/" + view->name] = view;
}
void shim_debugfs_remove(dentry* directory) {
  if (kernel().rtnl_)
    kernel().error("debugfs is removed under RTNL, which its readers wait for");
  const std::string path = directory->path;
  std::erase_if(kernel().views, [&](auto& view) { return view.first.starts_with(path + "/"); });
  std::erase_if(kernel().directories, [&](auto& made) {
    return made->path == path || made->path.starts_with(path + "/");
  });
}

std::string mana::test::FakeKernel::read(const std::string& path) {
  const auto view = views.find(path);
  shim_text text;
  if (view == views.end() || view->second->show(view->second->context, &text) != 0)
    return "";
  if (text.indent != 0)
    error("a text's group is not ended: " + path);
  return text.lines;
}

// --- devlink.h ---

shim_devlink* shim_devlink_create(pci_dev*, mana_adapter*) {
  kernel().process_context("shim_devlink_create");
  return kernel().devlink.emplace_back(std::make_unique<shim_devlink>()).get();
}
void shim_devlink_register(shim_devlink* devlink) { devlink->registered = true; }
void shim_devlink_unregister(shim_devlink* devlink) {
  if (kernel().rtnl_)
    kernel().error("devlink is unregistered under RTNL, which its callbacks take");
  if (devlink)
    devlink->registered = false;
}
void shim_devlink_destroy(shim_devlink* devlink) {
  if (devlink && devlink->registered)
    kernel().error("devlink is destroyed while people see it");
  std::erase_if(kernel().devlink, [&](auto& made) { return made.get() == devlink; });
}
void shim_devlink_report(shim_devlink*, shim_reporter which, const char* sentence) {
  kernel().process_context("shim_devlink_report");
  if (kernel().rtnl_)
    kernel().error("a report to devlink under RTNL, which its callbacks take");
  kernel().health.push_back(std::to_string(which) + " " + sentence);
}
void shim_devlink_recovered(shim_devlink*, shim_reporter which) {
  if (kernel().rtnl_)
    kernel().error("a report to devlink under RTNL, which its callbacks take");
  kernel().health.push_back(std::to_string(which) + " recovered");
}
