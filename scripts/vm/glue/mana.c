/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PCI function 1414:00ba whose insides are a loadable device model.
 *
 * QEMU's half of include/vnic/device_model.h: this file owns the PCI function, guest memory,
 * interrupts, time and network backends, and knows nothing about what the function does.
 *
 * A guest can aim any DMA, interrupt message or frame at this very function. So that the model is
 * never entered twice, nothing that can come back is done while the model runs: interrupts and
 * frames are collected, and sent after it returned ("delivery"). DMA reaches only RAM.
 */

#include "qemu/osdep.h"

#include <dlfcn.h>

#include "hw/pci/msix.h"
#include "hw/pci/pci.h"
#include "hw/qdev-properties.h"
#include "migration/vmstate.h"
#include "net/net.h"
#include "qapi/error.h"
#include "qemu/bitmap.h"
#include "qemu/error-report.h"
#include "qemu/log.h"
#include "qemu/main-loop.h"
#include "qemu/memalign.h"
#include "qemu/module.h"
#include "qemu/timer.h"
#include "qemu/units.h"
#include "vnic/device_model.h"

#define TYPE_MANA "mana"
OBJECT_DECLARE_SIMPLE_TYPE(ManaState, MANA)

enum {
    MANA_VENDOR_ID = 0x1414,
    MANA_DEVICE_ID = 0x00ba,
    MANA_REGISTER_BAR = 0,
    MANA_MSIX_BAR = 4,
    MANA_PCIE_CAPABILITY = 0x80,
    MANA_MAX_VECTORS = 2048,        /* of the MSI-X capability */
    MANA_REPLY_SIZE = 64 * 1024,
    MANA_GUEST_LINES_PER_SECOND = 5,
};

static const uint64_t MANA_MAX_REGISTER_BYTES = 1 * GiB;

typedef struct ManaPort {
    ManaState *owner;
    uint32_t index;
    NICConf conf;
    NICState *nic; /* NULL: a port of the model's internal switch */
} ManaPort;

typedef struct ManaFrame {
    QSIMPLEQ_ENTRY(ManaFrame) next;
    uint32_t port;
    size_t length;
    uint8_t bytes[];
} ManaFrame;

struct ManaState {
    PCIDevice parent;

    /* properties */
    char *model_path;
    char *options;
    uint32_t port_count;
    uint32_t queue_count;
    uint32_t mtu;
    uint32_t defer_ns;
    bool trace;
    MACAddr mac;
    ManaPort ports[VNIC_MAX_PORTS];

    /* the model */
    void *library;
    const struct vnic_model_ops *ops;
    struct vnic_model *model;
    char *reply; /* to the last control line */

    /* what it needs */
    MemoryRegion registers;
    QEMUBH *run_soon;
    QEMUTimer *run_deferred; /* instead of run_soon, with defer_ns */
    QEMUTimer *run_later;
    QEMUBH *accept_frames;
    uint32_t vector_count;

    /* what it asked for while it ran */
    bool busy; /* the model runs, or what it left is being delivered */
    bool refused_frame;
    bool reset_requested;
    bool run_wanted;       /* by schedule() */
    bool deadline_changed; /* by run_at() */
    uint64_t deadline;
    DECLARE_BITMAP(raised, MANA_MAX_VECTORS);
    QSIMPLEQ_HEAD(, ManaFrame) outgoing;

    /* complaints about the guest, limited per second of real time */
    int64_t complaint_second;
    unsigned int complaints;
};

/* ---- messages ---- */

static void G_GNUC_PRINTF(2, 3) mana_blame_guest(ManaState *s, const char *format, ...)
{
    int64_t second = qemu_clock_get_ms(QEMU_CLOCK_REALTIME) / 1000;
    g_autofree char *text = NULL;
    va_list arguments;

    if (second != s->complaint_second) {
        if (s->complaints > MANA_GUEST_LINES_PER_SECOND) {
            warn_report("mana: guest: %u more lines not shown",
                        s->complaints - MANA_GUEST_LINES_PER_SECOND);
        }
        s->complaint_second = second;
        s->complaints = 0;
    }
    if (++s->complaints > MANA_GUEST_LINES_PER_SECOND) {
        return;
    }
    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    warn_report("mana: guest: %s", text);
}

