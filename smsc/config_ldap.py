"""`[ldap]`: a directory server that knows further accounts and their passwords.

*In*: built by `smsc.config.load`, or directly by tests.
*Out*: frozen values with defaults. *Never*: behaviour, but for checks of the values.
"""

import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from smsc.config_errors import Secret, SettingError, found
from smsc.config_fields import about

PLACE: Final = "{name}"
PROFILE_FIELDS: Final = ("name", "email", "mobile", "address", "city", "country", "zipcode")
"""Fields of a profile that attributes may fill."""


def parse_url(value: object) -> str:
    """Read where the server is."""
    if isinstance(value, str) and re.fullmatch(r"(ldaps?://[^\s/]+|ldapi://\S+?)/?", value):
        return value
    raise SettingError(f'expected a server like "ldap://ldap.example.org", found {found(value)}')


def parse_template(value: object) -> str:
    """Read a text with {name} in it."""
    if isinstance(value, str) and (not value or PLACE in value):
        return value
    raise SettingError(f"expected a text with {PLACE} in it, found {found(value)}")


def parse_attributes(value: object) -> Mapping[str, str]:
    """Read which attribute fills which field of a profile."""
    if not isinstance(value, dict):
        raise SettingError(f"expected a table, found {found(value)}")
    for field, attribute in value.items():
        if field not in PROFILE_FIELDS:
            known = ", ".join(PROFILE_FIELDS)
            raise SettingError(f"unknown field {field!r}; known ones: {known}")
        if not isinstance(attribute, str) or not re.fullmatch(
            r"[A-Za-z][A-Za-z0-9;.-]*", attribute
        ):
            raise SettingError(f'expected an attribute like "mail", found {found(attribute)}')
    return value


def parse_account(value: object) -> Mapping[str, Any]:
    """Read keys of `[accounts.NAME]`; their values are checked with an account made of them."""
    if isinstance(value, dict):
        return value
    raise SettingError(f"expected a table, found {found(value)}")


@attrs.frozen(kw_only=True)
class LdapConfig:
    """`[ldap]`: either bind_dn, or search_base with a filter, says which entry a name means."""

    url: str = attrs.field(metadata=about("where the server is", parse=parse_url))
    tls: bool = attrs.field(
        default=True, metadata=about("StartTLS before anything is said; ldaps has it anyway")
    )
    ca_file: Path | None = attrs.field(
        default=None, metadata=about("certificates that the server's is checked against")
    )
    bind_dn: str = attrs.field(
        default="",
        metadata=about(
            "the entry of an account, such as uid={name},ou=people,dc=example",
            parse=parse_template,
        ),
    )
    search_base: str = attrs.field(default="", metadata=about("below which entry to search"))
    search_filter: str = attrs.field(
        default="(uid={name})", metadata=about("what to search for", parse=parse_template)
    )
    search_dn: str = attrs.field(default="", metadata=about("as whom to search; none = nobody"))
    search_password: Secret = attrs.field(
        factory=lambda: Secret(""), metadata=about("the password of search_dn")
    )
    timeout_s: float = attrs.field(
        default=5.0, metadata=about("how long a login may wait for the server", minimum=0.1)
    )
    connections: int = attrs.field(
        default=8, metadata=about("logins that ask at the same time", minimum=1, maximum=100)
    )
    cache_s: float = attrs.field(
        default=60.0, metadata=about("how long a right password is not asked again", minimum=0)
    )
    offline_s: float = attrs.field(
        default=3600.0,
        metadata=about("how long a password that was right passes while the server is down"),
    )
    attributes: Mapping[str, str] = attrs.field(
        factory=dict,
        metadata=about("attributes that fill fields of the profile", parse=parse_attributes),
    )
    account: Mapping[str, Any] = attrs.field(
        factory=dict,
        metadata=about("keys of [accounts.NAME] for every account", parse=parse_account),
    )

    def __attrs_post_init__(self) -> None:
        """Refuse what cannot work."""
        if bool(self.bind_dn) == bool(self.search_base):
            raise ValueError("expected bind_dn or search_base, one of the two")
        if importlib.util.find_spec("bonsai") is None:
            raise ValueError("needs a library: install the gateway with the extra ldap")
