# SPDX-License-Identifier: GPL-2.0
# The devices of our QEMU, for --without-default-devices. A short list is most of a fast build.

# A PCIe machine; its bridges have hot-pluggable slots, so a function can be unplugged and reset.
CONFIG_Q35=y
CONFIG_PCIE_PORT=y
CONFIG_SERIAL_ISA=y

# The function under test.
CONFIG_MANA=y

# Channels to the guest besides the console, and a way to end with an exit status.
CONFIG_ISA_DEBUG=y
CONFIG_VIRTIO_PCI=y
CONFIG_VIRTIO_SERIAL=y
CONFIG_VIRTIO_RNG=y

# A second NIC for comparison, and an IOMMU to put the function behind.
CONFIG_VIRTIO_NET=y
CONFIG_VTD=y