static void mana_host_log(void *opaque, enum vnic_log_level level, const char *text)
{
    ManaState *s = opaque;

    switch (level) {
    case VNIC_LOG_ERROR:
        error_report("mana: %s", text);
        break;
    case VNIC_LOG_GUEST:
        mana_blame_guest(s, "%s", text);
        break;
    case VNIC_LOG_TRACE:
        if (s->trace) {
            info_report("mana: %s", text);
        }
        break;
    }
}

/* ---- entering and leaving the model ---- */

static bool mana_enter(ManaState *s)
{
    if (!s->model || s->busy) {
        return false;
    }
    s->busy = true;
    return true;
}

static void mana_deliver_interrupts(ManaState *s)
{
    unsigned long vector;

    while (s->model &&
           (vector = find_first_bit(s->raised, s->vector_count)) < s->vector_count) {
        clear_bit(vector, s->raised);
        msix_notify(&s->parent, vector);
    }
}

static void mana_deliver_frames(ManaState *s)
{
    ManaFrame *frame;

    while ((frame = QSIMPLEQ_FIRST(&s->outgoing))) {
        QSIMPLEQ_REMOVE_HEAD(&s->outgoing, next);
        if (s->ports[frame->port].nic) {
            qemu_send_packet(qemu_get_queue(s->ports[frame->port].nic), frame->bytes,
                             frame->length);
        }
        g_free(frame);
    }
}

static void mana_forget_requests(ManaState *s)
{
    ManaFrame *frame;

    qemu_bh_cancel(s->run_soon);
    timer_del(s->run_deferred);
    timer_del(s->run_later);
    s->run_wanted = false;
    s->deadline_changed = false;
    bitmap_zero(s->raised, MANA_MAX_VECTORS);
    while ((frame = QSIMPLEQ_FIRST(&s->outgoing))) {
        QSIMPLEQ_REMOVE_HEAD(&s->outgoing, next);
        g_free(frame);
    }
}

static void mana_reset_model(ManaState *s)
{
    s->reset_requested = false;
    mana_forget_requests(s);
    s->ops->reset(s->model);
}

/* With defer_ns the work happens at a point of the guest's time, which -icount makes repeatable;
 * a bottom half runs when the host's scheduler says so. */
static void mana_set_timers(ManaState *s)
{
    if (s->run_wanted && s->defer_ns) {
        timer_mod_anticipate_ns(s->run_deferred,
                                qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + s->defer_ns);
    } else if (s->run_wanted) {
        qemu_bh_schedule(s->run_soon);
    }
    if (s->deadline_changed && s->deadline == UINT64_MAX) {
        timer_del(s->run_later);
    } else if (s->deadline_changed) {
        timer_mod_ns(s->run_later, MIN(s->deadline, INT64_MAX));
    }
    s->run_wanted = false;
    s->deadline_changed = false;
}

/* The function may be unplugged, or reset, by what is delivered here. */
static void mana_leave(ManaState *s)
{
    object_ref(OBJECT(s));
    mana_deliver_frames(s);
    mana_deliver_interrupts(s);
    while (s->model && s->reset_requested) {
        mana_reset_model(s);
    }
    /* After the interrupts: when -icount finds all processors asleep it moves the time to the next
     * timer at once, and an interrupt on its way would be late. */
    if (s->model) {
        mana_set_timers(s);
    }
    s->busy = false;
    if (s->refused_frame && s->model) {
        s->refused_frame = false;
        qemu_bh_schedule(s->accept_frames);
    }
    object_unref(OBJECT(s));
}

static void mana_run(void *opaque)
{
    ManaState *s = opaque;

    if (mana_enter(s)) {
        s->ops->run(s->model);
        mana_leave(s);
    }
}

/* ---- registers ---- */

