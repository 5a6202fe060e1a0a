"""What the store keeps of an account: its profile, and for those made at run time all the rest.

*In*: `Entry`. *Out*: fields for `Control.ACCOUNT`, and entries again.
*Never*: I/O; a password in clear.

Profile fields are kept by name, and only where they differ from their default, so that a later
version may add some. Settings are kept as JSON, as the configuration would write them.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import attrs

from smsc.message import AccountId
from smsc.ports import AccountStatus, Profile

_FIXED: Final = frozenset({"account", "uid", "is_static"})
"""Fields of a profile that are not in its own table: they are the key, or say where it stands."""
_FIELDS: Final = tuple(field for field in attrs.fields(Profile) if field.name not in _FIXED)


@attrs.frozen(kw_only=True)
class Entry:
    """An account as it lies in the store."""

    profile: Profile
    settings: Mapping[str, Any] = attrs.field(factory=dict)
    """Keys of `[accounts.NAME]`, of accounts made at run time."""
    password_hash: str = attrs.field(default="", repr=False)
    """argon2, of accounts made at run time."""
    token: str = attrs.field(default="", repr=False)
    login_key: str = attrs.field(default="", repr=False)
    """Digest of the key that opens one login."""


def fields_of(entry: Entry) -> tuple[object, ...]:
    """The record."""
    profile = entry.profile
    changed = {
        field.name: getattr(profile, field.name)
        for field in _FIELDS
        if getattr(profile, field.name) != field.default
    }
    if "status" in changed:
        changed["status"] = int(changed["status"])
    settings = json.dumps(dict(entry.settings)) if entry.settings else ""
    return profile.uid, changed, settings, entry.password_hash, entry.token, entry.login_key


def entry_of(account: str, fields: tuple[Any, ...], *, is_static: bool) -> Entry:
    """The entry that the record holds."""
    uid, changed, settings, password_hash, token, login_key = fields
    known = {name: value for name, value in changed.items() if name in attrs.fields_dict(Profile)}
    if "status" in known:
        known["status"] = AccountStatus(known["status"])
    return Entry(
        profile=Profile(account=AccountId(account), uid=uid, is_static=is_static, **known),
        settings=json.loads(settings) if settings else {},
        password_hash=password_hash,
        token=token,
        login_key=login_key,
    )
