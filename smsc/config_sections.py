"""The sections of the configuration file: one class each, one attribute a key.

*In*: built by `smsc.config.load`, or directly by tests.
*Out*: frozen values with defaults; durations are seconds, names say so.
*Never*: behaviour, but for two questions about an account that admission asks.
"""

from decimal import Decimal
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Literal

import attrs

from smsc.config_errors import SettingError, found
from smsc.config_fields import HostPort, Network, about
from smsc.directory.passwords import StoredPassword

ANY_SENDER = "*"

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


@attrs.frozen(kw_only=True)
class SmppConfig:
    """`[smpp]`: the SMPP server. Timers as in SMPP 3.4 §7.2."""

    listen: tuple[HostPort, ...] = attrs.field(
        default=(), metadata=about("where SMPP clients connect")
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
    max_connections: int = attrs.field(
        default=1000,
        metadata=about("open SMPP connections, bound or not; 0 = unlimited", minimum=0),
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


def parse_credit(value: object) -> Decimal | None:
    """Read "unlimited" (None) or an amount, exactly as written."""
    if value == "unlimited":
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        amount = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        if amount.is_finite() and amount >= 0:
            return amount
    raise SettingError(f'expected "unlimited" or a number of at least 0, found {found(value)}')


def parse_senders(value: object) -> tuple[str, ...]:
    """Read sender patterns: an address, a beginning with a "*" behind it, or "*"."""
    if not isinstance(value, list):
        raise SettingError(f"expected a list, found {found(value)}")
    for one in value:
        if not isinstance(one, str) or not one or "*" in one[:-1]:
            raise SettingError(f'expected senders like "Shop", "4179*" or "*", found {found(one)}')
    return tuple(value)


@attrs.frozen(kw_only=True)
class AccountConfig:
    """`[accounts.NAME]`: who may speak; NAME is the system_id."""

    password: StoredPassword = attrs.field(metadata=about("the account's password"))
    max_binds: int = attrs.field(
        default=10, metadata=about("sessions bound at the same time; 0 = unlimited", minimum=0)
    )
    window: int = attrs.field(
        default=100,
        metadata=about(
            "unanswered PDUs per session, by default smpp.window", minimum=1, maximum=65_535
        ),
    )
    rate: float = attrs.field(
        default=0.0, metadata=about("messages a second; 0 = unlimited", minimum=0)
    )
    senders: tuple[str, ...] = attrs.field(
        default=(ANY_SENDER,), metadata=about("senders the account may use", parse=parse_senders)
    )
    networks: tuple[Network, ...] = attrs.field(
        default=(), metadata=about("networks the account may come from; none = any")
    )
    credit: Decimal | None = attrs.field(
        default=None, metadata=about('amount to spend, or "unlimited"', parse=parse_credit)
    )
    admin: bool = attrs.field(default=False, metadata=about("whether it may use admin operations"))
    duplicates_s: float = attrs.field(
        default=0.0,
        metadata=about(
            "how long a message that is sent again gets the id of the first one, seconds; 0 = off",
            minimum=0,
            maximum=86_400,
        ),
    )


def address_allowed(account: AccountConfig, ip: str) -> bool:
    """True when the account may come from `ip`, as a socket's peer name gives it.

    IPv4 in IPv6 clothes (::ffff:10.0.0.1, what a dual-stack listener sees) counts as IPv4.
    """
    if not account.networks:
        return True
    try:
        address = ip_address(ip.partition("%")[0])
    except ValueError:  # a Unix socket or a proxy's invention: in no network
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in account.networks)


def sender_allowed(account: AccountConfig, source_addr: str) -> bool:
    """True when one of the account's patterns fits the sender."""
    senders = account.senders
    if ANY_SENDER in senders or source_addr in senders:
        return True
    return any(one.endswith("*") and source_addr.startswith(one[:-1]) for one in senders)
