"""`smsc send`: one message through a running gateway, each step shown."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from smsc.cli import app
from tests.fakes.house import ACCOUNT, SIMULATOR, RunningGateway, StartGateway

HTTP = '\n[http]\nlisten = ["127.0.0.1:0"]\n'
FAILING = SIMULATOR.replace("delay_s = 0.0", "delay_s = 0.0\nfail = 1.0")
SLOW = SIMULATOR.replace("delay_s = 0.0", "delay_s = 600")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def run(*arguments: str) -> int:
    status = app(["send", *arguments])
    assert isinstance(status, int)
    return status


def at(gateway: RunningGateway, way: str) -> tuple[str, ...]:
    """Where the gateway is, and who sends."""
    assert gateway.http is not None
    where = (
        ("--http", f"http://{gateway.http[0]}:{gateway.http[1]}")
        if way == "http"
        else ("--smpp", f"127.0.0.1:{gateway.port}")
    )
    return (*where, "--account", "demo", "--password", "demo")


def steps_of(capsys: pytest.CaptureFixture[str]) -> tuple[str, list[dict[str, Any]]]:
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith('{"to"')]
    told = json.loads(lines[-1])  # the gateway of the test logs beside it
    return told["state"], told["steps"]


@pytest.mark.parametrize("way", ["http", "smpp"])
def test_a_message_is_followed_to_its_end(
    start_gateway: StartGateway, capsys: pytest.CaptureFixture[str], way: str
) -> None:
    gateway = start_gateway(ACCOUNT + HTTP + SIMULATOR)
    arguments = (*at(gateway, way), "--to", "+41791234567", "--text", "Grüezi ы", "--from", "Shop")
    assert run(*arguments, "--json") == 0
    state, steps = steps_of(capsys)
    assert state == "DELIVERED"
    states = [step["state"] for step in steps]
    assert states[-1] == "DELIVERED"
    assert "accepted" in states
    accepted = next(step for step in steps if step["state"] == "accepted")
    message, progress = gateway.message(int(accepted["id"]))
    assert message.peek.destination_addr == "41791234567"
    assert message.peek.source_addr == "Shop"
    assert message.peek.data_coding == 8
    assert progress.outlet == "sim"


@pytest.mark.parametrize("way", ["http", "smpp"])
def test_people_get_a_line_for_each_step(
    start_gateway: StartGateway, capsys: pytest.CaptureFixture[str], way: str
) -> None:
    gateway = start_gateway(ACCOUNT + HTTP + SIMULATOR)
    assert run(*at(gateway, way), "--to", "41791234567", "--text", "hi") == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(" s  accepted      id " in line for line in lines)
    assert " s  DELIVERED" in lines[-1]
    assert "demo" not in [line for line in lines if "password" in line]


@pytest.mark.parametrize("way", ["http", "smpp"])
@pytest.mark.parametrize(("text", "coding"), [("hi", 0x10), ("ы", 0x18)])
def test_flash(
    start_gateway: StartGateway,
    capsys: pytest.CaptureFixture[str],
    way: str,
    text: str,
    coding: int,
) -> None:
    gateway = start_gateway(ACCOUNT + HTTP + SIMULATOR)
    arguments = ("--to", "41791234567", "--text", text, "--flash", "--json")
    assert run(*at(gateway, way), *arguments) == 0
    _, steps = steps_of(capsys)
    id_ = next(step["id"] for step in steps if step["state"] == "accepted")
    assert gateway.message(int(id_))[0].peek.data_coding == coding


@pytest.mark.parametrize("way", ["http", "smpp"])
def test_a_long_text_is_one_message(
    start_gateway: StartGateway, capsys: pytest.CaptureFixture[str], way: str
) -> None:
    gateway = start_gateway(ACCOUNT + HTTP + SIMULATOR)
    arguments = ("--to", "41791234567", "--text", "long " * 100, "--json")
    assert run(*at(gateway, way), *arguments) == 0
    _, steps = steps_of(capsys)
    id_ = next(step["id"] for step in steps if step["state"] == "accepted")
    assert len(gateway.message(int(id_))[1].parts) == 4


@pytest.mark.parametrize("way", ["http", "smpp"])
def test_an_end_that_is_not_delivery_is_a_failure(
    start_gateway: StartGateway, capsys: pytest.CaptureFixture[str], way: str
) -> None:
    gateway = start_gateway(ACCOUNT + HTTP + FAILING)
    assert run(*at(gateway, way), "--to", "41791234567", "--text", "hi", "--json") == 1
    state, steps = steps_of(capsys)
    assert state == "UNDELIVERABLE"
    assert "error" in steps[-1]["told"]


@pytest.mark.parametrize("way", ["http", "smpp"])
def test_it_does_not_wait_for_ever(
    start_gateway: StartGateway, capsys: pytest.CaptureFixture[str], way: str
) -> None:
    gateway = start_gateway(ACCOUNT + HTTP + SLOW)
    arguments = ("--to", "41791234567", "--text", "hi", "--json", "--wait-s", "0.3")
    assert run(*at(gateway, way), *arguments) == 1
    state, steps = steps_of(capsys)
    assert state == "ENROUTE"
    assert steps[-1]["state"] == "waiting"


@pytest.mark.parametrize(
    ("way", "change", "told"),
    [
        ("http", ("--password", "no"), "password"),
        ("smpp", ("--password", "no"), "the bind: ESME_R"),
        ("http", ("--to", "4366412345"), "route"),
        ("smpp", ("--to", "4366412345"), "ESME_R"),
    ],
)
def test_a_refusal_is_told(
    start_gateway: StartGateway,
    capsys: pytest.CaptureFixture[str],
    way: str,
    change: tuple[str, str],
    told: str,
) -> None:
    only_41 = SIMULATOR.replace('outlets = ["sim"]', 'to = ["41"]\noutlets = ["sim"]')
    gateway = start_gateway(ACCOUNT + HTTP + only_41)
    where = at(gateway, way)
    wanted = {"--to": "41791234567", "--text": "hi", "--password": "demo"} | dict([change])
    arguments = [word for pair in wanted.items() for word in pair]
    assert run(*where[:-2], *arguments, "--json") == 1
    state, steps = steps_of(capsys)
    assert state == "refused"
    assert told in steps[-1]["told"]


@pytest.mark.parametrize("way", ["--http", "--smpp"])
def test_nobody_there(capsys: pytest.CaptureFixture[str], way: str) -> None:
    where = (way, f"127.0.0.1:{free_port()}", "--account", "demo", "--password", "x")
    assert run(*where, "--to", "4179", "--text", "hi", "--json") == 1
    state, steps = steps_of(capsys)
    assert (state, steps[-1]["state"]) == ("unreachable", "unreachable")


def test_the_configuration_says_what_is_not_given(
    start_gateway: StartGateway, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway = start_gateway(ACCOUNT + HTTP + SIMULATOR)
    assert gateway.http is not None
    config = tmp_path / "smsc.toml"
    config.write_text(f'[http]\nlisten = ["127.0.0.1:{gateway.http[1]}"]\n{ACCOUNT}{SIMULATOR}')
    message = ("--to", "41791234567", "--text", "hi", "--config", str(config))
    assert run(*message) == 0
    config.write_text(f'[smpp]\nlisten = ["127.0.0.1:{gateway.port}"]\n{ACCOUNT}{SIMULATOR}')
    assert run(*message) == 0
    assert "bound" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("toml", "arguments", "told"),
    [
        (ACCOUNT, ("--account", "bob"), "account 'bob' is unknown; accounts here: demo"),
        (ACCOUNT, (), "nothing listens"),
        (ACCOUNT, ("--http", "x", "--smpp", "y"), "not both"),
        (ACCOUNT, ("--smpp", "host"), "--smpp: expected host:port, found 'host'"),
        (ACCOUNT, ("--password-env", "NO_SUCH"), "no variable 'NO_SUCH'"),
        (ACCOUNT, ("--to", "1" * 30), "--to: more characters than an address carries"),
        (ACCOUNT, ("--to", "a-name"), "--to:"),
        (ACCOUNT, ("--from", "TwelveLetter"), "--from:"),
        (ACCOUNT, ("--text", ""), "--text:"),
        ("", (), "account '' is unknown; accounts here: none"),
    ],
)
def test_wrong_usage_is_named(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    toml: str,
    arguments: tuple[str, ...],
    told: str,
) -> None:
    config = tmp_path / "smsc.toml"
    config.write_text(toml)
    wanted = {"--to": "41791234567", "--text": "hi", "--config": str(config)}
    wanted |= dict(zip(arguments[::2], arguments[1::2], strict=True))
    assert run(*(word for pair in wanted.items() for word in pair)) == 2
    assert told in capsys.readouterr().err
