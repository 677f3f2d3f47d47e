# SPDX-License-Identifier: GPL-2.0
"""One boot of the bench's machine: what the guest measured, as plain data."""

import dataclasses
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "scripts" / "vm"))

# pylint: disable=wrong-import-position
from machine import Device, HostError, Machine, Run, ask_library, ask_script  # noqa: E402,F401
from qmp import QmpError  # noqa: E402
import symbols  # noqa: E402

BUILD = ROOT / "build" / "bench"

# No ERMS or FSRM: with -icount a repeated string instruction counts once for each repetition.
CPU_MODEL = "qemu64"
# Work that a doorbell starts is done this much later, as on a device that has something else to do:
# several packets then share one interrupt, and a loop that waits for the device gets somewhere.
DEFER_NS = 100000
MAC = "52:54:00:12:34"
APPEND = "nokaslr mitigations=off iomem=relaxed"


@dataclasses.dataclass
class Window:
    row: str
    packets: int
    before: dict = dataclasses.field(default_factory=dict)
    after: dict = dataclasses.field(default_factory=dict)
    counts: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Session:
    """What one boot said."""

    windows: list = dataclasses.field(default_factory=list)
    failures: dict = dataclasses.field(default_factory=dict)  # row -> reason
    facts: list = dataclasses.field(default_factory=list)  # words of other "@" lines
    text: list = dataclasses.field(default_factory=list)


class Log:
    """Follows what the guest prints."""

    def __init__(self, verbose: bool):
        self.session = Session()
        self.row = ""
        self.modules = []
        self.verbose = verbose

    def __call__(self, line: str) -> None:
        words = line.split()
        session = self.session
        match words[:1]:
            case ["@function"]:
                # The module's name is in brackets.
                self.modules.append((words[1], words[2], words[3].strip("[]")))
                return
            case ["@modules"]:
                self.modules.clear()
                return
            case ["@row"]:
                self.row = " ".join(words[1:])
            case ["@failed"]:
                session.failures[self.row] = " ".join(words[1:]) or "no reason given"
            case ["@window"]:
                session.windows.append(Window(self.row, int(words[1])))
            case ["@before"]:
                session.windows[-1].before = json.loads(line.split(None, 1)[1])
            case ["@after"]:
                session.windows[-1].after = json.loads(line.split(None, 1)[1])
            case [word] if word.startswith("@"):
                session.facts.append(words)
            case _:
                session.text.append(line)
        if self.verbose:
            print(line[:160], file=sys.stderr, flush=True)


class BenchRun(Run):
    """A boot in which the guest can ask for the plugin's table."""

    def __init__(self, machine: Machine, log: Log, kernel: str, driver_modules: list[str]):
        super().__init__(machine, log)
        self.bench_log = log
        self.kernel = kernel
        self.driver_modules = driver_modules

    def _answer(self, request: str) -> str:
        match request.split():
            case ["host", "bench", "table", kind]:
                if kind not in ("skb", "xdp"):
                    raise QmpError("host bench table skb|xdp")
                table = symbols.plugin_table(self.kernel, self.bench_log.modules, self.driver_modules, kind)
                (self.machine.logs / "table").write_text(table)
                return ""
        return super()._answer(request)


