"""The accounts of the configuration: who may speak, and what each may do.

*In*: built by `smsc.config.load`, or directly by tests.
*Out*: frozen values with defaults; durations are seconds, names say so.
*Never*: behaviour, but for the questions about an account that admission asks.
"""

import re
from collections.abc import Mapping
from copy import copy
from decimal import Decimal
from functools import cache
from ipaddress import IPv6Address, ip_address
from typing import Any, Final, Literal

import attrs

from routing.amounts import amount_fault
from smsc.config_errors import Secret, SettingError, found
from smsc.config_fields import Network, Reader, about
from smsc.directory.passwords import StoredPassword
from smsc.directory.webhook_keys import EXPECTED, key_of, keys_of
from smsc.message import MAILBOX_KINDS

ANY_SENDER = "*"
_NAME: Final = re.compile(r"[!-~]{1,15}")
INHERITED: Final = (
    "window",
    "enquire_link_s",
    "inactivity_s",
    "response_timeout_s",
    "pdu_read_s",
    "enquire_misses",
)
"""Keys that an account takes from `[smpp]` when it does not give them itself."""

BindType = Literal["transmitter", "receiver", "transceiver"]
Meaning0 = Literal["gsm7", "latin1", "ascii", "ucs2"]


def parse_credit(value: object) -> Mapping[str, Decimal] | None:
    """Read "unlimited" (None), an amount, or amounts by class; exactly as written.

    One amount pays for every class: it is that of "".
    """
    if value == "unlimited":
        return None
    if isinstance(value, dict) and value:
        return {name: _amount(one) for name, one in value.items()}
    return {"": _amount(value)}


def _amount(value: object) -> Decimal:
    if isinstance(value, int | float) and not isinstance(value, bool):
        amount = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        if amount.is_finite() and amount >= 0 and not amount_fault(amount):
            return amount
    raise SettingError(f'expected "unlimited" or a number of at least 0, found {found(value)}')


def parse_region(value: object) -> str:
    """Read a region as ISO 3166 writes it, or nothing."""
    from routing.normalise import is_region  # number plans take 0.1 s to import: only where used

    if value == "" or (isinstance(value, str) and is_region(value)):
        return value
    raise SettingError(f'expected a country like "CH", found {found(value)}')


def parse_senders(value: object) -> tuple[str, ...]:
    """Read sender patterns: an address, a beginning with a "*" behind it, or "*"."""
    if not isinstance(value, list):
        raise SettingError(f"expected a list, found {found(value)}")
    for one in value:
        if not isinstance(one, str) or not one or "*" in one[:-1]:
            raise SettingError(f'expected senders like "Shop", "4179*" or "*", found {found(one)}')
    return tuple(value)


def parse_destinations(value: object) -> tuple[str, ...]:
    """Read prefixes of numbers, without the plus that some write before them."""
    if not isinstance(value, list):
        raise SettingError(f"expected a list, found {found(value)}")
    for one in value:
        if not isinstance(one, str) or not re.fullmatch(r"\+?\d{1,20}", one):
            raise SettingError(f'expected prefixes like "41" or "4179", found {found(one)}')
    return tuple(one.removeprefix("+") for one in value)


def parse_service_types(value: object) -> tuple[str, ...]:
    """Read values of service_type: at most five characters (SMPP 3.4 §5.2.11)."""
    if not isinstance(value, list):
        raise SettingError(f"expected a list, found {found(value)}")
    for one in value:
        if not isinstance(one, str) or len(one) > 5 or not one.isascii():
            raise SettingError(f'expected service types like "CMT" or "", found {found(one)}')
    return tuple(value)


def parse_sender(value: object) -> str:
    """Read one sender: what fits source_addr."""
    if not isinstance(value, str) or not re.fullmatch(r"[ -~]{1,20}", value) or "*" in value:
        raise SettingError(f'expected a sender like "Shop" or "41791234567", found {found(value)}')
    return value


def parse_callback_url(value: object) -> str:
    """Read where to post, or the name of a broker's queue; "" is nowhere."""
    if not isinstance(value, str) or not re.fullmatch(r"(https?://[^\s/?#]+\S*|queue:\S+)?", value):
        raise SettingError(
            'expected a URL like "https://host/path" or a queue like "queue:NAME",'
            f" found {found(value)}"
        )
    return value


