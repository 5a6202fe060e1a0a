"""Foreign clients, cut off at the end of the test."""

from collections.abc import Callable, Iterator

import pytest

from tests.foreign.esme import Esme


@pytest.fixture
def esme() -> Iterator[Callable[[int], Esme]]:
    clients: list[Esme] = []

    def connect(port: int) -> Esme:
        clients.append(Esme(port))
        return clients[-1]

    yield connect
    for one in clients:
        one.close()