static uint64_t mana_read(void *opaque, hwaddr offset, unsigned int size)
{
    ManaState *s = opaque;
    uint64_t value;

    if (!mana_enter(s)) {
        mana_blame_guest(s, "the function was made to read its own register %#" PRIx64, offset);
        return UINT64_MAX;
    }
    value = s->ops->read(s->model, offset, size);
    mana_leave(s);
    return value;
}

static void mana_write(void *opaque, hwaddr offset, uint64_t value, unsigned int size)
{
    ManaState *s = opaque;

    if (!mana_enter(s)) {
        mana_blame_guest(s, "the function was made to write its own register %#" PRIx64, offset);
        return;
    }
    s->ops->write(s->model, offset, value, size);
    mana_leave(s);
}

static const MemoryRegionOps mana_register_ops = {
    .read = mana_read,
    .write = mana_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = false },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = false },
};

/* ---- guest memory ---- */

/* What the function may address: nothing until the guest enabled bus mastering, and behind an
 * IOMMU only what is mapped there. */
static bool mana_range_is_ram(ManaState *s, hwaddr address, hwaddr length, bool is_write)
{
    AddressSpace *space = pci_get_address_space(&s->parent);

    if (length && address + (length - 1) < address) {
        return false;
    }
    RCU_READ_LOCK_GUARD();
    while (length) {
        hwaddr piece = length, offset;
        MemoryRegion *region = address_space_translate(space, address, &offset, &piece, is_write,
                                                       MEMTXATTRS_UNSPECIFIED);

        if (!piece || !memory_access_is_direct(region, is_write)) {
            return false;
        }
        address += piece;
        length -= piece;
    }
    return true;
}

/* Stores at ascending addresses, in naturally aligned words: a guest CPU that sees the end of a
 * completion sees its beginning. memcpy() promises no order. */
static void mana_store_in_order(void *to, const void *from, size_t length)
{
    uint8_t *destination = to;
    const uint8_t *source = from;

    while (length && ((uintptr_t)destination & 7)) {
        *(volatile uint8_t *)destination++ = *source++;
        length--;
    }
    while (length >= 8) {
        uint64_t word;

        memcpy(&word, source, sizeof(word));
        *(volatile uint64_t *)destination = word;
        destination += 8;
        source += 8;
        length -= 8;
    }
    while (length--) {
        *(volatile uint8_t *)destination++ = *source++;
    }
}

static bool mana_transfer(ManaState *s, hwaddr address, uint8_t *buffer, size_t length,
                          bool is_write)
{
    AddressSpace *space = pci_get_address_space(&s->parent);

    if (!mana_range_is_ram(s, address, length, is_write)) {
        return false;
    }
    /* Against the CPUs' accesses before and after, as a bus transaction would be ordered. */
    smp_mb();
    while (length) {
        hwaddr piece = length;
        void *memory = address_space_map(space, address, &piece, is_write,
                                         MEMTXATTRS_UNSPECIFIED);

        if (!memory) {
            return false;
        }
        if (is_write) {
            mana_store_in_order(memory, buffer, piece);
        } else {
            memcpy(buffer, memory, piece);
        }
        address_space_unmap(space, memory, piece, is_write, piece);
        address += piece;
        buffer += piece;
        length -= piece;
    }
    return true;
}

static bool mana_host_dma_read(void *opaque, uint64_t address, void *to, size_t length)
{
    return mana_transfer(opaque, address, to, length, false);
}

static bool mana_host_dma_write(void *opaque, uint64_t address, const void *from, size_t length)
{
    return mana_transfer(opaque, address, (uint8_t *)from, length, true);
}

static bool mana_host_dma_valid(void *opaque, uint64_t address, uint64_t length)
{
    return mana_range_is_ram(opaque, address, length, true);
}

static void *mana_host_allocate(void *opaque, size_t length)
{
    void *memory = qemu_try_memalign(64, MAX(length, 1));

    if (memory) {
        memset(memory, 0, length);
    }
    return memory;
}

static void mana_host_release(void *opaque, void *memory)
{
    qemu_vfree(memory);
}

/* ---- interrupts and time ---- */

