"""The benchmark of connectors measures what it says: a real service, real messages."""

import pytest

from bench import connectors


def test_it_prints_a_rate_a_cost_and_a_share(capsys: pytest.CaptureFixture[str]) -> None:
    assert connectors.main(["--seconds", "0.3", "--concurrency", "5"]) == 0
    told = capsys.readouterr().out
    assert "connector, 5 posts at a time" in told
    assert told.count("of its rate alone") == 2


async def test_the_figures_count_messages_that_the_service_took() -> None:
    async with connectors._service("live") as url:
        figures = await connectors._drive(0.2, connectors._config(url, 5))
    assert figures.rate > 10
    assert 10 < figures.cpu_us < 100_000
    async with connectors._service("dead") as url:
        dead = await connectors._drive(0.2, connectors._config(url, 5, read_timeout_s=0.1))
    assert dead.rate == 0
