"""Which sessions are bound, for which account.

*In*: sessions that bind and go. *Out*: counts, and the verdict on one bind more.
*Never*: traffic.
"""

from collections.abc import Iterator

import attrs

from smsc.message import AccountId


@attrs.define(slots=True)
class Bindings:
    """Bound sessions by account; the session is any object, compared by identity."""

    _by_account: dict[AccountId, list[object]] = attrs.field(factory=dict)

    def may_bind(self, account: AccountId, max_binds: int) -> bool:
        """Has the account a bind left? 0 = unlimited."""
        return not max_binds or self.count(account) < max_binds

    def add(self, account: AccountId, session: object) -> None:
        """The session is bound now."""
        self._by_account.setdefault(account, []).append(session)

    def remove(self, account: AccountId, session: object) -> None:
        """The session is gone."""
        sessions = self._by_account.get(account, [])
        if session in sessions:
            sessions.remove(session)
        if not sessions:
            self._by_account.pop(account, None)

    def count(self, account: AccountId) -> int:
        """Bound sessions of an account."""
        return len(self._by_account.get(account, ()))

    def __len__(self) -> int:
        return sum(map(len, self._by_account.values()))

    def __iter__(self) -> Iterator[tuple[AccountId, int]]:
        return iter([(account, len(sessions)) for account, sessions in self._by_account.items()])
