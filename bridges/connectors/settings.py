"""What `[outlets.NAME]` says of every connector, whatever its service.

*In*: the configuration file. *Out*: frozen values; durations are seconds, names say so.
*Never*: behaviour. A service's own keys stand in its file, in a class that inherits from here.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import attrs

from bridges.connectors.sms import Dress
from smsc.config_errors import Secret, SettingError, found
from smsc.config_fields import about
from smsc.ports import OutletPolicy

_SHORTEST_SECRET: Final = 16
_PATH: Final = re.compile(r"(/[A-Za-z0-9._~-]+)+")


def check_url(value: str, *, may_be_empty: bool = False, schemes: str = "http https") -> str:
    """An absolute URL; raises ValueError with a sentence."""
    if not value and may_be_empty:
        return value
    parts = urlsplit(value)
    if parts.scheme not in schemes.split() or not parts.hostname or parts.port == 0:
        example = f"{schemes.rsplit(maxsplit=1)[-1]}://host/path"
        raise ValueError(f"expected a URL such as {example}, found {value!r}")
    return value


def parse_url(value: object) -> str:
    """Read a URL of a service."""
    if not isinstance(value, str):
        raise SettingError(f"expected a URL, found {found(value)}")
    try:
        return check_url(value)
    except ValueError as error:
        raise SettingError(str(error)) from None


@attrs.frozen(kw_only=True)
class Basics:
    """Keys of every connector, those that speak HTTP and those that run code of their own."""

    concurrency: int = attrs.field(
        default=10,
        metadata=about(
            "messages in the service's hands at a time; a cut or crash leaves as many in doubt",
            minimum=1,
            maximum=1000,
        ),
    )
    rate: float = attrs.field(
        default=0.0,
        metadata=about("messages a second; 0 = as the service takes them", minimum=0),
    )
    timeout_s: float = attrs.field(
        default=30.0,
        metadata=about(
            "time for one attempt, from connecting to the end of the answer", minimum=0.1
        ),
    )
    sender: str = attrs.field(
        default="", metadata=about("sender of every message, instead of the client's")
    )
    default_sender: str = attrs.field(
        default="", metadata=about("sender of messages whose client gave none")
    )
    ambiguous: Literal["resend", "hold"] = attrs.field(
        default="resend",
        metadata=about("what to do with messages whose answer never came"),
    )
    final: Literal["", "receipt", "accepted", "after", "never"] = attrs.field(
        default="",
        metadata=about(
            "what ends a message that the service took; by default its receipt where receipts"
            " come or are asked for, else that it was taken"
        ),
    )
    final_after_s: float = attrs.field(
        default=3600.0, metadata=about('seconds until the end with final = "after"', minimum=1)
    )
    receipts_per_part: bool = attrs.field(
        default=False, metadata=about("one receipt for each part of a long message, not one in all")
    )
    breaker_failures: int = attrs.field(
        default=5,
        metadata=about(
            "failures in a row (no connection, no answer, HTTP 5xx) that take the connector out",
            minimum=1,
        ),
    )
    breaker_s: float = attrs.field(
        default=10.0,
        metadata=about(
            "seconds out before one message tries it again; doubles up to five minutes",
            minimum=0.1,
        ),
    )
    stopped_s: float = attrs.field(
        default=300.0,
        metadata=about(
            "seconds out after an error that people must mend (credentials, credit, URL) before one"
            " message tries it again; 0 = until it is started by hand",
            minimum=0,
        ),
    )

    @property
    def has_receipts(self) -> bool:
        """Does anything tell of the end of a message?"""
        return False

    @property
    def policy(self) -> OutletPolicy:
        """What the flow must know."""
        return OutletPolicy(
            final=self.final or ("receipt" if self.has_receipts else "accepted"),
            final_after_s=self.final_after_s,
            receipts_per_part=self.receipts_per_part,
        )

    @property
    def dress(self) -> Dress:
        """What is put on every message."""
        return Dress(self.sender, self.default_sender)


@attrs.frozen(kw_only=True)
class ConnectorConfig(Basics):
    """Keys of every connector that speaks HTTP."""

    connect_timeout_s: float = attrs.field(
        default=10.0, metadata=about("time to connect, half of it for TLS", minimum=0.1)
    )
    read_timeout_s: float = attrs.field(
        default=15.0, metadata=about("silence of the service until it counts as gone", minimum=0.1)
    )
    proxy: Secret = attrs.field(
        default=Secret(""),
        metadata=about("proxy to go through, http://user:password@host:port"),
    )
    tls_ca: Path | None = attrs.field(
        default=None, metadata=about("who must have signed the service's certificate, PEM")
    )
    tls_cert: Path | None = attrs.field(
        default=None, metadata=about("certificate chain to show to the service, PEM")
    )
    tls_key: Path | None = attrs.field(default=None, metadata=about("file of its key"))
    tls_name: str = attrs.field(
        default="",
        metadata=about("name that the certificate must bear, where it is not the URL's"),
    )
    receipts_path: Secret = attrs.field(
        default=Secret(""),
        metadata=about(
            "path of our HTTP server that the service calls with receipts and messages;"
            f" it holds a secret, so at least {_SHORTEST_SECRET} characters"
        ),
    )
    public_url: str = attrs.field(
        default="",
        metadata=about("how the service reaches our HTTP server: https://host, without a path"),
    )
    poll_s: float = attrs.field(
        default=0.0,
        metadata=about(
            "seconds until the service is first asked what became of a message; the intervals"
            " grow; 0 = never",
            minimum=0,
        ),
    )
    poll_for_s: float = attrs.field(
        default=172_800.0, metadata=about("how long it is asked about one message", minimum=1)
    )
    balance_s: float = attrs.field(
        default=0.0,
        metadata=about("seconds between two looks at the balance; 0 = never", minimum=0),
    )
    balance_low: float = attrs.field(
        default=0.0, metadata=about("balance below which the log warns")
    )

    def __attrs_post_init__(self) -> None:
        """Refuse settings that do not go together."""
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key go together")
        if self.proxy.value:
            _check_proxy(self.proxy.value)
        path = self.receipts_path.value
        if path and (not _PATH.fullmatch(path) or len(path) < _SHORTEST_SECRET):
            raise ValueError(
                "receipts_path: expected a path that nobody guesses, such as"
                f" /receipts/x7Kq2mN9vB4t, of at least {_SHORTEST_SECRET} characters"
            )
        if path.startswith("/v1/"):
            raise ValueError("receipts_path: paths under /v1 are those of the native API")
        if path and not self.public_url:
            raise ValueError(
                "receipts_path needs public_url, so that the service can be told of it"
            )
        if self.public_url:
            parts = urlsplit(check_url(self.public_url))
            if parts.path.strip("/") or parts.query:
                raise ValueError(f"public_url: expected no path, found {self.public_url!r}")

    @property
    def receipt_url(self) -> str:
        """Where the service calls us; "" if it does not."""
        path = self.receipts_path.value
        return self.public_url.rstrip("/") + path if path else ""

    @property
    def has_receipts(self) -> bool:
        """See `Basics`."""
        return bool(self.receipts_path.value or self.poll_s)

    @property
    def dress(self) -> Dress:
        """See `Basics`."""
        return Dress(self.sender, self.default_sender, self.receipt_url)


def _check_proxy(url: str) -> None:
    """Refuse what is no proxy; the sentence shows no password."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("proxy: expected a URL such as http://user:password@proxy.example:3128")


def secrets_of(config: Any) -> Iterable[str]:
    """Every secret in a class of settings, and in those inside it."""
    for field in attrs.fields(type(config)):
        value = getattr(config, field.name)
        if isinstance(value, Secret):
            if value.value:
                yield value.value
        elif attrs.has(type(value)):
            yield from secrets_of(value)
