# SPDX-License-Identifier: GPL-2.0
"""A virtual machine with our NIC: starts it, feeds it, watches it, ends it.

The guest has three serial ports. The first is the kernel's console and goes to console.log. The
second carries what the guest's script prints, so that results never mix with the kernel's log. The
third takes requests for the device model and for this program, which answers them (guest/model.c).
"""

import contextlib
import dataclasses
import fcntl
import json
import os
import pathlib
import re
import selectors
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time

from qmp import DEVICE_ID, Qmp, QmpError

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

# Statuses above what a guest's script returns by itself.
TIMED_OUT = 124
DIED = 125
NOT_STARTED = 126

# Seconds between the guest's last word and the end of QEMU.
GRACE = 30

# What the kernel says before it ends by itself, or should.
LAST_WORDS = re.compile(
    r"Kernel panic|BUG:|Oops|general protection|Call Trace|soft lockup|hung_task|rcu.*stall"
)


class HostError(Exception):
    """The machine cannot be started; the text says why, for a person."""


@dataclasses.dataclass
class Device:
    """The function: properties of -device mana."""

    ports: int = 2
    queues: int = 4
    mtu: int = 9000
    options: str = ""
    more: dict = dataclasses.field(default_factory=dict)

    def properties(self, model: str) -> dict:
        return {
            "driver": "mana", "id": DEVICE_ID, "bus": "slot0", "model": model, "ports": self.ports,
            "queues": self.queues, "mtu": self.mtu, "options": self.options, **self.more,
        }


@dataclasses.dataclass
class Machine:
    name: str
    script: pathlib.Path
    arguments: list = dataclasses.field(default_factory=list)
    driver: str = "ours"
    device: Device | None = dataclasses.field(default_factory=Device)
    model: str = ""
    sanitize: bool = False  # the model, with AddressSanitizer and UBSan
    accelerator: str = "tcg,thread=multi"
    processors: int = 2
    memory: str = "1G"
    python: bool = False  # Python and the kernel's own tests in the guest
    append: str = ""
    files: dict = dataclasses.field(default_factory=dict)  # name in /job -> path here
    qemu_arguments: list = dataclasses.field(default_factory=list)
    timeout: float = 120
    interactive: bool = False
    log_root: pathlib.Path = ROOT / "build" / "vm"

    @property
    def logs(self) -> pathlib.Path:
        return self.log_root / self.name


@dataclasses.dataclass
class Outcome:
    status: int
    reason: str = ""  # why, unless the script itself ended with this status


def say(text: str) -> None:
    print(f"{os.path.basename(sys.argv[0])}: {text}", file=sys.stderr, flush=True)


def ask_script(*command: str) -> str:
    """The one line that a script of ours prints; its messages go to standard error."""
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if result.returncode:
        raise HostError(f"failed: {shlex.join(command)}")
    return result.stdout.strip().splitlines()[-1] if result.stdout.strip() else ""


def ask_library(function: str) -> str:
    """The same, of a function of lib.sh."""
    return ask_script("bash", "-euo", "pipefail", "-c", f". '{HERE}/lib.sh'; {function}")


def find_driver(driver: str, release: str) -> tuple[str, pathlib.Path | None]:
    """Where the module is in the guest, and here if it has to be brought there."""
    if driver == "none":
        return "", None
    if driver == "oracle":
        return f"/lib/modules/{release}/kernel/drivers/net/ethernet/microsoft/mana/mana.ko", None
    path = ROOT / "build" / release / "mana.ko" if driver == "ours" else pathlib.Path(driver)
    if not path.is_file():
        hint = f"; build it: make KDIR=/usr/src/linux-headers-{release}" if driver == "ours" else ""
        raise HostError(f"there is no {path}{hint}")
    built_for = re.search(rb"\0vermagic=(\S+)", path.read_bytes())
    if not built_for:
        raise HostError(f"{path} is not a kernel module")
    if built_for[1].decode() != release:
        raise HostError(f"{path} is for kernel {built_for[1].decode()}, and the guest runs {release}")
    return "/job/mana.ko", path


