"""Who may speak: the accounts of a node, their networks and passwords.

*In*: a system_id, a password or token, the peer's address.
*Out*: the account, or `AuthRefused` with the bind status and a sentence.
*Never*: blocks the loop for a password hash; says in a log what the password was.

SMPP binds and HTTP requests pass the same judgement and share one memory of failures.
Accounts come and go while the gateway runs: rooms that keep something for each account hear of it
through `opened` and `closed`.
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import attrs
import trio

from pdu.status import Status
from smsc.config_accounts import AccountConfig, address_allowed, sender_allowed
from smsc.directory.passwords import PasswordChecker, StoredPassword
from smsc.directory.slowdown import Slowdown
from smsc.message import AccountId


@attrs.frozen
class Account:
    """An account that proved who it is."""

    name: AccountId
    config: AccountConfig

    @property
    def admin(self) -> bool:
        """May it use admin operations?"""
        return self.config.admin

    def may_send_as(self, source_addr: str) -> bool:
        """Is that one of the senders the account may use?"""
        return sender_allowed(self.config, source_addr)


@attrs.frozen
class AuthRefused:
    """Why not: `status` for a bind response, `why` for people."""

    status: int
    why: str
    is_network: bool = False
    """The password was not even looked at: the account may not come from that address."""
    is_closed: bool = False
    """The password was right, and the account is closed."""
    is_unavailable: bool = False
    """Nobody can tell now whether the password is right; not to be held against the client."""


_TOO_MANY: Final = AuthRefused(
    Status.ESME_RBINDFAIL, "too many attempts from this address failed; try again in 10 seconds"
)
WRONG_PASSWORD: Final = AuthRefused(Status.ESME_RINVPASWD, "wrong password")
_WRONG_TOKEN: Final = AuthRefused(Status.ESME_RINVPASWD, "wrong token")


class Directory:
    """The accounts of a node.

    :ivar accounts: those that may speak, by name; changed in place.
    :ivar closed: those that may not for now, and why in a sentence.
    """

    def __init__(self, accounts: Mapping[str, AccountConfig]) -> None:
        self.accounts = {
            AccountId(name): Account(AccountId(name), config) for name, config in accounts.items()
        }
        self.closed: dict[AccountId, str] = {}
        self.account_opened: Callable[[Account], None] = lambda _account: None
        """Told of an account that is new, open again, or has other settings from now on."""
        self.account_closed: Callable[[AccountId, str], None] = lambda _account, _why: None
        """Told of an account that may not speak any more, and why."""
        self._passwords = PasswordChecker()
        self._slowdown = Slowdown()
        # argon2 uses several threads and much memory: one check at a time.
        self._limiter = trio.CapacityLimiter(1)

    async def authenticate(self, name: str, password: str, peer: str) -> Account | AuthRefused:
        """Judge a claim; `peer` is the IP address it comes from.

        Microseconds for clear-text passwords and hashes that were verified before,
        else one argon2 run in a thread. After failures it waits first: see `slowdown`.
        """

        async def claim(account: Account | None) -> Account | AuthRefused:
            return await self._claim(name, account, password)

        return await self._judge(name, peer, claim)

    async def authenticate_token(self, name: str, token: str, peer: str) -> Account | AuthRefused:
        """As `authenticate`, by the account's token."""

        async def claim(account: Account | None) -> Account | AuthRefused:
            if account is None:
                return unknown(name)
            right = self.token(account.name)
            given = token.encode(errors="surrogatepass")
            is_right = right is not None and hmac.compare_digest(right.encode(), given)
            return account if is_right else _WRONG_TOKEN

        return await self._judge(name, peer, claim)

    def is_open(self, account: AccountId, peer: str) -> bool:
        """May the account be used from that IP address, by whoever proved to be it?"""
        found = self.accounts.get(account)
        if found is None or account in self.closed:
            return False
        return address_allowed(found.config, peer)

    def may_send_as(self, account: AccountId, source_addr: str) -> bool:
        """Is that one of the senders the account may use? False if there is no such account."""
        found = self.accounts.get(account)
        return found is not None and found.may_send_as(source_addr)

    def reload(
        self, accounts: Mapping[str, AccountConfig], inherited: Mapping[str, Any] | None = None
    ) -> tuple[AccountId, ...]:
        """Follow a new configuration file; the accounts that are new, changed or gone.

        Sessions of those that are gone are unbound; others follow the new settings.

        :param inherited: see `NodeDirectory`; None = as before.
        """
        inheriting = self._inherit(inherited)
        told: list[AccountId] = []
        for gone in [one for one in self.accounts if self._is_gone(one, accounts)]:
            del self.accounts[gone]
            self.closed[gone] = f"account {gone} is no longer in the configuration file"
            self.account_closed(gone, self.closed[gone])
            told.append(gone)
        for account in (Account(AccountId(name), config) for name, config in accounts.items()):
            if self.accounts.get(account.name) != account:
                self._take(account)
                told.append(account.name)
        return (*told, *inheriting)

    def _inherit(self, inherited: Mapping[str, Any] | None) -> list[AccountId]:  # noqa: ARG002 - see below
        """Accounts made at run time that take other things from `[smpp]` now: the file knows none."""
        return []

    def _is_gone(self, name: AccountId, accounts: Mapping[str, AccountConfig]) -> bool:
        """Was it of the old file, and is not of the new one?"""
        return name not in accounts

    def _take(self, account: Account) -> None:
        """An account of the file is new or changed."""
        self.accounts[account.name] = account
        self.closed.pop(account.name, None)
        self.account_opened(account)

    def token(self, account: AccountId) -> str | None:  # noqa: ARG002 - the file knows no tokens
        """The token by which the account may speak instead of its password; None if it has none."""
        return None

    async def _judge(
        self,
        name: str,
        peer: str,
        claim: Callable[[Account | None], Awaitable[Account | AuthRefused]],
    ) -> Account | AuthRefused:
        account = self.accounts.get(AccountId(name))
        if account is not None and not address_allowed(account.config, peer):
            return _from_elsewhere(name, peer)
        delay_s = self._slowdown.delay_s(peer, name, trio.current_time())
        if delay_s is None:
            return _TOO_MANY
        if delay_s:
            await trio.sleep(delay_s)
        verdict = await claim(account)
        if isinstance(verdict, AuthRefused):
            if not verdict.is_unavailable:
                self._slowdown.failed(peer, name, trio.current_time())
            return verdict
        self._slowdown.succeeded(peer, name)
        if account is None and not address_allowed(verdict.config, peer):
            return _from_elsewhere(name, peer)
        why_closed = self.closed.get(verdict.name)
        if why_closed is not None:
            return AuthRefused(Status.ESME_RBINDFAIL, why_closed, is_closed=True)
        # It may have been changed or removed while we waited.
        return verdict if self.accounts.get(verdict.name) is verdict else WRONG_PASSWORD

    async def _claim(
        self, name: str, account: Account | None, password: str
    ) -> Account | AuthRefused:
        """Is it the password of the account? Those of other back ends come in here."""
        if account is None:
            return unknown(name)
        is_right = await self._is_right(account.config.password, password)
        return account if is_right else WRONG_PASSWORD

    async def _is_right(self, stored: StoredPassword, password: str) -> bool:
        if self._passwords.is_cheap(stored):
            return self._passwords.verify(stored, password)
        return await trio.to_thread.run_sync(
            self._passwords.verify, stored, password, limiter=self._limiter
        )


def unknown(name: str) -> AuthRefused:
    """There is no account of that name."""
    return AuthRefused(Status.ESME_RINVSYSID, f"no account {name!r}")


def _from_elsewhere(name: str, peer: str) -> AuthRefused:
    why = f"account {name} may not come from {peer}; its networks are in the configuration"
    return AuthRefused(Status.ESME_RBINDFAIL, why, is_network=True)
