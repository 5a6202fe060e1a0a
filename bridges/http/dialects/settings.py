"""Settings that every dialect has: where it is served, how much it reads.

*In*: what a dialect's original used. *Out*: attrs fields for its class of settings.
*Never*: behaviour beyond the check of a path.
"""

from typing import Any

import attrs

from smsc.config_errors import SettingError, found
from smsc.config_fields import about

MESSAGE_OCTETS = 64 * 1024


def path(default: str, meaning: str = "where it is served") -> Any:
    """A path of the HTTP server, such as "/send"."""
    return attrs.field(default=default, metadata=about(meaning, parse=_parse_path))


def body_octets(default: int = MESSAGE_OCTETS) -> Any:
    """How long the body of a request may be; with one message in it, 64 KiB are plenty."""
    meaning = "how long the body of a request may be, octets"
    return attrs.field(default=default, metadata=about(meaning, minimum=1024))


def _parse_path(value: object) -> str:
    if (
        isinstance(value, str)
        and value.startswith("/")
        and value.isascii()
        and value.isprintable()
        and not set(value) & set("{}?# ")
    ):
        return value
    raise SettingError(f'expected a path like "/send", found {found(value)}')
