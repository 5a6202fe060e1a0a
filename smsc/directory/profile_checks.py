"""What may stand in a profile.

*In*: names and values that people gave. *Out*: `Refused` or a sentence; nothing if they will do.
*Never*: the accounts; what depends on others is looked at in `profiles`.
"""

import re
from typing import Final
from zoneinfo import available_timezones

from pdu.status import Vendor
from smsc.ports import AccountStatus, Refused

CHARACTERS: Final = 250
"""Of a text."""
_NAME: Final = re.compile(r"[!-~]{1,15}")
_PASSWORD_CHARACTERS: Final = 200


def invalid(why: str) -> Refused:
    """A value of a request cannot be used."""
    return Refused(Vendor.SMSC_INVALID, why)


def value_fault(name: str, value: object, default: object) -> str:
    """Why a field of a profile cannot have this value; "" if it can."""
    if name == "status":
        return "" if isinstance(value, AccountStatus) else f"status: found {value!r}"
    if name == "parent":
        return "" if value is None or isinstance(value, str) else "parent: expected a name"
    kind = type(default)
    if type(value) is not kind:
        return f"{name}: expected a value of type {kind.__name__}, found {value!r}"
    if isinstance(value, str) and len(value) > CHARACTERS:
        return f"{name}: expected at most {CHARACTERS} characters, found {len(value)}"
    if isinstance(value, int) and value < 0:
        return f"{name}: expected a number of at least 0, found {value}"
    if name == "time_zone" and value not in available_timezones():
        return f'time_zone: expected a zone like "Europe/Zurich", found {value!r}'
    if name == "email" and value and "@" not in str(value):
        return f"email: expected an address, found {value!r}"
    return ""


def name_fault(account: str) -> Refused | None:
    """Why an account cannot be called so: as a system_id (SMPP 3.4 §5.2.1)."""
    if _NAME.fullmatch(account):
        return None
    shown = account[:40]
    return invalid(f"{shown!r} cannot be a name: 1 to 15 ASCII characters without spaces")


def password_fault(password: object) -> Refused | None:
    """Why it cannot be a password."""
    if isinstance(password, str) and 0 < len(password) <= _PASSWORD_CHARACTERS:
        return None
    return invalid(f"a password has 1 to {_PASSWORD_CHARACTERS} characters")
