# SPDX-License-Identifier: GPL-2.0
# The guest's side of "make vm": a banner and a shell.
# shellcheck shell=sh

cat <<BANNER

  Debian's kernel $(uname -r) with a virtual MANA NIC of $PORTS ports ($pci_name).
  The driver is "$DRIVER": $DRIVER_FILE

    driver_load; ports_up     load it, put port n into the network namespace pn
    at 0 ping 10.0.0.2        a command in the namespace of port 0 (port n is 10.0.0.(n+1))
    iperf 0 1                 TCP from port 0 to port 1, in Mbit/s
    at 0 ethtool -S nic       each port's interface is "nic"
    model objects, model help talk to the device model
    pools                     page pools of a namespace: at 0 pools
    audit                     unload the driver and look for what is left

  All functions are in /job/lib.sh. The terminal is a serial line: run "busybox resize" after
  changing its size. Leave with "exit" or Ctrl-D. From another terminal on the host:
  scripts/vm/qmp.py build/vm/shell/qmp.sock objects

BANNER

cat >/root/.bashrc <<'BASHRC'
. /job/lib.sh
# What ends a script must not end the shell.
set +eu
fail() { echo "FAILED: $*" >&2; return 1; }
PS1='mana# '
BASHRC
busybox resize >/dev/null 2>&1 || true
bash -i || true
exit 0
