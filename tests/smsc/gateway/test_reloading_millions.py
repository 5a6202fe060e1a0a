"""Lists and tables of a million lines, read again while clients are served."""

import time
from pathlib import Path

import pytest
import trio

from smsc.gateway.reloading import Reloaded
from tests.fakes.reloadable import ReloadableGateway
from tests.smsc.gateway.test_reloading import DEMO_TOML, SIM, Start, start, status_of

__all__ = ["start"]  # a fixture

LINES = 1_000_000
PATIENCE_S = 2.0
"""The longest that the loop may be held up: single calls into C over the whole file do that.
Seen: 0.15 to 0.2 s, of a reload of 1.5 s (2 shared cores, 2026-11-28)."""


class Pulse:
    """How long the gateway's loop was held up at most."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    async def run(self) -> None:
        while True:
            before = time.perf_counter()
            await trio.sleep(0.001)
            self.longest_s = max(self.longest_s, time.perf_counter() - before - 0.001)


def write_list(path: Path, first: int) -> None:
    path.write_text("".join(f"{number}\n" for number in range(first, first + LINES)))


@pytest.mark.slow
def test_a_black_list_and_a_price_list_of_a_million_lines(start: Start, tmp_path: Path) -> None:
    numbers, prices = tmp_path / "blocked.csv", tmp_path / "prices.csv"
    write_list(numbers, 41790000000)
    prices.write_text(
        "".join(f"{1000000 + n},0.0{1 + n % 9},net {n % 900}\n" for n in range(LINES))
    )
    toml = (
        DEMO_TOML
        + f'[lists.blocked]\nfile = "{numbers}"\n[price_tables.x]\nfile = "{prices}"\n'
        + '[[routes]]\nwhen = {to_in = ["blocked"]}\ndo = {reject = "ESME_RINVDSTADR"}\n'
        + SIM
    )
    gateway: ReloadableGateway = start(toml)
    pulse = Pulse()
    gateway.call(lambda: trio.lowlevel.spawn_system_task(pulse.run))
    assert status_of(gateway, "41790000001") != 0
    assert status_of(gateway, "41791999999") == 0
    write_list(numbers, 41791000000)
    assert isinstance(gateway.reload(), Reloaded)
    assert status_of(gateway, "41790000001") == 0
    assert status_of(gateway, "41791999999") != 0
    assert pulse.longest_s < PATIENCE_S