def compile_all() -> dict:
    """The plugin, and the guest's programs; name in the guest -> path here."""
    BUILD.mkdir(parents=True, exist_ok=True)
    qemu = pathlib.Path(ask_script(str(ROOT / "scripts/vm/qemu-build")))
    # It is TREE/GLUE/bin/qemu-system-x86_64 or a directory less; the source is TREE/source.
    tree = next(parent for parent in qemu.parents if (parent / "source").is_dir())
    header = tree / "source" / "include" / "qemu"
    warnings = ["-O2", "-Wall", "-Wextra", "-Werror"]
    for command in (
        ["gcc", "-shared", "-fPIC", *warnings, "-I", str(header), str(HERE / "plugin/count.c"),
         "-o", str(BUILD / "count.so")],
        ["gcc", "-static", *warnings, "-I", str(HERE / "plugin"), str(HERE / "guest/bench.c"),
         "-o", str(BUILD / "bench")],
        ["clang-19", "-target", "bpf", "-O2", "-g", "-Wall", "-Werror", "-c", str(HERE / "guest/bench.bpf.c"),
         "-o", str(BUILD / "bench.bpf.o")],
    ):
        if subprocess.run(command, check=False).returncode:
            raise HostError(f"compiling failed: {' '.join(command)}")
    return {"bench": BUILD / "bench", "bench.bpf.o": BUILD / "bench.bpf.o"}


@dataclasses.dataclass
class Setup:
    """Everything that may differ between two boots."""

    name: str
    arguments: list
    driver: str = "ours"  # as for scripts/vm/run; virtio_net for that one
    ports: int = 1
    queues: int = 1
    processors: int = 1
    memory: str = "1G"
    timeout: float = 600
    model: str = ""


def boot(setup: Setup, files: dict, kernel: str, verbose: bool = False) -> Session:
    virtio = setup.driver == "virtio_net"
    more = {"defer_ns": DEFER_NS, "mac": f"{MAC}:56"}
    logs = BUILD / "vm" / setup.name
    qemu = ["-cpu", CPU_MODEL, "-icount", "shift=0,sleep=off",
            # Nothing that differs from boot to boot.
            "-seed", "1", "-rtc", "base=2026-01-01,clock=vm",
            "-plugin", f"{BUILD / 'count.so'},table={logs / 'table'},results={logs / 'counts'}"]
    if virtio:
        # The generator's ports are wired to the other NICs, which have the addresses that the
        # generator expects behind its ports.
        for port in range(setup.ports):
            more[f"netdev{port}"] = f"wire{port}"
            qemu += ["-netdev", f"hubport,id=wire{port},hubid={port}",
                     "-netdev", f"hubport,id=nic{port},hubid={port}",
                     "-device", f"virtio-net-pci,netdev=nic{port},mac={MAC}:{0x56 + port:02x},"
                                f"tx=timer,x-txtimer={DEFER_NS},bus=pcie.0,romfile="]
    machine = Machine(
        name=setup.name, script=HERE / "guest/bench.sh", arguments=setup.arguments,
        driver="none" if virtio else setup.driver, model=setup.model,
        device=Device(setup.ports, setup.queues, 9000, "", more),
        accelerator="tcg,thread=single", processors=setup.processors, memory=setup.memory,
        append=APPEND, qemu_arguments=qemu, files=files, timeout=setup.timeout, log_root=BUILD / "vm",
    )
    log = Log(verbose)
    modules = ["virtio_net", "virtio_ring", "virtio_pci", "virtio_pci_modern_dev"] if virtio else ["mana"]
    outcome = BenchRun(machine, log, kernel, modules).go()
    session = log.session
    if outcome.status:
        words = " / ".join(session.text[-3:])
        raise HostError(f"{setup.name}: {outcome.reason or words or 'the guest failed'} ({logs})")
    counts = (logs / "counts").read_text().splitlines() if (logs / "counts").exists() else []
    for window, line in zip(session.windows, counts):
        window.counts = json.loads(line)
    return session


def kernel_symbols(files: dict) -> str:
    """ADDRESS NAME lines of the guest's kernel; from an earlier run if there was one."""
    image = pathlib.Path(ask_script(str(ROOT / "scripts/vm/image")))
    cache = BUILD / f"functions-{(image / 'release').read_text().strip()}"
    if not cache.exists():
        session = boot(Setup("symbols", ["symbols"], driver="none"), files, "")
        text = symbols.unpack(session.text)
        if symbols.SWITCH not in text:
            raise HostError("the guest's list of functions is not complete")
        cache.write_text(text)
    return cache.read_text()
