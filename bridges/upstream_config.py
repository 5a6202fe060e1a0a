"""`[outlets.NAME]` with `kind = "smpp"`: what a link to a carrier is told.

*In*: the configuration file. *Out*: a frozen value. *Never*: behaviour.
"""

from typing import Any, Final, Literal

import attrs

from smsc.config_errors import Secret
from smsc.config_fields import about

_LONGEST_PASSWORD: Final = 8


def _fits_the_wire(_: object, field: "attrs.Attribute[Any]", value: str | Secret) -> None:
    """Refuse what no bind can carry, when the file is checked instead of at each connection."""
    text = value.value if isinstance(value, Secret) else value
    if any(ord(letter) > 0xFF or letter == "\0" for letter in text):
        raise ValueError("expected characters that SMPP can carry (Latin-1)", field)
    if isinstance(value, Secret) and len(text) > _LONGEST_PASSWORD:
        why = f"expected at most {_LONGEST_PASSWORD} characters (SMPP 3.4 §5.2.2)"
        raise ValueError(f"{why}, found {len(text)}", field)


@attrs.frozen(kw_only=True)
class UpstreamConfig:
    """`[outlets.NAME]` with `kind = "smpp"`."""

    host: str = attrs.field(metadata=about("host name or address of the carrier"))
    port: int = attrs.field(default=2775, metadata=about("TCP port", minimum=1, maximum=65535))
    system_id: str = attrs.field(
        validator=_fits_the_wire, metadata=about("who we are to the carrier", minimum=1, maximum=15)
    )
    password: Secret = attrs.field(
        default=Secret(""),
        validator=_fits_the_wire,
        metadata=about("our password at the carrier"),
    )
    system_type: str = attrs.field(
        default="",
        validator=_fits_the_wire,
        metadata=about("system_type of the bind", maximum=12),
    )
    bind: Literal["transmitter", "receiver", "transceiver"] = attrs.field(
        default="transceiver", metadata=about("kind of the binds")
    )
    binds: int = attrs.field(
        default=1, metadata=about("connections to keep bound", minimum=1, maximum=64)
    )
    window: int = attrs.field(
        default=100,
        metadata=about("unanswered submit_sm for each bind", minimum=1, maximum=65535),
    )
    enquire_link_s: float = attrs.field(
        default=30.0, metadata=about("silence until enquire_link, seconds", minimum=0.1)
    )
    response_timeout_s: float = attrs.field(
        default=60.0,
        metadata=about("time the carrier has to answer, seconds", minimum=0.1),
    )
    reconnect_s: float = attrs.field(
        default=1.0,
        metadata=about(
            "first delay before another connection, seconds; doubles up to a minute", minimum=0.01
        ),
    )
    ask_receipts: bool = attrs.field(
        default=True,
        metadata=about("ask for a receipt of each message, wanted by the client or not"),
    )
