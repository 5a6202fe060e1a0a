"""Fixtures for every room: whole gateways to talk to."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.fakes.house import ACCOUNT, SIMULATOR, RunningGateway, StartGateway, read_config

# The suites take the same examples in every run: a change that breaks one is the one to blame.
# `make explore` takes others, many more and new ones each time.
hypothesis.settings.register_profile("same", derandomize=True, deadline=None)
hypothesis.settings.register_profile(
    "explore",
    derandomize=False,
    deadline=None,
    max_examples=int(os.environ.get("EXAMPLES", "2000")),
    print_blob=True,
)
hypothesis.settings.load_profile("same")


@pytest.fixture
def start_gateway(tmp_path: Path) -> Iterator[StartGateway]:
    """Start gateways: `start_gateway(toml, name="a", smpp_port=0, smpp="")`; all end with the test.

    One name is one data directory: a second gateway of the name finds what the first left.
    A gateway must not have met a bug: nothing may have crashed.
    """
    running: list[RunningGateway] = []

    def start(
        toml: str = ACCOUNT + SIMULATOR, name: str = "a", smpp_port: int = 0, smpp: str = ""
    ) -> RunningGateway:
        config = read_config(toml, tmp_path / name, smpp_port=smpp_port, smpp=smpp)
        one = RunningGateway(config)
        running.append(one)
        return one

    yield start
    for one in running:
        one.kill()
        crashed = [entry for entry in one.log.entries if entry["event"].endswith(".crashed")]
        assert not crashed, crashed


@pytest.fixture
def gateway(start_gateway: StartGateway) -> RunningGateway:
    """A gateway with account demo/demo and a simulator whose receipts come at once."""
    return start_gateway()
