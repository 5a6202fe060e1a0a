"""The sections of the configuration file: one class each, one attribute a key.

*In*: built by `smsc.config.load`, or directly by tests.
*Out*: frozen values with defaults; durations are seconds, names say so.
*Never*: behaviour. Accounts are in `config_accounts`.
"""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Literal

import attrs

from smsc.config_errors import SettingError, found
from smsc.config_fields import HostPort, Network, about

Dialect = Literal["smshub", "subito", "netoxygen", "connector", "playsms", "kannel", "jasmin"]


@attrs.frozen(kw_only=True)
class NodeConfig:
    """`[node]`: which node this is and where its data lie."""

    id: int = attrs.field(
        default=1,
        metadata=about("number of this node, part of every message id", minimum=0, maximum=1023),
    )
    data_dir: Path = attrs.field(
        default=Path("var"), metadata=about("directory of the store, from the working directory")
    )
    watch_config: bool = attrs.field(
        default=False,
        metadata=about("whether a change of this file, or of one that it names, is a reload"),
    )


@attrs.frozen(kw_only=True)
class StoreConfig:
    """`[store]`: size of the database file and how long finished messages stay."""

    map_size_mb: int = attrs.field(
        default=1024,
        metadata=about("size of the database map at start, MiB", minimum=16, maximum=16_777_216),
    )
    map_growth_mb: int = attrs.field(
        default=1024,
        metadata=about(
            "how much the map grows when it is nearly full, MiB; 0 = never",
            minimum=0,
            maximum=16_777_216,
        ),
    )
    map_limit_mb: int = attrs.field(
        default=65_536,
        metadata=about(
            "size beyond which the map never grows, MiB", minimum=16, maximum=16_777_216
        ),
    )
    history_keep_s: float = attrs.field(
        default=604_800.0,
        metadata=about("how long finished messages can be asked for, seconds", minimum=0),
    )


def parse_default_messages(value: object) -> dict[int, str]:
    """Read canned texts by sm_default_msg_id: { 1 = "…", 255 = "…" }."""
    if not isinstance(value, dict):
        raise SettingError(f"expected a table of texts, found {found(value)}")
    for number, text in value.items():
        if not number.isdecimal() or not 1 <= int(number) <= 255 or not isinstance(text, str):
            why = 'expected a number from 1 to 255 and a text, as in { 1 = "Hello" }'
            raise SettingError(f"{why}, found {number} = {found(text)}")
    return {int(number): text for number, text in value.items()}


@attrs.frozen(kw_only=True)
class SmppConfig:
    """`[smpp]`: the SMPP server. Timers as in SMPP 3.4 §7.2."""

    listen: tuple[HostPort, ...] = attrs.field(
        default=(), metadata=about("where SMPP clients connect")
    )
    listen_tls: tuple[HostPort, ...] = attrs.field(
        default=(), metadata=about("where SMPP clients connect with TLS")
    )
    tls_cert: Path | None = attrs.field(
        default=None, metadata=about("certificate chain of listen_tls, PEM")
    )
    tls_key: Path | None = attrs.field(
        default=None, metadata=about("private key of tls_cert, PEM without a passphrase")
    )
    tls_ca: Path | None = attrs.field(
        default=None, metadata=about("who must have signed a client's certificate, PEM")
    )
    tls_client_certificates: Literal["none", "optional", "required"] = attrs.field(
        default="none", metadata=about("whether clients must show a certificate")
    )
    proxy_networks: tuple[Network, ...] = attrs.field(
        default=(),
        metadata=about("networks of proxies, each connection from which begins with PROXY v2"),
    )
    system_id: str = attrs.field(
        default="smsc",
        metadata=about("how the gateway names itself in bind responses", minimum=1, maximum=15),
    )
    enquire_link_s: float = attrs.field(
        default=30.0,
        metadata=about("silence after which the gateway sends enquire_link, seconds", minimum=0.1),
    )
    session_init_s: float = attrs.field(
        default=30.0, metadata=about("time a new connection has to bind, seconds", minimum=0.1)
    )
    inactivity_s: float = attrs.field(
        default=0.0,
        metadata=about(
            "time without a message after which a session is closed, seconds; 0 = never", minimum=0
        ),
    )
    response_timeout_s: float = attrs.field(
        default=30.0,
        metadata=about("time a client has to answer a PDU of ours, seconds", minimum=0.1),
    )
    window: int = attrs.field(
        default=100,
        metadata=about(
            "unanswered PDUs per session, for accounts that name none", minimum=1, maximum=65_535
        ),
    )
    default_messages: Mapping[int, str] = attrs.field(
        factory=dict,
        metadata=about(
            "texts that a client may name by sm_default_msg_id", parse=parse_default_messages
        ),
    )
    transaction_timeout_s: float = attrs.field(
        default=10.0,
        metadata=about(
            "how long a message in transaction mode may take, seconds; then it has failed",
            minimum=0.1,
        ),
    )
    enquire_misses: int = attrs.field(
        default=2,
        metadata=about("unanswered enquire_links in a row before a session is closed", minimum=1),
    )
    pdu_read_s: float = attrs.field(
        default=30.0,
        metadata=about("time a client has to complete a PDU it began, seconds", minimum=0.1),
    )
    max_connections: int = attrs.field(
        default=1000,
        metadata=about("open SMPP connections, bound or not; 0 = unlimited", minimum=0),
    )
    max_connections_per_address: int = attrs.field(
        default=0,
        metadata=about("open SMPP connections from one address; 0 = unlimited", minimum=0),
    )
    max_unbound: int = attrs.field(
        default=200,
        metadata=about(
            "connections that are not bound; one more closes the oldest; 0 = unlimited", minimum=0
        ),
    )


