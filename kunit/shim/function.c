// SPDX-License-Identifier: GPL-2.0
/* A PCI function in software: function.h. Registers are in mmio.c, interrupts in vectors.c. */

#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/irq_work.h>
#include <linux/irqdomain.h>
#include <linux/mm.h>
#include <linux/netdevice.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/unaligned.h>
#include <linux/workqueue.h>

#include <asm/pci.h>

#include "kunit/shim/cases.h"
#include "kunit/shim/function_internal.h"
#include "kunit/shim/iommu.h"
#include "kunit/shim/mmio.h"
#include "shim/entry.h"

#define VENDOR 0x1414
#define DEVICE 0x00ba
#define PCIE_CAPABILITY 0x40
/* Above all real domains, which have 16 bits. */
#define FIRST_DOMAIN 0x20000

static struct kunit_function *functions[KUNIT_MAX_FUNCTIONS];

struct kunit_function *kunit_function_by_id(u32 id)
{
	return id < KUNIT_MAX_FUNCTIONS ? READ_ONCE(functions[id]) : NULL;
}

/* --- configuration space --- */

static u8 *config_byte(struct kunit_function *function, int where)
{
	return (u8 *)function->config_space + where;
}

static void init_config_space(struct kunit_function *function)
{
	u8 *space = config_byte(function, 0);

	put_unaligned_le16(VENDOR, space + PCI_VENDOR_ID);
	put_unaligned_le16(DEVICE, space + PCI_DEVICE_ID);
	put_unaligned_le16(PCI_STATUS_CAP_LIST, space + PCI_STATUS);
	put_unaligned_le16(PCI_CLASS_NETWORK_ETHERNET, space + PCI_CLASS_DEVICE);
	put_unaligned_le32(PCI_BASE_ADDRESS_MEM_TYPE_64, space + PCI_BASE_ADDRESS_0);
	space[PCI_CAPABILITY_LIST] = PCIE_CAPABILITY;
	space[PCIE_CAPABILITY] = PCI_CAP_ID_EXP;
	put_unaligned_le16(2 | PCI_EXP_TYPE_RC_END << 4, space + PCIE_CAPABILITY + PCI_EXP_FLAGS);
	put_unaligned_le32(PCI_EXP_DEVCAP_FLR, space + PCIE_CAPABILITY + PCI_EXP_DEVCAP);
}

static int config_read(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 *value)
{
	struct kunit_function *function =
		container_of(bus->sysdata, struct kunit_function, sysdata);

	*value = ~0;
	if (devfn)
		return PCIBIOS_DEVICE_NOT_FOUND;
	*value = 0;
	if (where + size <= (int)sizeof(function->config_space))
		memcpy(value, config_byte(function, where), size);
	return PCIBIOS_SUCCESSFUL;
}

static void reset(struct kunit_function *function)
{
	unsigned long flags;

	hrtimer_cancel(&function->timer);
	spin_lock_irqsave(&function->lock, flags);
	function->resets++;
	function->wanted = false;
	function->config.ops->reset(function->config.device);
	spin_unlock_irqrestore(&function->lock, flags);
}

static int config_write(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 value)
{
	struct kunit_function *function =
		container_of(bus->sysdata, struct kunit_function, sysdata);
	u64 base;

	if (devfn)
		return PCIBIOS_DEVICE_NOT_FOUND;
	if (where == PCI_COMMAND) {
		memcpy(config_byte(function, where), &value, min(size, 2));
	} else if (where == PCI_BASE_ADDRESS_0 || where == PCI_BASE_ADDRESS_0 + 4) {
		memcpy(config_byte(function, where), &value, size);
		base = get_unaligned_le64(config_byte(function, PCI_BASE_ADDRESS_0));
		base &= ~(function->config.bar_bytes - 1);
		put_unaligned_le64(base | PCI_BASE_ADDRESS_MEM_TYPE_64,
				   config_byte(function, PCI_BASE_ADDRESS_0));
	} else if (where == PCIE_CAPABILITY + PCI_EXP_DEVCTL && (value & PCI_EXP_DEVCTL_BCR_FLR)) {
		reset(function);
	}
	return PCIBIOS_SUCCESSFUL;
}

static struct pci_ops config_ops = {.read = config_read, .write = config_write};

/* --- pace --- */

/* Under the lock. */
static void run_device(struct kunit_function *function)
{
	function->wanted = false;
	function->running = true;
	atomic_inc(&function->activity);
	function->config.ops->run(function->config.device);
	function->running = false;
}

static void run_later(struct work_struct *work)
{
	struct kunit_function *function = container_of(work, struct kunit_function, run);
	unsigned long flags;
	bool more;

	spin_lock_irqsave(&function->lock, flags);
	if (function->pace != KUNIT_PACE_MANUAL)
		run_device(function);
	more = function->wanted && function->pace != KUNIT_PACE_MANUAL;
	spin_unlock_irqrestore(&function->lock, flags);
	if (more)
		queue_work(system_unbound_wq, &function->run);
}

