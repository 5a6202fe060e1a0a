"""Every malformed vector, sent to a real gateway over a socket."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pdu.codec import pack
from pdu.commands import Command, command_of
from pdu.framer import Frame
from tests.fakes.house import SIMULATOR, RunningGateway, read_config
from tests.fakes.raw import Raw

VECTORS = [
    vector
    for line in (Path(__file__).parents[1] / "vectors" / "vectors.jsonl").read_text().splitlines()
    if (vector := json.loads(line))["kind"] == "malformed"
]
ACCOUNT = """
[accounts.esme01]
password = "secret"
max_binds = 0
"""
KINDS = {
    "BOUND_TX": Command.BIND_TRANSMITTER,
    "BOUND_RX": Command.BIND_RECEIVER,
    "BOUND_TRX": Command.BIND_TRANSCEIVER,
}
PROBE = 0x7F00


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    one = RunningGateway(read_config(ACCOUNT + SIMULATOR, tmp_path_factory.mktemp("vectors")))
    yield one
    one.kill()
    assert not [event for event in one.log.events if event.endswith(".crashed")]


@pytest.mark.parametrize("version", [0x34, 0x50], ids=["3.4", "5.0"])
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_the_gateway_answers_as_the_vector_expects(
    vector: dict[str, Any], version: int, running: RunningGateway
) -> None:
    expect = vector["expect"]
    raw = Raw(running.port)
    with closing(raw):
        if vector["state"] != "OPEN":
            raw.bind(KINDS[vector["state"]], version, "esme01", "secret")
        raw.send(bytes.fromhex(vector["hex"]))
        if expect["response"] is not None:
            answer = raw.read()
            if answer is None:
                assert expect.get("response_optional"), "closed without an answer"
                return
            check(vector, answer)
        if expect["close"]:
            assert raw.read() is None
        elif not expect.get("close_allowed"):
            raw.send(pack(Command.ENQUIRE_LINK, 0, PROBE, b""))
            probe = raw.read()
            assert probe is not None
            assert (probe[0], probe[2]) == (Command.ENQUIRE_LINK_RESP, PROBE)


def check(vector: dict[str, Any], answer: Frame) -> None:
    expect = vector["expect"]
    command_id, status, sequence_number, _ = answer
    unsupported = expect.get("alt_if_unsupported")
    if unsupported and command_id == command_of(unsupported["response"]):
        assert status == unsupported["command_status"]
    else:
        names = {expect["response"], expect.get("alt_response", expect["response"])}
        assert command_id in {command_of(name) for name in names}
        assert status in expect["command_status_any_of"]
    if "sequence_number" in expect:
        assert sequence_number == expect["sequence_number"]


def test_no_vector_was_left_out() -> None:
    assert len(VECTORS) == 46
