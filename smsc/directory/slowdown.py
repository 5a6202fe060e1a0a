"""Guessing passwords is slow: how long an attempt waits before it is looked at.

*In*: attempts and their outcomes, by address and account; `now` in seconds of a monotonic clock.
*Out*: a delay in seconds, at most `CEILING_S`, or None: too many are waiting already.
*Never*: waits itself; keeps more than `REMEMBERED` records; locks out an address that proved
itself, whatever others try on the same account.

Failures of an address and failures on an account are counted apart; each is forgotten at one
every `FORGIVEN_S`. The first `FREE` of either cost nothing: people mistype. Attempts of one
address take turns, so that many connections guess no faster than one.
"""

from ipaddress import ip_address
from typing import Final

import attrs

FREE: Final = 3
FIRST_S: Final = 0.25
CEILING_S: Final = 5.0
FORGIVEN_S: Final = 30.0
REMEMBERED: Final = 10_000
_QUEUE_S: Final = 2 * CEILING_S
_DOUBLINGS: Final = 16


@attrs.define(slots=True)
class _Record:
    """Failures as of a moment; they fade."""

    failures: float = 0.0
    at: float = 0.0
    turn: float = 0.0
    """When the last attempt that waits will be looked at."""

    def fade(self, now: float) -> float:
        self.failures = max(0.0, self.failures - (now - self.at) / FORGIVEN_S)
        self.at = now
        return self.failures


class Slowdown:
    """Records of failed attempts, and who is known to be good."""

    def __init__(self) -> None:
        self._addresses: dict[str, _Record] = {}
        self._accounts: dict[str, _Record] = {}
        self._good: dict[tuple[str, str], None] = {}

    def delay_s(self, address: str, account: str, now: float) -> float | None:
        """How long this attempt waits; None: refuse it, others of its address wait already."""
        address = _network(address)
        if (address, account) in self._good:
            return 0.0
        theirs = self._addresses.get(address)
        on_account = self._accounts.get(account)
        delay_s = 0.0 if on_account is None else _delay_s(on_account.fade(now))
        if theirs is None:
            return delay_s
        delay_s = max(delay_s, _delay_s(theirs.fade(now)))
        if not delay_s:
            return 0.0
        turn = max(theirs.turn, now) + delay_s
        if turn - now > _QUEUE_S:
            return None
        theirs.turn = turn
        return turn - now

    def failed(self, address: str, account: str, now: float) -> None:
        """The password was wrong, or there is no such account."""
        address = _network(address)
        self._good.pop((address, account), None)
        for records, key in ((self._addresses, address), (self._accounts, account)):
            record = records.pop(key, None) or _Record(at=now)
            record.failures = record.fade(now) + 1.0
            records[key] = record  # at the end: the oldest is forgotten first
            if len(records) > REMEMBERED:
                del records[next(iter(records))]

    def succeeded(self, address: str, account: str) -> None:
        """The address is good for the account, and will not wait until it fails again."""
        pair = (_network(address), account)
        if pair not in self._good:
            self._good[pair] = None
            if len(self._good) > REMEMBERED:
                del self._good[next(iter(self._good))]

    def __len__(self) -> int:
        return len(self._addresses) + len(self._accounts) + len(self._good)


def _delay_s(failures: float) -> float:
    above = round(failures) - FREE
    return min(CEILING_S, FIRST_S * 2.0 ** min(above, _DOUBLINGS)) if above >= 0 else 0.0


def _network(address: str) -> str:
    """Who counts as one address: in IPv6 a /64, since a host has all of it to choose from."""
    if ":" not in address:
        return address
    try:
        octets = ip_address(address.partition("%")[0]).packed
    except ValueError:
        return address
    return octets[12:].hex() if octets.startswith(bytes(10) + b"\xff\xff") else octets[:8].hex()