static enum hrtimer_restart timer_expired(struct hrtimer *timer)
{
	struct kunit_function *function = container_of(timer, struct kunit_function, timer);

	queue_work(system_unbound_wq, &function->run);
	return HRTIMER_NORESTART;
}

void kunit_schedule(struct kunit_function *function)
{
	function->wanted = true;
	/* A device that runs at once asks from inside its write; see kunit_function_write(). */
	if (function->pace == KUNIT_PACE_LATER && !function->running)
		queue_work(system_unbound_wq, &function->run);
}

void kunit_run_at(struct kunit_function *function, u64 deadline_ns)
{
	if (deadline_ns == ~0ull)
		hrtimer_try_to_cancel(&function->timer);
	else
		hrtimer_start(&function->timer, ns_to_ktime(deadline_ns), HRTIMER_MODE_ABS);
}

u64 kunit_now_ns(void)
{
	return ktime_get_ns();
}

u64 kunit_function_read(struct kunit_function *function, u64 offset, u32 size)
{
	unsigned long flags;
	u64 value;

	atomic_inc(&function->activity);
	spin_lock_irqsave(&function->lock, flags);
	value = function->config.ops->read(function->config.device, offset, size);
	spin_unlock_irqrestore(&function->lock, flags);
	return value;
}

void kunit_function_write(struct kunit_function *function, u64 offset, u64 value, u32 size)
{
	unsigned long flags;
	u32 runs = 0;

	atomic_inc(&function->activity);
	spin_lock_irqsave(&function->lock, flags);
	function->config.ops->write(function->config.device, offset, value, size);
	while (function->wanted && function->pace == KUNIT_PACE_AT_ONCE) {
		/* What insists is left to a worker: no write may take forever. */
		if (runs++ == 64) {
			queue_work(system_unbound_wq, &function->run);
			break;
		}
		run_device(function);
	}
	spin_unlock_irqrestore(&function->lock, flags);
}

void kunit_function_set_pace(struct kunit_function *function, enum kunit_pace pace)
{
	unsigned long flags = kunit_function_lock(function);

	function->pace = pace;
	if (function->wanted && pace != KUNIT_PACE_MANUAL)
		queue_work(system_unbound_wq, &function->run);
	kunit_function_unlock(function, flags);
}

void kunit_function_run(struct kunit_function *function)
{
	unsigned long flags = kunit_function_lock(function);

	run_device(function);
	/* Asked for from inside the run. */
	if (function->wanted && function->pace != KUNIT_PACE_MANUAL)
		queue_work(system_unbound_wq, &function->run);
	kunit_function_unlock(function, flags);
}

/* Polls wait for a busy processor longer than anything else. */
static bool polls_are_due(struct kunit_function *function)
{
	struct net_device *netdev;
	struct napi_struct *napi;
	bool due = false;

	rcu_read_lock();
	for_each_netdev_rcu(&init_net, netdev)
	{
		if (netdev->dev.parent != &function->pdev->dev)
			continue;
		/* Those that are disabled look as if they were scheduled. */
		list_for_each_entry_rcu(napi, &netdev->napi_list, dev_list) due |=
			test_bit(NAPI_STATE_SCHED, &napi->state) &&
			!test_bit(NAPI_STATE_NPSVC, &napi->state);
	}
	rcu_read_unlock();
	return due;
}

bool kunit_function_settle(struct kunit_function *function, u32 milliseconds)
{
	unsigned long end = jiffies + msecs_to_jiffies(milliseconds);
	u32 quiet = 0;
	int seen = atomic_read(&function->activity);

	/*
	 * Deferred work of driver and stack runs while this sleeps. The emulated processor is slow,
	 * so it sleeps long; when there is nothing to do the clock jumps.
	 */
	while (quiet < 4) {
		flush_work(&function->run);
		msleep(20);
		if (seen == atomic_read(&function->activity) && !polls_are_due(function)) {
			quiet++;
			continue;
		}
		seen = atomic_read(&function->activity);
		quiet = 0;
		if (time_after(jiffies, end))
			return false;
	}
	return true;
}

unsigned long kunit_function_lock(struct kunit_function *function)
{
	unsigned long flags;

	spin_lock_irqsave(&function->lock, flags);
	return flags;
}

void kunit_function_unlock(struct kunit_function *function, unsigned long flags)
{
	spin_unlock_irqrestore(&function->lock, flags);
}

void *kunit_device_alloc(size_t bytes)
{
	return in_atomic() || irqs_disabled() ? kzalloc(bytes, GFP_ATOMIC)
					      : kvzalloc(bytes, GFP_KERNEL);
}

