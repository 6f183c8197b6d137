"""Running a command with the network cut but for loopback, and noting every attempt to leave.

    python -m fw_pipeline_tests.support.cut_off NOTES COMMAND...

It is run inside a network namespace of its own (`prefix` enters one), where nothing leads outside. There, every address
is made local: what is sent to anybody arrives on the loopback device, is noted, and is refused at once, so that nothing
waits for an answer that cannot come. NOTES gets `watching`, then a line for each attempt: a connection, a datagram, or
the name that a resolver was asked for.
"""

from __future__ import annotations

import ipaddress
import shutil
import socket
import struct
import subprocess
import sys
from functools import cache
from pathlib import Path

WATCHING = "watching"
_ENTER = ("unshare", "--map-root-user", "--net", "--")
_CUT = (("link", "set", "lo", "up"), ("route", "add", "local", "default", "dev", "lo"),
        ("-6", "route", "add", "local", "default", "dev", "lo"))  # fmt: skip
_TCP, _UDP, _DNS = 6, 17, 53
_ETH_ALL, _ETH_HEADER, _IPV6_HEADER = 3, 14, 40


@cache
def why_not() -> str | None:
    """Return why this machine cannot cut the network off for a command, or None where it can."""
    for tool in ("unshare", "ip"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
    tried = subprocess.run([*_ENTER, "ip", *_CUT[0]], capture_output=True, text=True, check=False)
    return tried.stderr.strip() or "refused" if tried.returncode else None


def prefix(notes: Path) -> tuple[str, ...]:
    """Return what to write before a command, so that it runs cut off."""
    return (*_ENTER, sys.executable, "-m", "fw_pipeline_tests.support.cut_off", str(notes))


def attempts(notes: Path) -> list[str]:
    """Return what was noted, each once; a file that does not say that anybody watched is an error."""
    first, *lines = notes.read_text(encoding="utf-8").splitlines()
    assert first == WATCHING, first
    return list(dict.fromkeys(lines))


def attempt(packet: bytes) -> str | None:
    """Return what a packet on the loopback device tries, if it would leave: every name asked of a resolver would."""
    version = packet[0] >> 4
    if version == 4:
        start, protocol = (packet[0] & 15) * 4, packet[9]
        to: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.IPv4Address(packet[16:20])
    else:
        start, protocol, to = _IPV6_HEADER, packet[6], ipaddress.IPv6Address(packet[24:40])
    if protocol not in (_TCP, _UDP):
        return None  # refusals
    source, port = struct.unpack_from("!HH", packet, start)
    if protocol == _TCP:
        is_opening = packet[start + 13] & 0x12 == 2
        return f"tcp {to} {port}" if is_opening and not to.is_loopback else None
    if port == _DNS:
        return f"name {_name(packet[start + 20 :])}"
    return None if to.is_loopback or source == _DNS else f"udp {to} {port}"


def _name(question: bytes) -> str:
    parts, at = [], 0
    while at < len(question) and question[at]:
        parts.append(question[at + 1 : at + 1 + question[at]].decode("ascii", "replace"))
        at += 1 + question[at]
    return ".".join(parts)


def main() -> int:
    """Cut off, run the command and watch until it has ended and nothing more arrives; return its status."""
    notes, *command = sys.argv[1:]
    for step in _CUT:
        subprocess.run(["ip", *step], check=True)
    device = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_ALL))
    device.bind(("lo", 0))
    device.settimeout(0.2)
    with Path(notes).open("w", encoding="utf-8", buffering=1) as out, subprocess.Popen(command) as process:
        print(WATCHING, file=out)
        has_ended = False
        while True:
            try:
                frame, (_, _, direction, *_) = device.recvfrom(65_536)
            except TimeoutError:
                if has_ended:
                    return process.returncode
                has_ended = process.poll() is not None
                continue
            if direction == socket.PACKET_OUTGOING and (line := attempt(frame[_ETH_HEADER:])):
                print(line, file=out)


if __name__ == "__main__":
    sys.exit(main())