def lock(directory: pathlib.Path):
    """The right to use a directory of logs, until what this returns is closed; None if taken."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    holder = open(directory.with_name(directory.name + ".lock"), "w")
    try:
        fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder.close()
        return None
    return holder


class Archive:
    """A file system archive in the format that the kernel unpacks ("newc" of cpio)."""

    def __init__(self):
        self.parts = []
        self.directories = set()
        self.count = 0

    def _entry(self, name: str, mode: int, data: bytes) -> None:
        self.count += 1
        encoded = name.encode() + b"\0"
        fields = [self.count, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0]
        header = b"070701" + b"".join(b"%08x" % field for field in fields) + encoded
        for part in (header, data):
            self.parts.append(part + b"\0" * (-len(part) % 4))

    def add(self, name: str, data: bytes, mode: int = 0o755) -> None:
        for parent in reversed(pathlib.PurePosixPath(name).parents):
            if str(parent) != "." and parent not in self.directories:
                self.directories.add(parent)
                self._entry(str(parent), 0o040755, b"")
        self._entry(name, 0o100000 | mode, data)

    def finish(self) -> bytes:
        self._entry("TRAILER!!!", 0, b"")
        return b"".join(self.parts)


class Channel:
    """One end of a serial port or monitor of the machine; QEMU has the other."""

    def __init__(self, name: str):
        self.name = name
        self.here, self.there = socket.socketpair()
        self.pending = b""

    def chardev(self) -> list[str]:
        return ["-chardev", f"socket,id={self.name},fd={self.there.fileno()}"]

    def lines(self) -> list[str] | None:
        """Complete lines that have arrived; None at the end."""
        data = self.here.recv(65536)
        if not data:
            return None
        *complete, self.pending = (self.pending + data).split(b"\n")
        return [line.decode(errors="replace").rstrip("\r") for line in complete]


class Run:
    """One boot of a machine."""

    def __init__(self, machine: Machine, on_line=None):
        self.machine = machine
        self.on_line = on_line or (lambda line: print(line, flush=True))
        self.status = None  # of the guest's script
        self.deadline = None
        self.monitor = None
        self.lock = lock(machine.logs)
        if not self.lock:
            raise HostError(f"a machine with logs in {os.path.relpath(machine.logs)} is running; "
                            "give this one another --name")
        shutil.rmtree(machine.logs, ignore_errors=True)
        machine.logs.mkdir(parents=True)

    # ---- before ----

    def _initrd(self, image: pathlib.Path, release: str) -> pathlib.Path:
        """The image's file system, and this boot's part of it as a second archive behind."""
        machine = self.machine
        in_guest, driver_file = find_driver(machine.driver, release)
        job = Archive()
        job.add("init", (HERE / "guest/init").read_bytes())
        for library in sorted((HERE / "guest").glob("*.sh")):
            job.add(f"job/{library.name}", library.read_bytes())
        if machine.python:
            job.add("job/manatop", (ROOT / "scripts/manatop").read_bytes())
        job.add("job/script", machine.script.read_bytes())
        if driver_file:
            job.add("job/mana.ko", driver_file.read_bytes(), 0o644)
        for name, path in machine.files.items():
            job.add(f"job/{name}", pathlib.Path(path).read_bytes())
        device = machine.device or Device(ports=0, queues=0)
        environment = {
            "DRIVER": machine.driver, "DRIVER_FILE": in_guest, "PORTS": device.ports,
            "QUEUES": device.queues, "DEVICE_MTU": device.mtu,
            "TERM": os.environ.get("TERM", "linux"), "INTERACTIVE": int(machine.interactive),
            "ARGUMENTS": " ".join(shlex.quote(str(word)) for word in machine.arguments),
        }
        job.add("job/environment", "".join(
            f"export {key}={shlex.quote(str(value))}\n" for key, value in environment.items()
        ).encode())
        initrd = machine.logs / "initrd"
        with open(initrd, "wb") as output:
            archives = [image / "base.cpio"]
            if machine.python:
                archives.append(pathlib.Path(ask_script(str(HERE / "image-python"))) / "python.cpio")
            for archive in archives:
                with open(archive, "rb") as base:
                    shutil.copyfileobj(base, output)
            output.write(job.finish())
        return initrd

    def _command(self) -> list[str]:
        machine = self.machine
        qemu = ask_script(str(HERE / "qemu-build"))
        image = pathlib.Path(ask_script(str(HERE / "image")))
        release = (image / "release").read_text().strip()
        initrd = self._initrd(image, release)

        self.results, self.requests, self.control = (
            Channel(name) for name in ("results", "requests", "control"))
        # The console is quiet until the file system is up; then the guest's init makes it talk.
        append = ("console=ttyS0 quiet panic=-1 oops=panic tsc=reliable no_timer_check "
                  "rcupdate.rcu_cpu_stall_timeout=60 watchdog_thresh=30 " + machine.append)
        console = "stdio,signal=off,logfile=console.log" if machine.interactive else "file,path=console.log"
        command = [
            # However this program ends, QEMU does not outlive it.
            "setpriv", "--pdeathsig", "KILL", qemu, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-machine", "q35", "-accel", machine.accelerator, "-cpu", "max",
            "-smp", str(machine.processors), "-m", machine.memory,
            "-kernel", str(image / "vmlinux"), "-initrd", str(initrd), "-append", append.strip(),
            "-chardev", console.replace(",", ",id=console,", 1), "-serial", "chardev:console",
            *self.results.chardev(), "-serial", "chardev:results",
            # Its own interrupt: the third port of a PC otherwise shares the console's.
            *self.requests.chardev(), "-device", "isa-serial,index=2,irq=5,chardev=requests",
            *self.control.chardev(), "-mon", "chardev=control,mode=control",
            "-qmp", "unix:qmp.sock,server=on,wait=off",
        ]
        command += machine.qemu_arguments
        if machine.device:
            self.properties = machine.device.properties(self._model())
            command += ["-device", "pcie-root-port,id=slot0,chassis=1",
                        "-device", json.dumps(self.properties)]
        return command

    def _model(self) -> str:
        if self.machine.sanitize:
            return ask_script(str(ROOT / "scripts/model/build"), "--sanitize")
        # QEMU runs in the directory of the logs.
        return os.path.abspath(self.machine.model or ask_library("build_model"))

    def _environment(self) -> dict:
        """A sanitizer's runtime must be in QEMU from the start; QEMU itself leaks on purpose."""
        if not self.machine.sanitize:
            return {**os.environ}
        runtime = ask_script("clang++-19", "-print-file-name=libclang_rt.asan-x86_64.so")
        return {**os.environ, "LD_PRELOAD": runtime, "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
                "ASAN_OPTIONS": "detect_leaks=0:halt_on_error=1:detect_stack_use_after_return=0"}

    # ---- during ----

    def allow(self, seconds: float) -> None:
        """A new time limit, from now on; for a caller that follows what the guest says."""
        self.deadline = time.monotonic() + seconds

    def _on_results(self, line: str) -> None:
        if match := re.fullmatch(r"@exit (\d+)", line):
            self.status = int(match[1])
            self.allow(GRACE)
        else:
            self.log.write(line + "\n")
            self.log.flush()
            self.on_line(line)

    def _answer(self, request: str) -> str:
        """A request of the guest: "model TEXT" is the model's, "host ..." is ours."""
        match request.split(None, 3):
            case ["model", *_]:
                return self.monitor.control(request.removeprefix("model "))
            case ["host", "unplug"]:
                self.monitor.execute("device_del", id=DEVICE_ID)
            case ["host", "plug"]:
                self.monitor.execute("device_add", **self.properties)
            case ["host", "link", port, "up" | "down" as state]:
                self.monitor.execute("set_link", name=f"{DEVICE_ID}.{port}", up=state == "up")
            case ["host", "qmp", command]:
                return json.dumps(self.monitor.execute(command))
            case ["host", "qmp", command, arguments]:
                return json.dumps(self.monitor.execute(command, **json.loads(arguments)))
            case _:
                raise QmpError("host unplug | plug | link PORT up|down | qmp COMMAND [JSON]")
        return ""

    def _on_request(self, line: str) -> None:
        try:
            reply = "=" + self._answer(line)
        except (QmpError, ValueError) as error:
            reply = f"!{error}"
        with contextlib.suppress(ConnectionError):  # a guest that died while it waited
            self.requests.here.sendall(reply.replace("\n", " ").encode() + b"\n")

    def _greet(self) -> None:
        """If QEMU ended at once, _serve() will notice, and QEMU's messages say why."""
        with contextlib.suppress(QmpError):
            self.monitor = Qmp(self.control.here)

    def _serve(self, qemu: subprocess.Popen) -> bool:
        """Until QEMU ends. False if it has to be ended."""
        selector = selectors.DefaultSelector()
        selector.register(self.results.here, selectors.EVENT_READ, (self.results, self._on_results))
        selector.register(self.requests.here, selectors.EVENT_READ, (self.requests, self._on_request))
        while selector.get_map():
            remaining = None if self.deadline is None else self.deadline - time.monotonic()
            if remaining is not None and remaining <= 0:
                return False
            for key, _ in selector.select(remaining):
                channel, handle = key.data
                try:
                    lines = channel.lines()
                except ConnectionError:
                    lines = None
                if lines is None:
                    selector.unregister(channel.here)
                for line in lines or ():
                    handle(line)
        qemu.wait()
        return True

    def go(self) -> Outcome:
        command = self._command()
        logs = self.machine.logs
        (logs / "command").write_text(shlex.join(command) + "\n")
        channels = (self.results, self.requests, self.control)
        with open(logs / "qemu.log", "wb") as errors, open(logs / "results.log", "w") as self.log:
            with subprocess.Popen(
                command, cwd=logs, env=self._environment(), stderr=errors,
                stdin=None if self.machine.interactive else subprocess.DEVNULL,
                stdout=None if self.machine.interactive else errors,
                pass_fds=[channel.there.fileno() for channel in channels],
            ) as qemu:
                try:
                    for channel in channels:
                        channel.there.close()
                    if not self.machine.interactive:
                        self.allow(self.machine.timeout)
                    self._greet()
                    ended = self._serve(qemu)
                finally:
                    if qemu.poll() is None:
                        qemu.kill()
        (logs / "initrd").unlink(missing_ok=True)
        return self._judge(qemu.returncode, ended)

    # ---- after ----

    def _console_words(self) -> str:
        try:
            console = (self.machine.logs / "console.log").read_text(errors="replace").splitlines()
        except OSError:
            return ""
        for line in console:
            if LAST_WORDS.search(line):
                return line.strip()
        return ""

    def _judge(self, code: int, ended: bool) -> Outcome:
        logs = os.path.relpath(self.machine.logs)
        if ended and code:
            words = (self.machine.logs / "qemu.log").read_text(errors="replace").strip().splitlines()
            how = f"signal {signal.Signals(-code).name}" if code < 0 else f"status {code}"
            reason = f"QEMU ended with {how}: {words[-1] if words else 'no message'} ({logs}/qemu.log)"
            return Outcome(NOT_STARTED if self.status is None and code == 1 else DIED, reason)
        if self.status is not None:
            if not ended:
                say(f"the guest said {self.status} but did not power off; ended it")
            return Outcome(self.status)
        words = self._console_words()
        if ended:
            return Outcome(DIED, f"the guest died: {words or 'no last words'} ({logs}/console.log)")
        return Outcome(TIMED_OUT, "no end within the time limit"
                       f"{': ' + words if words else ''} ({logs}/console.log)")
