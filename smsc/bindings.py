"""Which sessions are bound, for which account and how.

*In*: sessions that bind and go. *Out*: counts, and the verdict on one bind more.
*Never*: traffic.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import attrs

from pdu.commands import Command
from pdu.status import Status
from smsc.config_accounts import AccountConfig
from smsc.directory.accounts import AuthRefused
from smsc.message import AccountId

KINDS: Final[Mapping[int, str]] = {
    int(Command.BIND_TRANSMITTER): "transmitter",
    int(Command.BIND_RECEIVER): "receiver",
    int(Command.BIND_TRANSCEIVER): "transceiver",
}
"""How an account's bind_types call each bind."""
RECEIVING: Final = frozenset({"receiver", "transceiver"})


@attrs.define(slots=True)
class Bindings:
    """Bound sessions by account; the session is any object, compared by identity."""

    _by_account: dict[AccountId, dict[object, str]] = attrs.field(factory=dict)

    def refusal(self, account: AccountId, config: AccountConfig, kind: str) -> AuthRefused | None:
        """Why the account may not bind this way once more; None if it may."""
        if kind not in config.bind_types:
            return AuthRefused(Status.ESME_RBINDFAIL, f"account {account} may not bind as {kind}")
        if config.max_binds and self.count(account) >= config.max_binds:
            why = f"account {account} has its {config.max_binds} binds already"
            return AuthRefused(Status.ESME_RBINDFAIL, why)
        limit = {
            "transmitter": config.max_transmitters,
            "receiver": config.max_receivers,
            "transceiver": config.max_transceivers,
        }[kind]
        if limit and self.count(account, kind) >= limit:
            why = f"account {account} has its {limit} binds as {kind} already"
            return AuthRefused(Status.ESME_RBINDFAIL, why)
        return None

    def add(self, account: AccountId, session: object, kind: str) -> None:
        """The session is bound now."""
        self._by_account.setdefault(account, {})[session] = kind

    def remove(self, account: AccountId, session: object) -> None:
        """The session is gone."""
        sessions = self._by_account.get(account, {})
        sessions.pop(session, None)
        if not sessions:
            self._by_account.pop(account, None)

    def count(self, account: AccountId, kind: str | None = None) -> int:
        """Bound sessions of an account, all or those of one kind."""
        sessions = self._by_account.get(account, {})
        return len(sessions) if kind is None else sum(one == kind for one in sessions.values())

    def can_receive(self, account: AccountId) -> bool:
        """Is a session bound that takes deliveries?"""
        return any(kind in RECEIVING for kind in self._by_account.get(account, {}).values())

    def __len__(self) -> int:
        return sum(map(len, self._by_account.values()))

    def __iter__(self) -> Iterator[tuple[AccountId, int]]:
        return iter([(account, len(sessions)) for account, sessions in self._by_account.items()])
