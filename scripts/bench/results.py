# SPDX-License-Identifier: GPL-2.0
"""From what the guest counted to the numbers of the tables.

Every number is a slope: the difference between a window of many packets and one of fewer, divided by
the difference of the packets. What a window costs by itself (its beginning, a system call, an idle
processor that wakes up) is in both and disappears.
"""

import pathlib

from vm import Session, Window

HERE = pathlib.Path(__file__).resolve().parent

DMA_CALLS = ("dma_map_page_attrs", "dma_unmap_page_attrs", "dma_map_sg_attrs", "dma_unmap_sg_attrs",
             "dma_map_sgtable", "dma_map_resource", "dma_unmap_resource", "dma_alloc_attrs", "dma_free_attrs")
PAGE_CALLS = ("__alloc_pages_noprof", "alloc_pages_bulk_noprof", "free_unref_page", "free_unref_folios",
              "__free_pages_ok")
VIRTIO_DOORBELLS = ("vp_notify", "vp_notify_with_data")
VIRTIO_INTERRUPTS = ("vring_interrupt",)
DOORBELLS = ("sq", "rq", "cq", "eq")

# Places in the plugin's list for a function: instructions, then calls, by whose account.
CALLS_BY_TEXT, CALLS_BY_HELPER, CALLS_BY_REST = 3, 4, 5


def table(name: str) -> list[list[str]]:
    """The words of the lines of a table here."""
    lines = (HERE / name).read_text().splitlines()
    return [line.split() for line in lines if line.strip() and not line.startswith("#")]


WORKLOADS = {words[0]: " ".join(words[1:]) for words in table("workloads.table")}


def calls(window: Window, names: tuple, accounts: tuple) -> int:
    total = 0
    for key, numbers in window.counts["functions"].items():
        if key.partition("@")[0] in names:
            total += sum(numbers[account] for account in accounts)
    return total


def caused_calls(window: Window, names: tuple) -> int:
    return calls(window, names, (CALLS_BY_TEXT, CALLS_BY_HELPER))


def all_calls(window: Window, names: tuple) -> int:
    return calls(window, names, (CALLS_BY_TEXT, CALLS_BY_HELPER, CALLS_BY_REST))


def device(window: Window, *path: str) -> int:
    """How far a counter of the device went in the window."""
    before, after = window.before, window.after
    for key in path:
        before, after = before[key], after[key]
    return after - before


def dropped(window: Window) -> int:
    return sum(after["rx_dropped_no_wqe"] - before["rx_dropped_no_wqe"]
               for before, after in zip(window.before["ports"], window.after["ports"]))


def by_row(session: Session) -> dict:
    rows = {}
    for window in session.windows:
        rows.setdefault(window.row, []).append(window)
    return rows


def costs(windows: list[Window], virtio: bool, factor: int = 1) -> dict:
    """windows: two small ones, or none, then two large ones; factor: packets for each that it says."""
    first, second = windows[-2:]
    packets = (second.packets - first.packets) * factor

    def slope(number) -> float:
        return round((number(second) - number(first)) / packets, 3)

    def count(key: str):
        return lambda window: window.counts[key]

    if virtio:
        doorbells = {"notify": slope(lambda w: all_calls(w, VIRTIO_DOORBELLS))}
        irqs = slope(lambda w: all_calls(w, VIRTIO_INTERRUPTS))
    else:
        doorbells = {kind: slope(lambda w, k=kind: device(w, "doorbells", k)) for kind in DOORBELLS}
        irqs = slope(lambda w: device(w, "interrupts"))
    small = windows[:2] if len(windows) == 4 else None
    return {
        "text": slope(count("text")),
        "caused": slope(lambda w: w.counts["text"] + w.counts["helper"]),
        "total": slope(count("total")),
        "doorbells": round(sum(doorbells.values()), 3),
        "doorbells_by_type": doorbells,
        "irqs": irqs,
        "dma_calls": slope(lambda w: caused_calls(w, DMA_CALLS)),
        "page_allocs": slope(lambda w: caused_calls(w, PAGE_CALLS)),
        "lines": small and round((small[1].counts["lines"] - small[0].counts["lines"])
                                 / (small[1].packets - small[0].packets) / factor, 3),
        "why_missing": None,
    }