static void mana_host_raise_msix(void *opaque, uint32_t vector)
{
    ManaState *s = opaque;

    if (vector < s->vector_count) {
        set_bit(vector, s->raised);
    }
}

static uint64_t mana_host_now(void *opaque)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

static void mana_host_schedule(void *opaque)
{
    ManaState *s = opaque;

    s->run_wanted = true;
}

static void mana_host_run_at(void *opaque, uint64_t deadline)
{
    ManaState *s = opaque;

    s->deadline_changed = true;
    s->deadline = deadline;
}

/* ---- network backends ---- */

static void mana_host_transmit(void *opaque, uint32_t port, const void *bytes, size_t length)
{
    ManaState *s = opaque;
    ManaFrame *frame;

    if (port >= s->port_count || !s->ports[port].nic) {
        return;
    }
    frame = g_malloc(sizeof(*frame) + length);
    frame->port = port;
    frame->length = length;
    memcpy(frame->bytes, bytes, length);
    QSIMPLEQ_INSERT_TAIL(&s->outgoing, frame, next);
}

static bool mana_nic_can_receive(NetClientState *nc)
{
    ManaPort *port = qemu_get_nic_opaque(nc);

    if (port->owner->busy) {
        port->owner->refused_frame = true;
        return false;
    }
    return true;
}

static ssize_t mana_nic_receive(NetClientState *nc, const uint8_t *bytes, size_t length)
{
    ManaPort *port = qemu_get_nic_opaque(nc);
    ManaState *s = port->owner;

    if (!mana_enter(s)) {
        s->refused_frame = true;
        return 0; /* the sender's queue keeps it */
    }
    s->ops->receive(s->model, port->index, bytes, length);
    mana_leave(s);
    return length;
}

static void mana_accept_frames(void *opaque)
{
    ManaState *s = opaque;

    for (uint32_t i = 0; i < s->port_count; i++) {
        if (s->ports[i].nic) {
            qemu_flush_queued_packets(qemu_get_queue(s->ports[i].nic));
        }
    }
}

static void mana_nic_link_changed(NetClientState *nc)
{
    ManaPort *port = qemu_get_nic_opaque(nc);
    ManaState *s = port->owner;

    if (mana_enter(s)) {
        s->ops->set_link(s->model, port->index, !nc->link_down);
        mana_leave(s);
    }
}

static NetClientInfo mana_nic_info = {
    .type = NET_CLIENT_DRIVER_NIC,
    .size = sizeof(NICState),
    .can_receive = mana_nic_can_receive,
    .receive = mana_nic_receive,
    .link_status_changed = mana_nic_link_changed,
};

static void mana_port_address(const ManaState *s, uint32_t index, MACAddr *address)
{
    uint32_t low = (s->mac.a[3] << 16 | s->mac.a[4] << 8 | s->mac.a[5]) + index;

    *address = s->mac;
    address->a[3] = low >> 16;
    address->a[4] = low >> 8;
    address->a[5] = low;
}

/* ---- the model's life ---- */

static bool mana_load_model(ManaState *s, Error **errp)
{
    const struct vnic_model_ops *(*get)(uint32_t);
    const char *path = s->model_path ? s->model_path : getenv("MANA_MODEL");

    if (!path || !*path) {
        error_setg(errp, "mana: no device model: give model=PATH, or set MANA_MODEL");
        return false;
    }
    s->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!s->library) {
        error_setg(errp, "mana: cannot load the device model: %s", dlerror());
        return false;
    }
    get = (const struct vnic_model_ops *(*)(uint32_t))dlsym(s->library, "vnic_model_get");
    if (!get) {
        error_setg(errp, "mana: %s is not a device model: it does not export vnic_model_get", path);
        return false;
    }
    s->ops = get(VNIC_ABI_VERSION);
    if (!s->ops || s->ops->abi_version != VNIC_ABI_VERSION || s->ops->size < sizeof(*s->ops)) {
        error_setg(errp, "mana: the device model %s does not serve version %u of the interface",
                   path, VNIC_ABI_VERSION);
        s->ops = NULL;
        return false;
    }
    return true;
}

