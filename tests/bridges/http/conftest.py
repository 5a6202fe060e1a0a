"""Fixtures for dialects: one whole gateway for a module, and a client's own server."""

from collections.abc import Iterator

import pytest

from tests.bridges.http.dialect_house import DialectHouse, Sink, running


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DialectHouse]:
    """A gateway whose dialects are on; see `dialect_house.TOML`."""
    with running(tmp_path_factory.mktemp("house")) as one:
        yield one


@pytest.fixture
def sink() -> Iterator[Sink]:
    """A client's own HTTP server."""
    one = Sink()
    yield one
    one.close()
