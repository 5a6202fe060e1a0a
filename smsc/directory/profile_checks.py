"""What may stand in a profile.

*In*: names and values that people gave. *Out*: `Refused` or a sentence; nothing if they will do.
*Never*: the accounts; what depends on others is looked at in `profiles`.
"""

from typing import Final
from zoneinfo import available_timezones

from pdu.status import Vendor
from smsc.config_accounts import account_name_fault
from smsc.ports import AccountStatus, Refused

CHARACTERS: Final = 250
"""Of a text."""
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
    """Why an account cannot be called so."""
    fault = account_name_fault(account)
    return invalid(f"{account[:40]!r} cannot be a name: {fault}") if fault else None


def password_fault(password: object) -> Refused | None:
    """Why it cannot be a password."""
    if isinstance(password, str) and 0 < len(password) <= _PASSWORD_CHARACTERS:
        return None
    return invalid(f"a password has 1 to {_PASSWORD_CHARACTERS} characters")
