"""The fuzz target itself, so that it works on the day it is run."""

from typing import Any

import pytest

from pdu import codec
from tests.pdu.fuzz_codec import one_input, seeds


def test_the_target_holds_on_its_seeds() -> None:
    found = seeds()
    assert len(found) > 100
    for octets in found:
        one_input(octets)
        one_input(octets[:-1])


def test_the_target_sees_a_broken_codec(monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(command_id: int, body: bytes) -> Any:
        raise IndexError(command_id, body)

    monkeypatch.setattr(codec, "decode", decode)
    with pytest.raises(IndexError):
        one_input(seeds()[0])