@attrs.frozen(kw_only=True)
class OutbindConfig:
    """`[accounts.NAME.outbind]`: where the gateway dials when messages wait for the account."""

    host: str = attrs.field(metadata=about("address of the account's system", minimum=1))
    port: int = attrs.field(metadata=about("its TCP port", minimum=1, maximum=65_535))
    system_id: str = attrs.field(
        default="smsc",
        metadata=about("how the gateway names itself in outbind", minimum=1, maximum=15),
    )
    password: Secret = attrs.field(
        factory=lambda: Secret(""), metadata=about("the gateway's password in outbind")
    )

    def __attrs_post_init__(self) -> None:
        """Refuse what has no place on the wire (SMPP 3.4 §4.1.7)."""
        if len(self.password.value) > 8 or not self.password.value.isascii():
            raise ValueError("expected a password of at most 8 ASCII characters")
        if not self.system_id.isascii():
            raise ValueError("expected a system_id in ASCII")


@attrs.frozen(kw_only=True)
class AccountConfig:
    """`[accounts.NAME]`: who may speak; NAME is the system_id."""

    password: StoredPassword = attrs.field(metadata=about("the account's password"))
    networks: tuple[Network, ...] = attrs.field(
        default=(), metadata=about("networks the account may come from; none = any")
    )
    max_binds: int = attrs.field(
        default=10, metadata=about("sessions bound at the same time; 0 = unlimited", minimum=0)
    )
    max_transmitters: int = attrs.field(
        default=0, metadata=about("of these, transmitters; 0 = no limit of their own", minimum=0)
    )
    max_receivers: int = attrs.field(
        default=0, metadata=about("of these, receivers; 0 = no limit of their own", minimum=0)
    )
    max_transceivers: int = attrs.field(
        default=0, metadata=about("of these, transceivers; 0 = no limit of their own", minimum=0)
    )
    bind_types: tuple[BindType, ...] = attrs.field(
        default=("transmitter", "receiver", "transceiver"),
        metadata=about("how the account may bind"),
    )
    window: int = attrs.field(
        default=100,
        metadata=about(
            "unanswered PDUs per session, by default smpp.window", minimum=1, maximum=65_535
        ),
    )
    deliver_window: int = attrs.field(
        default=0,
        metadata=about(
            "unanswered PDUs of ours per session; 0 = as window", minimum=0, maximum=65_535
        ),
    )
    overflow: Literal["wait", "throttle"] = attrs.field(
        default="wait",
        metadata=about("what happens above window: no more is read, or ESME_RTHROTTLED"),
    )
    rate: float = attrs.field(
        default=0.0, metadata=about("messages or parts a second; 0 = unlimited", minimum=0)
    )
    burst: float = attrs.field(
        default=0.0,
        metadata=about("how many may come at once; 0 = those of one second", minimum=0),
    )
    rate_unit: Literal["messages", "parts"] = attrs.field(
        default="messages", metadata=about("what rate and burst count")
    )
    senders: tuple[str, ...] = attrs.field(
        default=(ANY_SENDER,), metadata=about("senders the account may use", parse=parse_senders)
    )
    default_sender: str = attrs.field(
        default="", metadata=about("sender of messages that name none", parse=parse_sender)
    )
    destinations: tuple[str, ...] = attrs.field(
        default=(),
        metadata=about("prefixes of numbers it may send to; none = any", parse=parse_destinations),
    )
    service_types: tuple[str, ...] = attrs.field(
        default=(),
        metadata=about("service types it may use; none = any", parse=parse_service_types),
    )
    max_validity_s: float = attrs.field(
        default=0.0,
        metadata=about("longest life of a message, seconds; 0 = the gateway's own", minimum=0),
    )
    max_priority: int = attrs.field(
        default=255,
        metadata=about("highest priority_flag; a higher one is lowered", minimum=0, maximum=255),
    )
    data_coding_0: Meaning0 = attrs.field(
        default="gsm7", metadata=about("the alphabet that the account means by data_coding 0")
    )
    enquire_link_s: float = attrs.field(
        default=30.0,
        metadata=about("silence before our enquire_link, by default the server's", minimum=0.1),
    )
    enquire_misses: int = attrs.field(
        default=2,
        metadata=about("unanswered enquire_links borne, by default the server's", minimum=1),
    )
    inactivity_s: float = attrs.field(
        default=0.0,
        metadata=about("time without a message, by default the server's; 0 = any", minimum=0),
    )
    response_timeout_s: float = attrs.field(
        default=30.0,
        metadata=about("time to answer a PDU of ours, by default the server's", minimum=0.1),
    )
    pdu_read_s: float = attrs.field(
        default=30.0,
        metadata=about("time to complete a PDU, by default the server's", minimum=0.1),
    )
    outbind: OutbindConfig | None = attrs.field(
        default=None, metadata=about("where to dial when messages wait and nobody is bound")
    )
    group: str = attrs.field(
        default="", metadata=about("group of accounts it belongs to, for rules; none = no group")
    )
    region: str = attrs.field(
        default="",
        metadata=about(
            'country that its national numbers are of, like "CH"; none = numbers stay as they are',
            parse=parse_region,
        ),
    )
    credit: Mapping[str, Decimal] | None = attrs.field(
        default=None,
        metadata=about(
            'what it opens with: an amount, amounts by class, or "unlimited"', parse=parse_credit
        ),
    )
    deliver_with: Literal["deliver_sm", "data_sm"] = attrs.field(
        default="deliver_sm",
        metadata=about("the operation that brings the account its messages and receipts"),
    )
    admin: bool = attrs.field(default=False, metadata=about("whether it may use admin operations"))
    callback_url: str = attrs.field(
        default="",
        metadata=about(
            "where its receipts and MO messages go that have no callback of their own;"
            " none = to its sessions",
            parse=parse_callback_url,
        ),
    )
    callback_style: str = attrs.field(
        default="", metadata=about('how that is spoken to, like "connector"; none = natively')
    )
    webhook_secret: Secret = attrs.field(
        factory=lambda: Secret(""), metadata=about("what its native callbacks are signed with")
    )
    webhook_secret_old: Secret = attrs.field(
        factory=lambda: Secret(""),
        metadata=about("what they are signed with besides, while clients change to the new one"),
    )
    receipts_per_part: bool = attrs.field(
        default=False,
        metadata=about("one receipt for each part of a long message, not one in all"),
    )
    duplicates_s: float = attrs.field(
        default=0.0,
        metadata=about(
            "how long a message that is sent again gets the id of the first one, seconds; 0 = off",
            minimum=0,
            maximum=86_400,
        ),
    )

    def __attrs_post_init__(self) -> None:
        """Refuse what cannot sign."""
        for secret in (self.webhook_secret, self.webhook_secret_old):
            if secret.value and key_of(secret.value) is None:
                raise ValueError(f"webhook_secret: {EXPECTED}")

    @property
    def home(self) -> tuple[str | None, str]:
        """The callback URL and style of its MO messages; None: they go to its sessions."""
        return (self.callback_url, self.callback_style) if self.callback_url else (None, "")

    @property
    def webhook_keys(self) -> tuple[bytes, ...]:
        """What its callbacks are signed with, the newest first."""
        return keys_of((self.webhook_secret.value, self.webhook_secret_old.value))


