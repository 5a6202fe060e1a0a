"""The cost table of HTTP: every interface that this build has is in it, and really sends."""

from pathlib import Path

import orjson
import pytest

from bench import http, http_sends
from bridges.http.dialects import rest_quick
from bridges.http.registry import DIALECTS


def test_the_pure_part_is_measured_step_by_step() -> None:
    rows = http.pure_rows(1)
    assert [row.what for row in rows][1:3] == ["parse, the slow way", "parse, the quick way"]
    assert all(row.cpu_us > 0 for row in rows)


def test_the_load_takes_the_quick_way() -> None:
    for item in orjson.loads(http.bodies()):
        assert rest_quick.read(item, http._ACCOUNT, rest_quick.PLAIN) is not None


def test_a_send_of_every_interface_is_known() -> None:
    assert set(http_sends.SENDS) == {*http_sends.NATIVE, *DIALECTS}


@pytest.mark.slow
def test_each_interface_sends(tmp_path: Path) -> None:
    rows = http_sends.measure(3, tmp_path)
    assert [row.name for row in rows] == [*http_sends.NATIVE, *DIALECTS]
    assert [row for row in rows if row.wrong] == []
