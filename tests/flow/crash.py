"""Crashes for as long as one likes: `python -m tests.flow.crash --cycles 1000`.

*In*: how many kills, a seed, a directory. *Out*: progress, then a table of every kind of death;
exit status 1 and the directory kept when the books do not agree. *Never*: a store of more than
`CYCLES_A_STORE` kills: then everything is finished and compared, and the next one begins empty.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Final

import attrs

from tests.flow.campaign import Campaign, Death, Nursery, deaths, first_death
from tests.flow.reconcile import LifeReport

CYCLES_A_STORE: Final = 50


@attrs.define
class Tally:
    """What all campaigns together did."""

    kills: Counter[str] = attrs.field(factory=Counter)
    in_window: Counter[str] = attrs.field(factory=Counter)
    most_in_window: dict[str, int] = attrs.field(factory=dict)
    acknowledged: int = 0
    copies: int = 0
    repeated: int = 0
    receipts: int = 0
    receipts_again: int = 0

    def add(self, campaign: Campaign) -> None:
        """Enter a finished campaign."""
        for death, report in campaign.lives:
            self.kills[death.what] += 1
            self.in_window[death.what] += report.in_window
            most = self.most_in_window.get(death.what, 0)
            self.most_in_window[death.what] = max(most, report.in_window)
        log, copies = campaign.log, campaign.carrier.copies.values()
        self.acknowledged += len(log.acknowledged)
        self.copies += sum(map(len, copies))
        self.repeated += sum(len(one) - 1 for one in copies)
        self.receipts += len(log.receipts)
        self.receipts_again += sum(len(one) - 1 for one in log.receipts.values())

    def __str__(self) -> str:
        rows = [f"{'killed':28} {'times':>5}  {'in the window, mean and most':>28}"]
        for what, times in sorted(self.kills.items()):
            mean = self.in_window[what] / times
            rows.append(f"{what:28} {times:5}  {mean:20.1f} {self.most_in_window[what]:7}")
        return "\n".join(
            (
                *rows,
                f"{sum(self.kills.values())} kills, {self.acknowledged} messages acknowledged, 0 lost",
                f"{self.copies} parts at the carrier, {self.repeated} of them again, each in a window",
                f"{self.receipts} receipts, {self.receipts_again} of them again, none contradicted",
            )
        )


def run_campaign(
    directory: Path,
    seed: int,
    cycles: int,
    told: Callable[[Death, LifeReport], None] = lambda _death, _report: None,
) -> Campaign:
    """Kill a gateway so many times, then let it finish; `told` of each death."""
    with Nursery(directory / "log") as nursery, Campaign(directory, seed, nursery) as campaign:
        told(first_death(), campaign.live_and_die(first_death()))
        for death in islice(deaths(campaign.draw), cycles - 1):
            told(death, campaign.live_and_die(death))
        campaign.finish()
        return campaign


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.flow.crash", description=__doc__)
    parser.add_argument("--cycles", type=int, default=1000, help="kills")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dir", type=Path, help="where the stores are put, by default in /tmp")
    asked = parser.parse_args()
    began, tally, done = time.monotonic(), Tally(), 0

    def told(death: Death, report: LifeReport) -> None:
        took_s = time.monotonic() - began
        number = sum(tally.kills.values()) + next(here)
        _print(
            f"{number:5} of {asked.cycles}  {took_s:7.1f} s  {death.what} × {death.nth}: "
            f"{report.messages} messages, {report.in_window} in the window"
        )

    while done < asked.cycles:
        cycles = min(CYCLES_A_STORE, asked.cycles - done)
        seed = asked.seed + done
        directory = Path(tempfile.mkdtemp(prefix="smsc-crash-", dir=asked.dir))
        here = iter(range(1, cycles + 1))
        try:
            tally.add(run_campaign(directory, seed, cycles, told))
        except BaseException:
            _print(f"seed {seed}; store, logs and configuration are kept in {directory}")
            raise
        shutil.rmtree(directory)
        done += cycles
    _print(f"{tally}\n{time.monotonic() - began:.0f} s")
    return 0


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