static bool mana_create_model(ManaState *s, struct vnic_geometry *geometry, Error **errp)
{
    const struct vnic_host host = {
        .size = sizeof(host),
        .opaque = s,
        .dma_read = mana_host_dma_read,
        .dma_write = mana_host_dma_write,
        .dma_valid = mana_host_dma_valid,
        .raise_msix = mana_host_raise_msix,
        .now = mana_host_now,
        .schedule = mana_host_schedule,
        .run_at = mana_host_run_at,
        .transmit = mana_host_transmit,
        .allocate = mana_host_allocate,
        .release = mana_host_release,
        .log = mana_host_log,
    };
    struct vnic_config config = {
        .size = sizeof(config),
        .ports = s->port_count,
        .queues = s->queue_count,
        .mtu = s->mtu,
        .options = s->options ? s->options : "",
    };
    char reason[256] = "no reason given";

    memcpy(config.mac, s->mac.a, sizeof(config.mac));
    for (uint32_t i = 0; i < s->port_count; i++) {
        if (s->ports[i].conf.peers.ncs[0]) {
            config.external_ports |= 1u << i;
        }
    }
    *geometry = (struct vnic_geometry){ .size = sizeof(*geometry) };
    s->model = s->ops->create(&host, &config, geometry, reason, sizeof(reason));
    if (!s->model) {
        error_setg(errp, "mana: %s: %s", s->ops->name, reason);
        return false;
    }
    if (geometry->msix_vectors < 1 || geometry->msix_vectors > MANA_MAX_VECTORS ||
        geometry->bar0_size < 4096 || geometry->bar0_size > MANA_MAX_REGISTER_BYTES ||
        !is_power_of_2(geometry->bar0_size)) {
        error_setg(errp, "mana: %s: impossible geometry: %u vectors, %" PRIu64 " bytes of BAR0",
                   s->ops->name, geometry->msix_vectors, geometry->bar0_size);
        return false;
    }
    return true;
}

static bool mana_check_properties(ManaState *s, Error **errp)
{
    if (s->port_count < 1 || s->port_count > VNIC_MAX_PORTS) {
        error_setg(errp, "mana: ports=%u is not within 1..%u", s->port_count, VNIC_MAX_PORTS);
        return false;
    }
    if (s->queue_count < 1 || s->queue_count > VNIC_MAX_QUEUES) {
        error_setg(errp, "mana: queues=%u is not within 1..%u", s->queue_count, VNIC_MAX_QUEUES);
        return false;
    }
    if (s->mtu < 1500 || s->mtu > 9216) {
        error_setg(errp, "mana: mtu=%u is not within 1500..9216", s->mtu);
        return false;
    }
    for (uint32_t i = s->port_count; i < VNIC_MAX_PORTS; i++) {
        if (s->ports[i].conf.peers.ncs[0]) {
            error_setg(errp, "mana: netdev%u: there are only %u ports", i, s->port_count);
            return false;
        }
    }
    return true;
}

static void mana_create_ports(ManaState *s)
{
    for (uint32_t i = 0; i < s->port_count; i++) {
        ManaPort *port = &s->ports[i];
        const char *id = DEVICE(s)->id;
        g_autofree char *name = g_strdup_printf("%s.%u", id ? id : TYPE_MANA, i);

        if (!port->conf.peers.ncs[0]) {
            continue;
        }
        mana_port_address(s, i, &port->conf.macaddr);
        port->nic = qemu_new_nic(&mana_nic_info, &port->conf, TYPE_MANA, name,
                                 &DEVICE(s)->mem_reentrancy_guard, port);
        qemu_format_nic_info_str(qemu_get_queue(port->nic), port->conf.macaddr.a);
    }
}

