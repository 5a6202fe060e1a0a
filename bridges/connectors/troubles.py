"""Attempts that failed, for people: counted by the service's codes, told without what no log may hold.

*In*: codes and sentences of a service. *Out*: one log line each; counts.
*Never*: a text of a message or a secret, which a service's sentence may repeat.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from bridges.connectors.masking import Mask
from bridges.connectors.sms import Sms

WHY_CHARACTERS: Final = 200
_HIDDEN: Final = "…"
_CODES: Final = 100
"""Codes that are counted by name; a service could make up more."""


class Troubles:
    """Those of one connector."""

    def __init__(self, log: Any, secrets: Iterable[str]) -> None:
        self._log = log
        self._without_secrets = Mask(secrets, _HIDDEN)
        self._errors: Counter[str] = Counter()

    def note(self, code: str, why: str, sms: Sms) -> str:
        """Count and log one; the sentence as it may be shown."""
        if code in self._errors or len(self._errors) < _CODES:
            self._errors[code] += 1
        why = Mask((sms.text,), _HIDDEN)(self._without_secrets(why))[:WHY_CHARACTERS]
        self._log.info("connector.attempt_failed", id=sms.id, part=sms.part, code=code, why=why)
        return why

    def counts(self) -> Mapping[str, int]:
        """By code, the most frequent first."""
        return dict(self._errors.most_common())
