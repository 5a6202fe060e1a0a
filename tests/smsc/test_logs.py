"""What the log says of a bug: where it was, and nothing of what it was about."""

from collections.abc import Iterator

import pytest
import structlog

from smsc import logs


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_traceback_shows_no_local_variables(
    style: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    log = logs.set_up("info", style)

    def check(password: str) -> None:
        raise RuntimeError(f"{len(password)} characters will not do")

    try:
        check("hunter" + "2")
    except RuntimeError:
        log.exception("http.request.failed", path="/send")
    said = capfdbinary.readouterr().err
    assert b"7 characters will not do" in said
    assert b"test_logs.py" in said
    assert b"hunter2" not in said