/* Undoes realize, and any part of it. */
static void mana_exit(PCIDevice *pci)
{
    ManaState *s = MANA(pci);

    for (uint32_t i = 0; i < VNIC_MAX_PORTS; i++) {
        if (s->ports[i].nic) {
            qemu_del_nic(s->ports[i].nic);
            s->ports[i].nic = NULL;
        }
    }
    if (s->run_soon) {
        mana_forget_requests(s);
    }
    if (s->model) {
        s->ops->destroy(s->model);
        s->model = NULL;
    }
    g_clear_pointer(&s->run_soon, qemu_bh_delete);
    g_clear_pointer(&s->accept_frames, qemu_bh_delete);
    g_clear_pointer(&s->run_deferred, timer_free);
    g_clear_pointer(&s->run_later, timer_free);
    if (msix_present(pci)) {
        msix_unuse_all_vectors(pci);
        msix_uninit_exclusive_bar(pci);
    }
    s->ops = NULL;
    if (s->library) {
        dlclose(s->library);
        s->library = NULL;
    }
    g_clear_pointer(&s->reply, g_free);
}

static void mana_init_pci(ManaState *s, const struct vnic_geometry *geometry, Error **errp)
{
    PCIDevice *pci = &s->parent;

    memory_region_init_io(&s->registers, OBJECT(s), &mana_register_ops, s, "mana-registers",
                          geometry->bar0_size);
    pci_register_bar(pci, MANA_REGISTER_BAR,
                     PCI_BASE_ADDRESS_SPACE_MEMORY | PCI_BASE_ADDRESS_MEM_TYPE_64, &s->registers);
    if (pci_bus_is_express(pci_get_bus(pci))) {
        pcie_endpoint_cap_init(pci, MANA_PCIE_CAPABILITY);
        pcie_cap_flr_init(pci);
    }
    if (msix_init_exclusive_bar(pci, geometry->msix_vectors, MANA_MSIX_BAR, errp) < 0) {
        return;
    }
    s->vector_count = geometry->msix_vectors;
    for (uint32_t vector = 0; vector < s->vector_count; vector++) {
        msix_vector_use(pci, vector);
    }
}

static void mana_realize(PCIDevice *pci, Error **errp)
{
    ERRP_GUARD();
    ManaState *s = MANA(pci);
    struct vnic_geometry geometry;

    if (!mana_check_properties(s, errp)) {
        return;
    }
    QSIMPLEQ_INIT(&s->outgoing);
    qemu_macaddr_default_if_unset(&s->mac);
    for (uint32_t i = 0; i < VNIC_MAX_PORTS; i++) {
        s->ports[i].owner = s;
        s->ports[i].index = i;
    }
    s->run_soon = qemu_bh_new(mana_run, s);
    s->accept_frames = qemu_bh_new(mana_accept_frames, s);
    s->run_deferred = timer_new_ns(QEMU_CLOCK_VIRTUAL, mana_run, s);
    s->run_later = timer_new_ns(QEMU_CLOCK_VIRTUAL, mana_run, s);
    /* The model may call back from create(): it must not be entered meanwhile. */
    s->busy = true;
    if (mana_load_model(s, errp) && mana_create_model(s, &geometry, errp)) {
        mana_init_pci(s, &geometry, errp);
    }
    if (*errp) {
        mana_exit(pci);
        return;
    }
    mana_create_ports(s);
    mana_leave(s);
}

/* A power-on or function level reset. Registers and MSI-X are QEMU's to reset. */
static void mana_reset(DeviceState *device)
{
    ManaState *s = MANA(device);

    s->reset_requested = true;
    if (mana_enter(s)) {
        mana_leave(s);
    }
}

static void mana_write_config(PCIDevice *pci, uint32_t address, uint32_t value, int length)
{
    pci_default_write_config(pci, address, value, length);
    if (pci_is_express(pci) && pci->exp.exp_cap) {
        pcie_cap_flr_write_config(pci, address, value, length);
    }
}

/* ---- talking to the model: QMP qom-set and qom-get ---- */

static char *mana_command(ManaState *s, const char *command, Error **errp)
{
    g_autofree char *reply = g_malloc0(MANA_REPLY_SIZE);
    bool understood;

    if (!mana_enter(s)) {
        error_setg(errp, "mana: the model is busy or gone");
        return NULL;
    }
    understood = s->ops->control(s->model, command, reply, MANA_REPLY_SIZE);
    mana_leave(s);
    if (!understood) {
        error_setg(errp, "mana: the model rejects '%s': %s", command,
                   *reply ? reply : "unknown command");
        return NULL;
    }
    return g_steal_pointer(&reply);
}

