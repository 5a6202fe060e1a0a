"""The store's contract, on both stores."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.control_contract import ControlContract
from tests.contracts.store_contract import OpenStore, StoreContract
from tests.contracts.store_upkeep_contract import UpkeepContract
from tests.smsc.store.houses import LmdbHouse, MemoryHouse


class TestStores(StoreContract, UpkeepContract, ControlContract):
    @pytest.fixture(params=["lmdb", "memory"])
    def house(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
        house = LmdbHouse(tmp_path / "var") if request.param == "lmdb" else MemoryHouse()
        yield house
        house.close()
