# SPDX-License-Identifier: GPL-2.0
"""The results as tables on the terminal, as a chart, and as a page of the documentation."""

import pathlib
import subprocess

import results
from machine import HostError

PAIR = ("ours", "upstream")
NUMBERS = (("text", "driver"), ("caused", "caused"), ("total", "total"))


def cell(value, digits: int = 0) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def ratio(ours, upstream) -> str:
    return f"{ours / upstream:.2f}" if ours is not None and upstream else "-"


def index(rows: list[dict], *keys: str) -> dict:
    return {tuple(row[key] for key in keys): row for row in rows}


def columns(rows: list[list[str]], head: list[str]) -> str:
    """A table for the terminal: the first column to the left, the others to the right."""
    table = [head, *rows]
    widths = [max(len(line[i]) for line in table) for i in range(len(head))]
    return "\n".join("  ".join(text.ljust(width) if i == 0 else text.rjust(width)
                               for i, (text, width) in enumerate(zip(line, widths))).rstrip() for line in table)


def markdown(rows: list[list[str]], head: list[str], left: int = 1) -> str:
    lines = ["| " + " | ".join(head) + " |",
             "|" + "|".join("---" if i < left else "---:" for i in range(len(head))) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


# ---- the tables ----

def cost_table(found: dict) -> tuple[list[list[str]], list[str]]:
    rows = index(found["rows"], "workload", "driver")
    drivers = [driver for driver in ("ours", "upstream", "virtio_net")
               if any(row["driver"] == driver for row in found["rows"])]
    drivers += sorted({row["driver"] for row in found["rows"]} - set(drivers))
    lines = []
    for workload in results.WORKLOADS:
        line = [workload]
        here = {driver: rows.get((workload, driver)) for driver in drivers}
        if not any(here.values()):
            continue
        for column, _ in NUMBERS:
            line += [cell(row[column]) if row else "-" for row in here.values()]
            if set(PAIR) <= set(drivers):
                line.append(ratio(*(here[driver][column] if here[driver] else None for driver in PAIR)))
        lines.append(line)
    head = ["packet of"]
    for _, title in NUMBERS:
        head += [f"{title}: {driver}" if i == 0 else driver for i, driver in enumerate(drivers)]
        if set(PAIR) <= set(drivers):
            head.append("ratio")
    return lines, head


def event_table(found: dict) -> tuple[list[list[str]], list[str]]:
    titles = (("doorbells", "doorbells"), ("irqs", "interrupts"), ("dma_calls", "DMA calls"),
              ("page_allocs", "page calls"), ("lines", "lines"))
    rows = index(found["rows"], "workload", "driver")
    lines = []
    for workload in results.WORKLOADS:
        pair = [rows.get((workload, driver)) for driver in PAIR]
        if not any(pair):
            continue
        line = [workload]
        for column, _ in titles:
            line += [cell(row[column], 2) if row else "-" for row in pair]
        lines.append(line)
    head = ["packet of"]
    for _, title in titles:
        head += [f"{title}: ours", "upstream"]
    return lines, head


def doorbell_table(found: dict) -> tuple[list[list[str]], list[str]]:
    rows = index(found["rows"], "workload", "driver")
    lines = []
    for workload in results.WORKLOADS:
        line = [workload]
        for kind in results.DOORBELLS:
            for driver in PAIR:
                types = (rows.get((workload, driver)) or {}).get("doorbells_by_type") or {}
                line.append(cell(types.get(kind), 3))
        lines.append(line)
    head = ["packet of"]
    for kind in results.DOORBELLS:
        head += [f"{kind.upper()}: ours", "upstream"]
    return lines, head


def control_table(found: dict) -> tuple[list[list[str]], list[str]]:
    rows = index(found["control"], "operation", "queues", "driver")
    lines = []
    for operation, queues in dict.fromkeys((row["operation"], row["queues"]) for row in found["control"]):
        pair = [rows.get((operation, queues, driver), {}) for driver in PAIR]
        line = [operation, str(queues)]
        line += [cell(row.get("hwc_commands")) for row in pair]
        line += [cell(row.get("doorbells")) for row in pair]
        counts = [row.get("instructions") for row in pair]
        line += [cell(count and count / 1000) for count in counts]
        lines.append(line + [ratio(*counts)])
    lines.sort(key=lambda line: (line[0], int(line[1])))
    return lines, ["operation", "queues", "commands: ours", "upstream", "doorbells: ours", "upstream",
                   "1000 instructions: ours", "upstream", "ratio"]


def memory_table(found: dict) -> tuple[list[list[str]], list[str]]:
    lines = []
    for what, unit in (("queues", "bytes_per_channel"), ("ports", "bytes_per_port")):
        rows = index([row for row in found["memory"] if what in row], "mtu", what, "driver")
        for mtu, number in sorted({key[:2] for key in rows}):
            pair = [rows.get((mtu, number, driver), {}) for driver in PAIR]
            sizes = [row.get(unit) for row in pair]
            lines.append([f"{number} {what}", str(mtu), *(cell(size and size / 1024) for size in sizes),
                          ratio(*sizes), *(cell(row.get("max_order")) for row in pair)])
    return lines, ["with", "MTU", "KiB for each: ours", "upstream", "ratio", "largest order: ours", "upstream"]


def growth_table(found: dict) -> tuple[list[list[str]], list[str]]:
    rows = index(found["growth"], "workload", "what", "number", "driver")
    lines = []
    names = {"queues": "queues", "ports": "ports", "depth": "RX buffers"}
    for workload, what, number in sorted({key[:3] for key in rows}, key=lambda key: (key[0], key[1], key[2])):
        pair = [rows.get((workload, what, number, driver), {}) for driver in PAIR]
        line = [workload, f"{number} {names[what]}"]
        for column in ("text", "caused"):
            line += [cell(row.get(column), 1) for row in pair]
        lines.append(line)
    return lines, ["packet of", "with", "driver: ours", "upstream", "caused: ours", "upstream"]


def missing(found: dict) -> list[str]:
    lines = []
    for row in found["rows"]:
        if row["why_missing"]:
            lines.append(f"{row['workload']}, {row['driver']}: {row['why_missing'].strip()}")
    for row in found.get("growth", []):
        if row["why_missing"]:
            lines.append(f"{row['workload']} with {row['number']} {row['what']}, {row['driver']}: {row['why_missing']}")
    for row in found.get("control", []):
        if row["why_missing"]:
            lines.append(f"{row['operation']} of {row['queues']} queues, {row['driver']}: {row['why_missing']}")
    return lines


def print_tables(found: dict) -> None:
    titles = {"cost": "Instructions per packet", "event": "Per packet", "control": "Control path",
              "memory": "Memory of an open port", "growth": "Growth"}
    parts = ["cost", "event"] + [part for part in ("control", "memory", "growth") if part in found]
    for part in parts:
        lines, head = globals()[f"{part}_table"](found)
        if lines:
            print(f"\n{titles[part]}\n\n{columns(lines, head)}")
    if missing(found):
        print("\nNot measured\n")
        print("\n".join(missing(found)))


def print_functions(workload: str, driver: str, functions: list[tuple]) -> None:
    lines = [[name, *(cell(value, 1) for value in values)] for name, *values in functions]
    print(f"\n{workload}, {driver}\n\n{columns(lines, ['function', 'driver', 'helper', 'rest'])}")


def print_comparison(revision: str, before: list[dict], after: list[dict]) -> None:
    lines = []
    rows = index(before, "workload")
    for row in after:
        old = rows[row["workload"],]
        line = [row["workload"]]
        for column, _ in NUMBERS:
            a, b = old[column], row[column]
            change = "-" if a is None or b is None else f"{b - a:+.1f}"
            line += [cell(a, 1), cell(b, 1), change]
        for column in ("doorbells", "irqs", "dma_calls", "page_allocs"):
            a, b = old[column], row[column]
            line.append("-" if a is None or b is None else f"{b - a:+.2f}")
        lines.append(line)
    head = ["packet of"]
    for _, title in NUMBERS:
        head += [f"{title}: {revision}", "now", "change"]
    print(columns(lines, head + ["doorbells", "interrupts", "DMA calls", "page calls"]))
    for line in missing({"rows": before}):
        print(f"{revision}: {line}")
    for line in missing({"rows": after}):
        print(f"now: {line}")


# ---- the chart ----

CHART = """
set terminal svg size 960,420 font "sans,12" background "white" name "performance"
set output
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.9 noborder
set boxwidth 0.9
set title "Instructions per packet: the driver and what it causes"
set grid ytics lc rgb "#dddddd"
set xtics rotate by -30 nomirror
set ytics nomirror
set border 3
set key outside bottom center horizontal
set yrange [0:*]
set datafile missing "-"
$rows << END
{rows}
END
plot $rows using 3:xtic(1) title "Debian's driver" lc rgb "#9a9a9a", \\
     $rows using 2 title "this driver" lc rgb "#1f77b4"
"""


def chart(found: dict, path: pathlib.Path) -> None:
    rows = index(found["rows"], "workload", "driver")
    lines = []
    for workload in results.WORKLOADS:
        pair = [rows.get((workload, driver)) for driver in PAIR]
        label = workload.replace("_", "\\\\_")
        lines.append(f'"{label}" ' + " ".join(cell(row["caused"]) if row else "-" for row in pair))
    try:
        drawn = subprocess.run(["gnuplot"], input=CHART.format(rows="\n".join(lines)), text=True,
                               capture_output=True, check=False)
    except FileNotFoundError:
        raise HostError("gnuplot was not found; install it: scripts/deps/install bench") from None
    if drawn.returncode or not drawn.stdout:
        raise HostError(f"gnuplot failed: {drawn.stderr.strip()}")
    path.write_text("\n".join(line.rstrip() for line in drawn.stdout.splitlines()) + "\n")


# ---- the page ----

def reference_table(found: dict) -> tuple[list[list[str]], list[str], list[str]]:
    rows = index(found["rows"], "workload", "driver")
    lines, notes = [], []
    for workload, text, caused, *why in results.table("reference.table"):
        row = rows.get((workload, "upstream"))
        if not row or row["text"] is None:
            continue
        change = [row["text"] / int(text) - 1, row["caused"] / int(caused) - 1]
        lines.append([workload, text, cell(row["text"]), f"{change[0]:+.1%}", caused, cell(row["caused"]),
                      f"{change[1]:+.1%}"])
        if max(map(abs, change)) > 0.1:
            notes.append(f"* `{workload}`: {' '.join(why) if why != ['-'] else 'not explained'}.")
    return lines, ["packet of", "driver: then", "here", "", "caused: then", "here", ""], notes


def aims_table(found: dict) -> tuple[list[list[str]], list[str], list[str]]:
    rows = index(found["rows"], "workload", "driver")
    lines, notes = [], []
    for workload, text, caused, *why in results.table("aims.table"):
        row = rows.get((workload, "ours"))
        if not row or row["text"] is None:
            continue
        # As they are shown: whole instructions.
        reached = round(row["text"]) <= int(text) and round(row["caused"]) <= int(caused)
        lines.append([workload, text, cell(row["text"]), caused, cell(row["caused"]), "yes" if reached else "no"])
        if not reached:
            notes.append(f"* `{workload}`: {' '.join(why) if why != ['-'] else 'not explained'}.")
    return lines, ["packet of", "driver: aim", "ours", "caused: aim", "ours", "reached"], notes


def write_page(found: dict, directory: pathlib.Path) -> None:
    chart(found, directory / "performance.svg")
    template = (pathlib.Path(__file__).resolve().parent / "page.md").read_text()
    reference, head, notes = reference_table(found)
    aims, aims_head, misses = aims_table(found)
    values = {
        "kernel": found["kernel"], "cpu_model": found["cpu_model"], "commit": found["commit"], "qemu": found["qemu"],
        "minutes": f"{found['seconds'] / 60:.0f}", "host": found["host"],
        "workloads": markdown([[f"`{name}`", text] for name, text in results.WORKLOADS.items()],
                              ["row", "one packet of it"], 2),
        "cost": markdown(*cost_table(found)), "events": markdown(*event_table(found)),
        "doorbells": markdown(*doorbell_table(found)), "control": markdown(*control_table(found)),
        "memory": markdown(*memory_table(found)), "growth": markdown(*growth_table(found), 2),
        "missing": "\n".join(f"* {line}" for line in missing(found)) or "Nothing.",
        "aims": markdown(aims, aims_head), "misses": "\n".join(misses) or "All rows reach it.",
        "reference": markdown(reference, head), "notes": "\n".join(notes) or "None does.",
    }
    for key, value in values.items():
        template = template.replace(f"@{key}@", value)
    (directory / "performance.md").write_text(template)