static char *mana_get_objects(Object *object, Error **errp)
{
    return mana_command(MANA(object), "objects", errp);
}

static void mana_set_control(Object *object, const char *command, Error **errp)
{
    ManaState *s = MANA(object);

    g_free(s->reply);
    s->reply = mana_command(s, command, errp);
}

static char *mana_get_reply(Object *object, Error **errp)
{
    ManaState *s = MANA(object);

    return g_strdup(s->reply ? s->reply : "");
}

/* ---- the type ---- */

#define MANA_PROP_PORT(n) DEFINE_PROP_NETDEV("netdev" #n, ManaState, ports[n].conf.peers)

static Property mana_properties[] = {
    DEFINE_PROP_STRING("model", ManaState, model_path),
    DEFINE_PROP_STRING("options", ManaState, options),
    DEFINE_PROP_UINT32("ports", ManaState, port_count, 1),
    DEFINE_PROP_UINT32("queues", ManaState, queue_count, VNIC_MAX_QUEUES),
    DEFINE_PROP_UINT32("mtu", ManaState, mtu, 9000),
    DEFINE_PROP_UINT32("defer_ns", ManaState, defer_ns, 0),
    DEFINE_PROP_BOOL("trace", ManaState, trace, false),
    DEFINE_PROP_MACADDR("mac", ManaState, mac),
    MANA_PROP_PORT(0), MANA_PROP_PORT(1), MANA_PROP_PORT(2), MANA_PROP_PORT(3),
    MANA_PROP_PORT(4), MANA_PROP_PORT(5), MANA_PROP_PORT(6), MANA_PROP_PORT(7),
    MANA_PROP_PORT(8), MANA_PROP_PORT(9), MANA_PROP_PORT(10), MANA_PROP_PORT(11),
    MANA_PROP_PORT(12), MANA_PROP_PORT(13), MANA_PROP_PORT(14), MANA_PROP_PORT(15),
    DEFINE_PROP_END_OF_LIST(),
};

static const VMStateDescription mana_vmstate = {
    .name = TYPE_MANA,
    .unmigratable = 1, /* the model's state is its own */
};

static void mana_class_init(ObjectClass *class, void *data)
{
    DeviceClass *device = DEVICE_CLASS(class);
    PCIDeviceClass *pci = PCI_DEVICE_CLASS(class);

    pci->realize = mana_realize;
    pci->exit = mana_exit;
    pci->config_write = mana_write_config;
    pci->vendor_id = MANA_VENDOR_ID;
    pci->device_id = MANA_DEVICE_ID;
    pci->class_id = PCI_CLASS_NETWORK_ETHERNET;
    device->desc = "Microsoft Azure Network Adapter, with a loadable device model";
    device->reset = mana_reset;
    device->vmsd = &mana_vmstate;
    device_class_set_props(device, mana_properties);
    set_bit(DEVICE_CATEGORY_NETWORK, device->categories);

    object_class_property_add_str(class, "objects", mana_get_objects, NULL);
    object_class_property_set_description(class, "objects", "live objects of the guest, as JSON");
    object_class_property_add_str(class, "control", NULL, mana_set_control);
    object_class_property_set_description(class, "control", "a command line for the model");
    object_class_property_add_str(class, "reply", mana_get_reply, NULL);
    object_class_property_set_description(class, "reply", "the model's answer to the last command");
}

static const TypeInfo mana_type = {
    .name = TYPE_MANA,
    .parent = TYPE_PCI_DEVICE,
    .instance_size = sizeof(ManaState),
    .class_init = mana_class_init,
    .interfaces = (InterfaceInfo[]) {
        { INTERFACE_PCIE_DEVICE },
        { },
    },
};

static void mana_register_type(void)
{
    type_register_static(&mana_type);
}

type_init(mana_register_type)