@cache
def _reader() -> Reader:
    """Made once: it takes 2 ms, and a node may have many thousand accounts."""
    return Reader({})


def read_account(
    name: str, table: Mapping[str, Any], inherited: Mapping[str, Any]
) -> AccountConfig | str:
    """An account made at run time, by the checks of the file; or all that is wrong, in a line."""
    reader = copy(_reader())
    reader.errors = []
    account = reader.read({**inherited, **table}, AccountConfig, "accounts", name)
    if isinstance(account, AccountConfig):
        return account
    return "; ".join(map(str, reader.errors))


def address_allowed(account: AccountConfig, ip: str) -> bool:
    """True when the account may come from `ip`, as a socket's peer name gives it."""
    return not account.networks or in_networks(account.networks, ip)


def in_networks(networks: tuple[Network, ...], ip: str) -> bool:
    """True when `ip` lies in one of the networks.

    IPv4 in IPv6 clothes (::ffff:10.0.0.1, what a dual-stack listener sees) counts as IPv4.
    """
    try:
        address = ip_address(ip.partition("%")[0])
    except ValueError:  # a Unix socket or a proxy's invention: in no network
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in networks)


def account_name_fault(name: str) -> str:
    """Why an account cannot be called so; "" if it can.

    system_id is a C-octet string of at most 16 octets with its NUL (SMPP 3.4 §5.2.1).
    """
    if not _NAME.fullmatch(name):
        return "expected a system_id: 1 to 15 ASCII characters without spaces"
    if name.startswith(MAILBOX_KINDS):
        kind = name.partition(":")[0]
        return f"expected a system_id that does not begin with {kind}:, which mailboxes do"
    return ""


def sender_allowed(account: AccountConfig, source_addr: str) -> bool:
    """True when one of the account's patterns fits the sender, or it is the default one."""
    senders = account.senders
    if ANY_SENDER in senders or source_addr in senders or source_addr == account.default_sender:
        return True
    return any(one.endswith("*") and source_addr.startswith(one[:-1]) for one in senders)
