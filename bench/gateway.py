"""A gateway of one's own to measure: a separate process, its own store, free ports.

*In*: the outlets and routes of its configuration; a directory on the disk to measure.
*Out*: its addresses, its CPU time, its memory.
*Never*: a store on a file system in memory without saying so; a process left behind.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import attrs

from pdu.codec import pack
from pdu.commands import BINDS, RESPONSE, Command
from pdu.framer import Framer

SYSTEM_ID: Final = "bench"
PASSWORD: Final = "bench"
SIMULATOR: Final = '[outlets.sim]\nkind = "simulator"\ndelay_s = {delay_s}\n'
# Port 1 (tcpmux) is served nowhere: the link is refused at once, again and again.
CLOSED: Final = '[outlets.sim]\nkind = "smpp"\nhost = "127.0.0.1"\nport = 1\nsystem_id = "gw"\n'
_CONFIG: Final = """\
[node]
data_dir = "{data_dir}"
[smpp]
listen = ["127.0.0.1:0"]
[http]
listen = ["127.0.0.1:0"]
dialects = {dialects}
[log]
level = "error"
[accounts.{system_id}]
password = "{password}"
max_binds = 0
window = {window}
{outlets}
[[routes]]
name = "default"
outlets = ["sim"]
"""
# `sim` goes on to another gateway, whose simulator is the network; `slow` is a carrier that takes
# one message at a time and answers none of them.
CHAIN: Final = """\
[outlets.sim]
kind = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "bench"
password = "bench"
binds = 2
window = 1000
reconnect_s = 0.1
"""
SLOW: Final = """\
[outlets.slow]
kind = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "gw"
window = 1
[[routes]]
name = "slow"
to = ["49"]
outlets = ["slow"]
"""
_CORES: Final = sorted(os.sched_getaffinity(0))
GATEWAY_CORES: Final = _CORES[:1]
LOAD_CORES: Final = _CORES[1:] or _CORES
"""One core for the gateway's loop, the others for its writer, the load and the carriers: so the
loop keeps its caches, as it does where cores are many. All on one core where there is no second."""
_START_S: Final = 20.0
_STOP_S: Final = 40.0
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
RUN: Final = ("-c", "from smsc.cli import main; main()")
PROFILE: Final = ("-m", "bench.profile")


@attrs.frozen
class Memory:
    """Resident memory in octets: the process's own, and pages of files that the kernel shares."""

    own: int
    files: int


@attrs.frozen
class RunningGateway:
    """One gateway process."""

    pid: int
    smpp_port: int
    http_port: int
    data_dir: Path

    def cpu_s(self) -> float:
        """CPU time so far in seconds, user and system, all threads: proc(5), stat fields 14, 15."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S

    def memory(self) -> Memory:
        """Resident memory now."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        kib = {
            name: int(size)
            for name, size in re.findall(r"^(Rss\w+):\s+(\d+) kB", status, re.MULTILINE)
        }
        return Memory(kib["RssAnon"] * 1024, (kib["RssFile"] + kib["RssShmem"]) * 1024)


@contextmanager
def gateway(
    directory: Path,
    outlets: str,
    *,
    window: int = 100,
    how: Sequence[str] = RUN,
    dialects: Sequence[str] = (),
) -> Iterator[RunningGateway]:
    """Start a gateway with a new store under `directory`, and stop it at the end.

    :param outlets: TOML of one outlet that is called `sim`: `SIMULATOR` or `CLOSED`.
    :param dialects: HTTP interfaces besides the native one.
    :param how: arguments of the interpreter that end in the `smsc` command.
    :raises RuntimeError: it did not come up; standard error says why.
    """
    with tempfile.TemporaryDirectory(dir=directory, prefix=".bench-") as place:
        config = Path(place) / "bench.toml"
        config.write_text(
            _CONFIG.format(
                data_dir=Path(place) / "var",
                system_id=SYSTEM_ID,
                password=PASSWORD,
                window=window,
                outlets=outlets,
                dialects=list(dialects),
            )
        )
        command = [sys.executable, *how, "run", "--config", str(config)]
        with (
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child,
            _on_cores_of_the_load(),
        ):
            try:
                smpp_port, http_port = _await_ports(child)
                _give_cores(child.pid)
                yield RunningGateway(child.pid, smpp_port, http_port, Path(place) / "var")
            finally:
                _stop(child)


@contextmanager
def quick_carrier() -> Iterator[int]:
    """The port of a carrier that costs next to nothing: see `bench.carrier`."""
    command = [sys.executable, "-m", "bench.carrier"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        os.sched_setaffinity(child.pid, LOAD_CORES)
        try:
            yield int(child.stdout.readline())
        finally:
            child.stdin.close()


@contextmanager
def silent_carrier() -> Iterator[int]:
    """The port of a carrier that takes a bind and answers nothing but enquire_link."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_be_silent, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


@contextmanager
def _on_cores_of_the_load() -> Iterator[None]:
    """This process leaves the gateway its core for as long as the block runs."""
    os.sched_setaffinity(0, LOAD_CORES)
    try:
        yield
    finally:
        os.sched_setaffinity(0, _CORES)


def _give_cores(pid: int) -> None:
    """Its first thread runs the loop; threads that come later stay with it."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        thread = int(task.name)
        os.sched_setaffinity(thread, GATEWAY_CORES if thread == pid else LOAD_CORES)


def _be_silent(listener: socket.socket) -> None:
    with suppress(OSError):
        while True:
            sock, _ = listener.accept()
            framer = Framer()
            with sock, suppress(OSError):
                while data := sock.recv(65536):
                    for command_id, _, number, _ in framer.feed(data):
                        if command_id < RESPONSE and command_id != Command.SUBMIT_SM:
                            is_bind = command_id in BINDS
                            body = b"slow\0" if is_bind else b""
                            sock.sendall(pack(command_id | RESPONSE, 0, number, body))


def _await_ports(child: "subprocess.Popen[str]") -> tuple[int, int]:
    """Read the greeting, which names the ports."""
    assert child.stdout is not None
    smpp_port = None
    for line in child.stdout:
        found = re.match(r"\s+(SMPP|HTTP)\s.*:(\d+)$", line)
        if found and found[1] == "SMPP":
            smpp_port = int(found[2])
        elif found and smpp_port is not None:
            return smpp_port, int(found[2])
    raise RuntimeError("the gateway did not start")


def _stop(child: "subprocess.Popen[str]") -> None:
    """SIGTERM, and a second one if what is on its way takes long: the store is thrown away."""
    for wait_s in (_STOP_S / 20, _STOP_S):
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(wait_s)
        except subprocess.TimeoutExpired:
            continue
        return
    child.kill()


def settle_down(seconds: float = 0.5) -> None:
    """Let the disk write out what the last measurement left."""
    os.sync()
    time.sleep(seconds)
