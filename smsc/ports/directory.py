"""Who may speak: accounts of the configuration file, and those created at run time.

*Never*: behaviour; see `smsc.ports`.
"""

import enum
from collections.abc import Mapping, Sequence
from typing import Protocol

import attrs

from smsc.message import AccountId
from smsc.ports.intake import Refused


class AccountStatus(enum.IntEnum):
    """What an account may do to others; the numbers are those that playSMS uses."""

    ADMIN = 2
    USER = 3
    SUBUSER = 4


@attrs.frozen(kw_only=True)
class Profile:
    """What is known of an account, besides what it may send (`AccountConfig` says that)."""

    account: AccountId
    uid: int
    """A small number that never changes and is never used again."""
    status: AccountStatus = AccountStatus.USER
    parent: AccountId | None = None
    """Of a subuser: who it belongs to, and whose credit it spends."""
    is_static: bool = False
    """It stands in the configuration file: it can be changed, but neither removed nor renamed."""
    is_remote: bool = False
    """Its password is known to a directory server (LDAP), not here."""
    is_banned: bool = False
    group_id: str = ""
    """UUID of the group of accounts it belongs to; its own if it belongs to none."""
    created_ms: int = 0
    name: str = ""
    email: str = ""
    mobile: str = ""
    address: str = ""
    city: str = ""
    state: str = ""
    country: str = ""
    zipcode: str = ""
    sender: str = ""
    """Default sender of messages that name none."""
    footer: str = ""
    """Appended to texts by the dialects that know footers."""
    time_zone: str = "UTC"
    """Name of an IANA zone: what dates without a zone mean."""
    language: str = "en"
    forward_to_inbox: bool = True
    """Messages that come to its inbox are kept there; also if not, where no copy can be made."""
    forward_to_email: bool = False
    """They are sent to `email`, if the configuration names a mail server."""
    forward_to_mobile: bool = False
    """They are sent to `mobile`, as messages that the account itself sends."""
    local_length: int = 0
    """Numbers of at most so many digits are local ones; 0 = none are."""
    replace_zero: str = ""
    """What a leading 0 of a number stands for, such as 41; "" = itself."""


@attrs.frozen(kw_only=True)
class NewProfile:
    """An account to be created at run time."""

    account: AccountId
    password: str = attrs.field(repr=False)
    status: AccountStatus = AccountStatus.USER
    parent: AccountId | None = None
    profile: Mapping[str, object] = attrs.field(factory=dict)
    """Further fields of `Profile` by name."""
    settings: Mapping[str, object] = attrs.field(factory=dict)
    """Keys of `[accounts.NAME]` as the configuration file writes them: rate, networks, senders."""


class Directory(Protocol):
    """The accounts of a node. Verbs that change something return after fsync.

    `by` names who asks, for the log. A `Refused` says in one sentence why nothing changed.
    """

    def profile(self, account: AccountId) -> Profile | None:
        """One account by its name."""

    def find(self, login: str) -> Profile | None:
        """One account by its name or, if no account is called so, by its e-mail address."""

    def profiles(self) -> Sequence[Profile]:
        """Every account, by name."""

    def is_open(self, account: AccountId, peer: str) -> bool:
        """May the account be used from that IP address, by whoever proved to be it?"""

    def may_send_as(self, account: AccountId, source_addr: str) -> bool:
        """Is that one of the senders the account may use? False if there is no such account."""

    async def add(self, new: NewProfile, by: AccountId) -> Profile | Refused:
        """Create an account."""

    async def change(
        self, account: AccountId, changes: Mapping[str, object], by: AccountId
    ) -> Profile | Refused:
        """Change fields of `Profile` by name; `password` (text) changes the password."""

    async def remove(self, account: AccountId, by: AccountId) -> Refused | None:
        """Delete an account; its messages stay until history drops them."""

    async def ban(self, account: AccountId, by: AccountId, *, banned: bool) -> Refused | None:
        """Close an account: binds, requests and submissions are refused; or open it again."""

    def token(self, account: AccountId) -> str | None:
        """The token by which the account may speak instead of its password; None if it has none."""

    async def new_token(self, account: AccountId, by: AccountId) -> str | Refused:
        """Make a new token of 32 hexadecimal digits; the old one ends."""

    async def new_login_key(self, account: AccountId, by: AccountId) -> str | Refused:
        """Make a key that opens one login."""

    async def use_login_key(self, account: AccountId, key: str) -> bool:
        """Was it the key? It is used up either way."""
