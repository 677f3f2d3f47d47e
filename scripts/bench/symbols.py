# SPDX-License-Identifier: GPL-2.0
"""The kernel's functions, and the table that the counting plugin reads.

Without address randomisation the kernel's own functions are where they are in every boot: their list
is taken once, in a short boot of its own. A module's functions are told by the guest when it has
loaded them.
"""

import base64
import gzip
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent

INTERRUPT = re.compile(r"asm_(exc|sysvec)_\w+|asm_common_interrupt|asm_spurious_interrupt")
STUBS = ("irq_entries_start", "spurious_entries_start")
SWITCH = "__switch_to_asm"
PAGE = 4096


def unpack(lines: list[str]) -> str:
    """What the guest packed: "ADDRESS NAME" lines."""
    return gzip.decompress(base64.b64decode("".join(lines))).decode()


def stack_functions(kind: str) -> list[str]:
    """The names in stack.table for rows that hand packets to the stack ("skb") or not ("xdp")."""
    names = []
    for line in (HERE / "stack.table").read_text().splitlines():
        words = line.split()
        if words and not words[0].startswith("#") and words[1] in ("always", kind):
            names.append(words[0])
    return names


def plugin_table(kernel: str, modules: list[tuple[str, str, str]], driver: list[str], kind: str) -> str:
    """kernel: "ADDRESS NAME" lines; modules: (address, name, module); driver: names of modules."""
    lines = []
    addresses = {}
    text = []
    for line in kernel.splitlines():
        address, name = line.split()
        lines.append(f"function {address} {name}")
        addresses.setdefault(name, []).append(address)
    for address, name, module in modules:
        lines.append(f"function {address} {name}")
        addresses.setdefault(name, []).append(address)
        if module in driver:
            text.append((int(address, 16), module))
    for module in driver:
        own = [address for address, owner in text if owner == module]
        if own:
            # A module's text begins with a page, and nobody else's is in its last one.
            end = (max(own) // PAGE + 1) * PAGE
            lines.append(f"driver {min(own) // PAGE * PAGE:x} {end:x}")
    for name in stack_functions(kind):
        # One that is not found would silently put the network stack on the driver's account.
        if name not in addresses:
            raise ValueError(f"the kernel has no {name}, which scripts/bench/stack.table names")
        lines += [f"stack {address}" for address in addresses[name]]
    for name, places in addresses.items():
        if INTERRUPT.fullmatch(name):
            lines += [f"interrupt {address}" for address in places]
    lines += [f"stubs {address}" for name in STUBS for address in addresses.get(name, ())]
    lines += [f"switch {address}" for address in addresses[SWITCH]]
    return "\n".join(lines) + "\n"
