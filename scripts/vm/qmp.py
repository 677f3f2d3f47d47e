#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""QEMU's machine protocol, as far as the virtual machine's scripts need it.

As a program, talks to a running machine (scripts/vm/run and shell say where its socket is):

    qmp.py build/vm/shell/qmp.sock objects            what the guest has created in the device
    qmp.py build/vm/shell/qmp.sock control TEXT...    one control line for the device model
    qmp.py build/vm/shell/qmp.sock execute COMMAND [JSON-ARGUMENTS]
"""

import json
import os
import socket
import sys

DEVICE_ID = "mana0"
DEVICE = f"/machine/peripheral/{DEVICE_ID}"


class QmpError(Exception):
    """QEMU answered with an error, or not at all."""


class Qmp:
    """One conversation. Events are skipped: nobody here waits for one."""

    def __init__(self, connection: socket.socket):
        self.stream = connection.makefile("rw", encoding="utf-8")
        self._receive()  # the greeting
        self.execute("qmp_capabilities")

    def _receive(self) -> dict:
        try:
            line = self.stream.readline()
        except ConnectionError:
            line = ""
        if not line:
            raise QmpError("QEMU is gone")
        return json.loads(line)

    def _send(self, message: dict) -> None:
        try:
            self.stream.write(json.dumps(message) + "\n")
            self.stream.flush()
        except ConnectionError as error:
            raise QmpError("QEMU is gone") from error

    def execute(self, command: str, **arguments):
        self._send({"execute": command, "arguments": arguments})
        while True:
            answer = self._receive()
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise QmpError(answer["error"]["desc"])

    def objects(self) -> str:
        return self.execute("qom-get", path=DEVICE, property="objects")

    def control(self, text: str) -> str:
        """One control line for the device model; its reply."""
        self.execute("qom-set", path=DEVICE, property="control", value=text)
        return self.execute("qom-get", path=DEVICE, property="reply")


def connect(path: str) -> Qmp:
    connection = socket.socket(socket.AF_UNIX)
    directory = os.getcwd()
    # The name of a socket is limited to 107 bytes, a checkout's path is not.
    os.chdir(os.path.dirname(path) or ".")
    try:
        connection.connect(os.path.basename(path))
    finally:
        os.chdir(directory)
    return Qmp(connection)


def main(arguments: list[str]) -> int:
    match arguments:
        case [path, "objects"]:
            print(connect(path).objects())
        case [path, "control", *words] if words:
            print(connect(path).control(" ".join(words)))
        case [path, "execute", command]:
            print(json.dumps(connect(path).execute(command), indent=2))
        case [path, "execute", command, text]:
            print(json.dumps(connect(path).execute(command, **json.loads(text)), indent=2))
        case _:
            print(__doc__.strip(), file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (OSError, QmpError) as error:
        sys.exit(f"qmp.py: {error}")
