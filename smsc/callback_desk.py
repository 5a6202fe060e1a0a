"""What people see and do about callbacks and copies: how they do, what was given up on, try again.

*In*: the mailboxes, and the bridges that take from those of callbacks.
*Out*: rows for health and `smsc callbacks list`; `smsc callbacks retry`.
*Never*: an attempt; a path or a query string of a URL, which are the client's secrets.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Protocol

from smsc.flow.mailboxes import Mailboxes
from smsc.message import Mailbox


class CallbackBridge(Protocol):
    """What is asked of the bridges that take deliveries of `callback:`, `queue:`, `mail:` and `mobile:`."""

    def open(self, mailbox: Mailbox) -> None:
        """Take deliveries of this mailbox from now on; again is harmless."""

    async def run(self) -> None:
        """Live until cancelled."""

    def statistics(self) -> Mapping[str, Mapping[str, object]]:
        """How each host or queue does, by mailbox."""

    def forgive(self, mailbox: Mailbox) -> None:
        """Try this one now, whatever happened before."""


class CallbackDesk:
    """See the module.

    :param bridges: by the beginning of their mailboxes' names, such as "callback:".
    """

    def __init__(self, mailboxes: Mailboxes, bridges: Mapping[str, CallbackBridge]) -> None:
        self._mailboxes = mailboxes
        self.bridges = bridges

    def attend(self, mailbox: Mailbox) -> None:
        """Deliveries wait in this mailbox and nobody takes them: a bridge may have to."""
        bridge = self._bridge(mailbox)
        if bridge is not None:
            bridge.open(mailbox)

    def report(self) -> Mapping[str, Mapping[str, object]]:
        """By mailbox: how its host does, and how many deliveries were given up on."""
        rows: dict[str, dict[str, object]] = {}
        for bridge in self.bridges.values():
            rows |= {mailbox: dict(row) for mailbox, row in bridge.statistics().items()}
        for mailbox, count in self._mailboxes.asides.counts().items():
            rows.setdefault(str(mailbox), {})["set_aside"] = count
        return rows

    def trouble(self, limit: int = 100) -> Mapping[str, object]:
        """What health tells: how many mailboxes are attended to, and those where something is wrong."""
        rows = self.report()
        wrong = {
            mailbox: row
            for mailbox, row in rows.items()
            if row.get("last_failure") or row.get("set_aside")
        }
        first = dict(islice(sorted(wrong.items()), limit))
        return {"mailboxes": len(rows), "in_trouble": len(wrong), "first": first}

    def retry(self, host: str = "") -> int:
        """Try again what was set aside for a host, "" = for all; how many deliveries that will be.

        `host` may be written as host, host:port, URL or mailbox. A host that was left alone for
        its failures is asked at once, and what waits for another try goes, too.
        """
        named = [Mailbox(one) for one in sorted(self.report()) if host in {"", *_names_of(one)}]
        for mailbox in named:
            bridge = self._bridge(mailbox)
            if bridge is not None:
                bridge.forgive(mailbox)
            self._mailboxes.hurry(mailbox)
        return self._mailboxes.asides.ask_back(named)

    def _bridge(self, mailbox: str) -> CallbackBridge | None:
        for prefix, bridge in self.bridges.items():
            if mailbox.startswith(prefix):
                return bridge
        return None


def _names_of(mailbox: str) -> Iterable[str]:
    """How people may write the host of a mailbox "callback:scheme://host:port"."""
    address = mailbox.partition(":")[2]
    netloc = address.rpartition("//")[2]
    host = netloc.rpartition(":")[0] if netloc.rpartition(":")[2].isdecimal() else netloc
    return mailbox, address, netloc, host.strip("[]"), host