@attrs.frozen(kw_only=True)
class HttpConfig:
    """`[http]`: the HTTP server."""

    listen: tuple[HostPort, ...] = attrs.field(
        default=(), metadata=about("where HTTP clients connect")
    )
    dialects: tuple[Dialect, ...] = attrs.field(
        default=(), metadata=about("HTTP interfaces served besides the native one")
    )
    callback_networks: tuple[Network, ...] = attrs.field(
        default=(),
        metadata=about("networks that callbacks may go to, besides those of the public Internet"),
    )
    message_octets: int = attrs.field(
        default=65536,
        metadata=about("longest message in a native request, octets of JSON", minimum=256),
    )
    idempotency_keep_s: float = attrs.field(
        default=86400.0,
        metadata=about("how long the answer for an Idempotency-Key is kept, seconds", minimum=1),
    )
    idempotency_keys: int = attrs.field(
        default=200_000,
        metadata=about("how many of them are kept; more push out the oldest", minimum=1),
    )


@attrs.frozen(kw_only=True)
class CreditConfig:
    """`[credit]`: what messages cost accounts that do not spend without limit."""

    prices: Path | None = attrs.field(
        default=None, metadata=about("CSV file: prefix, class of credit, price of a part")
    )
    default_price: Decimal = attrs.field(
        default=Decimal(1),
        metadata=about("price of a part to numbers that prices does not name"),
    )
    refund: Literal["failed", "refused", "never"] = attrs.field(
        default="failed",
        metadata=about(
            "what is given back: messages that failed, those that no network took, or nothing"
        ),
    )
    ledger_keep_s: float = attrs.field(
        default=0.0,
        metadata=about("how long lines of the ledger are kept, seconds; 0 = for ever", minimum=0),
    )


@attrs.frozen(kw_only=True)
class InboxConfig:
    """`[inbox]`: received messages that are kept for accounts."""

    keep_s: float = attrs.field(
        default=2_592_000.0,
        metadata=about("how long a message is kept, seconds; 0 = until it is deleted", minimum=0),
    )
    limit: int = attrs.field(
        default=100_000,
        metadata=about("messages of one account; above it the oldest go", minimum=1),
    )
    sandbox: bool = attrs.field(
        default=False,
        metadata=about(
            "whether messages from networks that no mo_route takes are kept for admins, not refused"
        ),
    )


@attrs.frozen(kw_only=True)
class LogConfig:
    """`[log]`: one line an event, on standard error."""

    level: Literal["debug", "info", "warning", "error"] = attrs.field(
        default="info", metadata=about("the least serious events to log")
    )
    format: Literal["json", "console"] = attrs.field(
        default="json", metadata=about("for machines or for people")
    )
    texts: bool = attrs.field(
        default=False, metadata=about("whether texts of messages may stand in the log")
    )
