"""The command line, as a process: exit status, sentences, signals."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from smsc import cli
from tests.fakes.carrier import SilentCarrier
from tests.foreign.esme import Esme

ROOT = Path(__file__).parents[2]
PATIENCE_S = 20.0
GOOD = """
[node]
data_dir = "{dir}/var"
[smpp]
listen = ["127.0.0.1:0"]
[http]
listen = ["127.0.0.1:0"]
[accounts.demo]
password = "demo"
"""
SIMULATOR = """
[outlets.sim]
kind = "simulator"
[[routes]]
outlets = ["sim"]
"""
CARRIER = """
[outlets.carrier]
kind = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "gw"
[[routes]]
outlets = ["carrier"]
"""


class Process:
    """`smsc …` in a process of its own."""

    def __init__(self, *arguments: str) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-c", "from smsc.cli import main; main()", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self.told = ""

    def read_until(self, text: str, stream: IO[str] | None = None) -> str:
        """The line of standard output (or `stream`) that holds `text`."""
        for line in stream or self.out:
            self.told += line
            if text in line:
                return line
        raise AssertionError(f"{text!r} never came in {self.told!r}")

    @property
    def out(self) -> IO[str]:
        assert self._popen.stdout is not None
        return self._popen.stdout

    @property
    def log(self) -> IO[str]:
        assert self._popen.stderr is not None
        return self._popen.stderr

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def is_alive(self) -> bool:
        return self._popen.poll() is None

    def signal(self, number: int) -> None:
        self._popen.send_signal(number)

    def end(self) -> tuple[int, str, str]:
        """Wait for it: exit status, standard output, standard error."""
        out, err = self._popen.communicate(timeout=PATIENCE_S)
        return self._popen.returncode, out, err

    def port(self) -> int:
        """Of the SMPP listener, once it is up."""
        self.read_until("smsc is up.")
        found = re.search(r"SMPP +127\.0\.0\.1:(\d+)", self.read_until("SMPP"))
        assert found is not None
        return int(found[1])

    def close(self) -> None:
        if self.is_alive:
            self._popen.kill()
        self._popen.communicate()


@pytest.fixture
def smsc() -> Iterator[type[Process]]:
    processes: list[Process] = []

    class Started(Process):
        def __init__(self, *arguments: str) -> None:
            super().__init__(*arguments)
            processes.append(self)

    yield Started
    for process in processes:
        process.close()


@pytest.fixture
def carrier() -> Iterator[SilentCarrier]:
    carrier = SilentCarrier()
    yield carrier
    carrier.close()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write(tmp_path, SIMULATOR)


def write(tmp_path: Path, more: str) -> Path:
    path = tmp_path / "smsc.toml"
    path.write_text(GOOD.format(dir=tmp_path) + more)
    return path


# --- check ------------------------------------------------------------------------------------


def test_check_tells_what_a_good_file_would_start(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.app(["check", str(config)]) == 0
    out, err = capsys.readouterr()
    assert re.search(r"^demo +10 +100 ", out, re.MULTILINE)
    assert re.search(r"^sim +simulator", out, re.MULTILINE)
    assert err == ""
    assert "demo demo" not in out


def test_check_names_every_mistake_by_its_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(
        tmp_path,
        '[accounts.bad]\npassword = "x"\nmax_binds = "many"\n'
        '[outlets.c]\nkind = "smpp"\nhost = "h"\nsystem_id = "gw"\npassword = "123456789"\n'
        '[[routes]]\noutlets = ["nowhere"]\n[extra]\n',
    )
    assert cli.app(["check", str(path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    head, *mistakes = err.splitlines()
    assert head == f"smsc: {path} has 4 mistake(s):"
    assert {line.split(":")[0] for line in mistakes} == {
        "accounts.bad.max_binds",
        "outlets.c.password",
        "routes[0].outlets",
        "extra",
    }
    assert "123456789" not in err


@pytest.mark.parametrize("command", [["check"], ["run", "--config"]])
def test_a_file_that_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    missing = tmp_path / "missing.toml"
    assert cli.app([*command, str(missing)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"{missing}: No such file or directory" in err


def test_run_refuses_a_bad_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, "[smppp]\n")
    assert cli.app(["run", "--config", str(path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "smppp: unknown key" in err
    assert not (tmp_path / "var").exists()


def test_the_process_ends_with_the_status_of_its_command(
    smsc: type[Process], tmp_path: Path
) -> None:
    assert smsc("check", str(tmp_path / "missing.toml")).end()[0] == 2
    assert smsc("frobnicate").end()[0] == 2


# --- run --------------------------------------------------------------------------------------


def test_run_says_how_to_send_keeps_others_out_and_ends_with_0_on_sigterm(
    smsc: type[Process], config: Path
) -> None:
    process = smsc("run", "--config", str(config))
    port = process.port()
    assert "curl -u demo:demo http://127.0.0.1:" in process.read_until("curl")
    client = Esme(port)
    client.bind()
    client.submit()
    client.read_until(responses=1, delivered=1)
    client.unbind()
    client.close()

    second = smsc("run", "--config", str(config))
    status, out, err = second.end()
    assert (status, out) == (1, "")
    assert re.search(
        rf"^smsc: data_dir \S+ is in use by another smsc process \(pid {process.pid}\): "
        r"stop that one first, or give this one a data_dir of its own\.$",
        err,
        re.MULTILINE,
    )
    assert "Traceback" not in err

    process.signal(signal.SIGTERM)
    status, _, log = process.end()
    assert status == 0
    events = re.findall(r'"event":"([^"]+)"', log)
    assert events[-2:] == ["store.closed", "gateway.stopped"]
    assert "gateway.stopping" in events
    assert "hello" not in log
    assert "demo demo" not in log


@pytest.mark.parametrize("door", ["smpp", "http"])
def test_an_address_in_use_is_one_sentence(smsc: type[Process], tmp_path: Path, door: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        path = write(tmp_path, SIMULATOR)
        section = f'[{door}]\nlisten = ["127.0.0.1:0"]'
        path.write_text(path.read_text().replace(section, section.replace("127.0.0.1:0", address)))
        status, _, err = smsc("run", "--config", str(path)).end()
    assert status == 1
    sentence = err.strip().splitlines()[-1]
    assert sentence.startswith("smsc: ")
    assert address in sentence
    assert "in use" in sentence
    assert "Traceback" not in err


def test_a_data_dir_that_cannot_be(smsc: type[Process], tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file")
    status, _, err = smsc("run", "--config", str(write(tmp_path, SIMULATOR))).end()
    assert status == 1
    assert re.search(r"^smsc: cannot use data_dir \S+: ", err, re.MULTILINE)
    assert "Traceback" not in err


def test_sighup_reads_the_file_again(smsc: type[Process], config: Path) -> None:
    process = smsc("run", "--config", str(config))
    port = process.port()
    good = config.read_text()
    config.write_text(good + "[nonsense]\n")
    process.signal(signal.SIGHUP)
    assert "nonsense: unknown key" in process.read_until("config.not_reloaded", process.log)
    config.write_text(good + '[accounts.other]\npassword = "other"\n')
    process.signal(signal.SIGHUP)
    assert '"by":"SIGHUP"' in process.read_until("config.reloaded", process.log)
    client = Esme(port)
    client.bind(name="other", password="other")
    client.unbind()
    client.close()
    process.signal(signal.SIGTERM)
    assert process.end()[0] == 0


def in_flight(smsc: type[Process], tmp_path: Path, carrier: SilentCarrier, number: int) -> Process:
    """A gateway told to stop while a message is in the hands of its carrier."""
    process = smsc("run", "--config", str(write(tmp_path, CARRIER.format(port=carrier.port))))
    client = Esme(process.port())
    client.bind()
    client.submit()
    client.read_until(responses=1)
    client.unbind()
    client.close()
    assert carrier.submitted.wait(PATIENCE_S)
    process.signal(number)
    process.read_until("gateway.stopping", process.log)
    return process


def test_a_stop_waits_for_what_the_carrier_owes(
    smsc: type[Process], tmp_path: Path, carrier: SilentCarrier
) -> None:
    process = in_flight(smsc, tmp_path, carrier, signal.SIGTERM)
    assert process.is_alive
    carrier.may_answer.set()
    status, _, log = process.end()
    assert status == 0
    assert '"why":"unbound by us"' in log


def test_a_second_signal_does_not_wait(
    smsc: type[Process], tmp_path: Path, carrier: SilentCarrier
) -> None:
    process = in_flight(smsc, tmp_path, carrier, signal.SIGINT)
    assert process.is_alive
    process.signal(signal.SIGTERM)
    status, _, log = process.end()
    assert status == 0
    assert '"event":"store.closed"' in log
