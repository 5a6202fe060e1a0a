"""Killed at every point that matters, a gateway loses nothing and contradicts itself never."""

from pathlib import Path

import pytest

from tests.flow.campaign import NAMED, Campaign, Nursery, draw_death, first_death
from tests.flow.crash import run_campaign


def test_killed_once_at_every_named_point_and_twice_at_random(tmp_path: Path) -> None:
    with Nursery(tmp_path / "log") as nursery, Campaign(tmp_path, 1, nursery) as campaign:
        campaign.live_and_die(first_death())
        for what in (*NAMED, "random receipts"):
            campaign.live_and_die(draw_death(campaign.draw, what))
        stock = campaign.finish()
    assert len(campaign.lives) == len(NAMED) + 2
    assert campaign.credit_proofs > 5
    # The test would prove little if nothing had been in a window, or nothing had come through.
    assert sum(len(report.repeated) for _, report in campaign.lives)
    assert any(len(lives) > 1 for lives in campaign.log.receipts.values())
    assert {one.progress.state.name for one in stock.by_id.values()} == {
        "DELIVERED",
        "UNDELIVERABLE",
        "REJECTED",
    }


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_fifty_times(tmp_path: Path) -> None:
    campaign = run_campaign(tmp_path, seed=2, cycles=50)
    assert len(campaign.lives) == 50