def functions(windows: list[Window]) -> list[tuple]:
    """(name, the driver's text, its helpers, the rest): instructions per packet of each function."""
    first, second = windows[-2:]
    packets = second.packets - first.packets
    found = []
    for key, numbers in second.counts["functions"].items():
        before = first.counts["functions"].get(key, [0] * len(numbers))
        found.append((key.partition("@")[0], *((b - a) / packets for a, b in zip(before[:3], numbers[:3]))))
    return sorted(found, key=lambda line: -sum(line[1:3]))


EMPTY = {key: None for key in ("text", "caused", "total", "doorbells", "doorbells_by_type", "irqs",
                               "dma_calls", "page_allocs", "lines")}


def row(session: Session, workload: str, driver: str, windows: int = 4) -> dict:
    found = by_row(session).get(workload, [])
    why = session.failures.get(workload)
    if not why and (len(found) != windows or not all(window.counts for window in found)):
        why = "the measurement is not complete"
    if not why and any(dropped(window) for window in found):
        why = "packets were lost for lack of receive buffers"
    if why:
        return {"workload": workload, "driver": driver, **EMPTY, "why_missing": why}
    return {"workload": workload, "driver": driver, **costs(found, driver == "virtio_net")}


def growth(session: Session, driver: str) -> list[dict]:
    rows = []
    for name, windows in by_row(session).items():
        workload, what, number = name.split()
        entry = {"workload": workload, "driver": driver, "what": what, "number": int(number)}
        why = session.failures.get(name)
        if not why and any(dropped(window) for window in windows):
            why = "packets were lost for lack of receive buffers"
        if why or len(windows) != 2 or not all(window.counts for window in windows):
            rows.append({**entry, "why_missing": why or "the measurement is not complete"})
            continue
        found = costs(windows, False, int(number) if what == "ports" else 1)
        rows.append({**entry, **{key: found[key] for key in ("text", "caused", "total", "irqs", "why_missing")}})
    # Rows that failed before their first window.
    known = {(entry["workload"], entry["what"], entry["number"]) for entry in rows}
    for name, why in session.failures.items():
        workload, what, number = name.split()
        if (workload, what, int(number)) not in known:
            rows.append({"workload": workload, "driver": driver, "what": what, "number": int(number),
                         "why_missing": why})
    return rows


def control(session: Session, driver: str) -> list[dict]:
    rows = []
    for name, windows in by_row(session).items():
        operation, _, queues = name.split()
        entry = {"operation": operation, "driver": driver, "queues": int(queues)}
        window = windows[0]
        why = session.failures.get(name)
        if why or not window.counts:
            rows.append({**entry, "hwc_commands": None, "instructions": None,
                         "why_missing": why or "the measurement is not complete"})
        else:
            rows.append({**entry, "hwc_commands": device(window, "commands"),
                         "instructions": window.counts["total"], "doorbells": sum(
                             device(window, "doorbells", kind) for kind in DOORBELLS), "why_missing": None})
    return rows


def memory(session: Session, driver: str) -> list[dict]:
    """Rows of bytes_per_channel (of one port with so many queues), and of bytes_per_port (of so many
    ports with one queue each)."""
    rows = []
    for words in session.facts:
        if words[0] != "@memory":
            continue
        number, mtu, used, order = map(int, words[2:])
        unit = {"queues": "bytes_per_channel", "ports": "bytes_per_port"}[words[1]]
        rows.append({"driver": driver, words[1]: number, "mtu": mtu, unit: used // number, "max_order": order})
    return rows
