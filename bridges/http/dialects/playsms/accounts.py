"""What admin operations say of an account: data_… parameters as fields of a profile.

*In*: `Parameters`. *Out*: `NewProfile`, changes of a profile, amounts. *Never*: I/O.
"""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

from bridges.http.dialects.playsms.config import PlaysmsConfig
from bridges.http.dialects.playsms.dates import zone_name
from bridges.http.dialects.playsms.parameters import Parameters
from pdu.address import guess_source, source_fault
from smsc.message import AccountId
from smsc.ports import AccountStatus, NewProfile

DATA: Final = "data_"
PREFERENCES: Final = (
    "name", "email", "mobile", "address", "city", "state", "country", "zipcode", "password",
)  # fmt: skip
"""Of accountpref; playSMS and a profile call them the same."""
_TEXTS: Final[Mapping[str, str]] = {
    "footer": "footer",
    "language_module": "language",
    "sender": "sender",
}
_FLAGS: Final[Mapping[str, str]] = {
    "fwd_to_inbox": "forward_to_inbox",
    "fwd_to_email": "forward_to_email",
    "fwd_to_mobile": "forward_to_mobile",
}
CONFIGURATION: Final = (*_TEXTS, *_FLAGS, "datetime_timezone", "local_length", "replace_zero")
_AMOUNT: Final = re.compile(r"[0-9]{1,18}(\.[0-9]{1,9})?", re.ASCII)


def new_account(asked: Parameters, config: PlaysmsConfig) -> NewProfile | None:
    """What accountadd asks for; None if data_status is not 2, 3 or 4."""
    statuses = {str(int(one)): one for one in AccountStatus}
    status = statuses.get(asked.get("data_status"))
    if status is None:
        return None
    profile = {name: asked.get(DATA + name) for name in ("name", "email", "mobile", "footer")}
    if language := asked.get("data_language_module"):
        profile["language"] = language
    if zone := asked.get("data_datetime_timezone"):
        profile["time_zone"] = zone_name(zone)
    parent = asked.get("data_parent") if status is AccountStatus.SUBUSER else ""
    return NewProfile(
        account=AccountId(asked.get("data_username")),
        password=asked.get("data_password"),
        status=status,
        parent=AccountId(parent) if parent else None,
        profile=profile,
        settings={"credit": config.opening},
    )


def preferences(asked: Parameters) -> dict[str, object]:
    """What accountpref changes: what is not empty."""
    return {name: value for name in PREFERENCES if (value := asked.get(DATA + name))}


def configuration(asked: Parameters) -> dict[str, object] | None:
    """What accountconf changes: what is not empty; None if a value cannot be.

    The document writes `datetime_timezone` once without its prefix, so that is taken, too.
    """
    given = {name: value for name in CONFIGURATION if (value := asked.get(DATA + name))}
    if zone := given.pop("datetime_timezone", "") or asked.get("datetime_timezone"):
        given["datetime_timezone"] = zone
    changes: dict[str, object] = {}
    for name, value in given.items():
        if name in _TEXTS:
            changes[_TEXTS[name]] = value
        elif name in _FLAGS and value in {"0", "1"}:
            changes[_FLAGS[name]] = value == "1"
        elif name == "datetime_timezone":
            changes["time_zone"] = zone_name(value)
        elif name == "local_length" and re.fullmatch(r"[0-9]{1,2}", value, re.ASCII):
            changes["local_length"] = int(value)
        elif name == "replace_zero" and re.fullmatch(r"\+?[0-9]{1,8}", value, re.ASCII):
            changes["replace_zero"] = value
        else:
            return None
    sender = changes.get("sender")
    if isinstance(sender, str) and source_fault(*guess_source(sender)) is not None:
        return None
    return changes


def amount(text: str) -> Decimal | None:
    """An amount above 0; None for anything else."""
    if not _AMOUNT.fullmatch(text):
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value > 0 else None


def balance_of(balances: Mapping[str, Decimal] | None, config: PlaysmsConfig) -> str:
    """The one credit that playSMS knows: that of `credit_class`, or what all classes have."""
    if balances is None:
        return str(config.unlimited)
    if config.credit_class:
        return plain(balances.get(config.credit_class, Decimal(0)))
    return plain(sum(balances.values(), Decimal(0)))


def plain(value: Decimal) -> str:
    """A decimal without an exponent or zeros that mean nothing."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
