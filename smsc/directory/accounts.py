"""Who may speak: accounts of the configuration, their networks and passwords.

*In*: a system_id, a password, the peer's address.
*Out*: the account, or `AuthRefused` with the bind status and a sentence.
*Never*: blocks the loop for a password hash; says in a log what the password was.
"""

from collections.abc import Mapping
from typing import Final

import attrs
import trio

from pdu.status import Status
from smsc.config_accounts import AccountConfig, address_allowed
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


@attrs.frozen
class AuthRefused:
    """Why not: `status` for a bind response, `why` for people."""

    status: int
    why: str
    is_network: bool = False
    """The password was not even looked at: the account may not come from that address."""


_TOO_MANY: Final = AuthRefused(
    Status.ESME_RBINDFAIL, "too many attempts from this address failed; try again in 10 seconds"
)
_WRONG_PASSWORD: Final = AuthRefused(Status.ESME_RINVPASWD, "wrong password")


class Directory:
    """The accounts of a node."""

    def __init__(self, accounts: Mapping[str, AccountConfig]) -> None:
        self.accounts = {
            AccountId(name): Account(AccountId(name), config) for name, config in accounts.items()
        }
        self._passwords = PasswordChecker()
        self._slowdown = Slowdown()
        # argon2 uses several threads and much memory: one check at a time.
        self._limiter = trio.CapacityLimiter(1)

    async def authenticate(self, name: str, password: str, peer: str) -> Account | AuthRefused:
        """Judge a claim; `peer` is the IP address it comes from.

        Microseconds for clear-text passwords and hashes that were verified before,
        else one argon2 run in a thread. After failures it waits first: see `slowdown`.
        """
        account = self.accounts.get(AccountId(name))
        if account is not None and not address_allowed(account.config, peer):
            why = f"account {name} may not come from {peer}; its networks are in the configuration"
            return AuthRefused(Status.ESME_RBINDFAIL, why, is_network=True)
        delay_s = self._slowdown.delay_s(peer, name, trio.current_time())
        if delay_s is None:
            return _TOO_MANY
        if delay_s:
            await trio.sleep(delay_s)
        if account is not None and await self._is_right(account.config.password, password):
            self._slowdown.succeeded(peer, name)
            return account
        self._slowdown.failed(peer, name, trio.current_time())
        if account is None:
            return AuthRefused(Status.ESME_RINVSYSID, f"no account {name!r}")
        return _WRONG_PASSWORD

    async def _is_right(self, stored: StoredPassword, password: str) -> bool:
        if self._passwords.is_cheap(stored):
            return self._passwords.verify(stored, password)
        return await trio.to_thread.run_sync(
            self._passwords.verify, stored, password, limiter=self._limiter
        )