void kunit_device_free(void *memory)
{
	kvfree(memory);
}

/* --- life --- */

static int add_bus(struct kunit_function *function)
{
	struct pci_host_bridge *bridge;
	int error;

	function->window = (struct resource){.name = "mana_kunit", .flags = IORESOURCE_MEM};
	error = allocate_resource(&iomem_resource, &function->window, function->config.bar_bytes,
				  SZ_4G, ~0ull, function->config.bar_bytes, NULL, NULL);
	if (error)
		return error;

	bridge = pci_alloc_host_bridge(0);
	if (!bridge) {
		error = -ENOMEM;
		goto release;
	}
	function->sysdata.domain = FIRST_DOMAIN + function->id;
	function->sysdata.node = NUMA_NO_NODE;
	pci_add_resource(&bridge->windows, &function->window);
	bridge->sysdata = &function->sysdata;
	bridge->ops = &config_ops;
	error = pci_scan_root_bus_bridge(bridge);
	if (error) {
		pci_free_host_bridge(bridge);
		goto release;
	}
	function->bridge = bridge;
	function->bus = bridge->bus;
	return 0;

release:
	release_resource(&function->window);
	return error;
}

struct kunit_function *kunit_function_create(const struct kunit_function_config *config)
{
	struct kunit_function *function = kzalloc(sizeof(*function), GFP_KERNEL);
	u32 id = 0;

	if (!function)
		return NULL;
	while (id < KUNIT_MAX_FUNCTIONS && functions[id])
		id++;
	if (id == KUNIT_MAX_FUNCTIONS)
		goto free;
	function->config = *config;
	function->id = id;
	spin_lock_init(&function->lock);
	INIT_WORK(&function->run, run_later);
	hrtimer_init(&function->timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	function->timer.function = timer_expired;
	function->iommu = kunit_iommu_create();
	if (!function->iommu)
		goto free;
	init_config_space(function);
	config->announce(config->device, function);

	pci_lock_rescan_remove();
	if (add_bus(function)) {
		pci_unlock_rescan_remove();
		goto free_iommu;
	}
	function->pdev = pci_get_slot(function->bus, 0);
	functions[id] = function;
	pci_bus_assign_resources(function->bus);
	kunit_iommu_attach(function->iommu, &function->pdev->dev);
	/* Before that, the bus shows the device to no driver. */
	if (config->bind)
		pci_bus_add_devices(function->bus);
	pci_unlock_rescan_remove();
	return function;

free_iommu:
	kunit_iommu_destroy(function->iommu);
free:
	kfree(function);
	return NULL;
}

void kunit_function_destroy(struct kunit_function *function)
{
	pci_lock_rescan_remove();
	pci_stop_root_bus(function->bus);
	pci_remove_root_bus(function->bus);
	pci_unlock_rescan_remove();
	kunit_vectors_audit(function);
	if (function->mapped)
		kunit_fail(__FILE__, __LINE__, "BAR 0 is still mapped");
	WRITE_ONCE(functions[function->id], NULL);
	hrtimer_cancel(&function->timer);
	cancel_work_sync(&function->run);
	kunit_iommu_destroy(function->iommu);
	pci_dev_put(function->pdev);
	pci_free_host_bridge(function->bridge);
	release_resource(&function->window);
	kfree(function);
}

struct pci_dev *kunit_function_pdev(struct kunit_function *function)
{
	return function->pdev;
}

struct kunit_function *kunit_function_of(struct pci_dev *pdev)
{
	if (pdev->bus->ops != &config_ops)
		return NULL;
	return container_of(pdev->bus->sysdata, struct kunit_function, sysdata);
}

struct mana_adapter *kunit_function_adapter(struct kunit_function *function)
{
	return pci_get_drvdata(function->pdev);
}

int kunit_function_probe(struct kunit_function *function, struct mana_adapter **adapter)
{
	int error;

	kunit_function_lock_driver(function);
	error = mana_adapter_probe(function->pdev, adapter);
	kunit_function_unlock_driver(function);
	return error;
}

void kunit_function_remove(struct kunit_function *function, struct mana_adapter *adapter)
{
	kunit_function_lock_driver(function);
	mana_adapter_remove(adapter);
	kunit_function_unlock_driver(function);
}

void kunit_function_lock_driver(struct kunit_function *function)
{
	device_lock(&function->pdev->dev);
}

void kunit_function_unlock_driver(struct kunit_function *function)
{
	device_unlock(&function->pdev->dev);
}

u64 kunit_function_resets(const struct kunit_function *function)
{
	return function->resets;
}

void kunit_function_allow_resets(struct kunit_function *function, bool allow)
{
	u8 *methods = function->pdev->reset_methods;

	/* The kernel found one, function level reset, when it saw the function first. */
	if (!allow != !methods[0])
		swap(methods[0], function->reset_method);
}
