"""A structlog logger that keeps what it was told."""

from typing import Any

import structlog


class FakeLog:
    """`log` goes to the code under test; `entries` and `named` tell what it said."""

    def __init__(self) -> None:
        self._capture = structlog.testing.LogCapture()
        self.log: Any = structlog.wrap_logger(
            None,
            processors=[structlog.processors.format_exc_info, self._capture],
            wrapper_class=structlog.make_filtering_bound_logger(0),
        )

    @property
    def entries(self) -> list[dict[str, Any]]:
        return [dict(entry) for entry in list(self._capture.entries)]

    @property
    def events(self) -> list[str]:
        return [entry["event"] for entry in self.entries]

    def named(self, event: str) -> list[dict[str, Any]]:
        return [entry for entry in self.entries if entry["event"] == event]
