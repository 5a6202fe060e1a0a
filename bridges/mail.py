"""Copies of received messages on their way to people's e-mail: each is one mail.

*In*: deliveries of the mailboxes "mail:ACCOUNT", whose bodies are finished mails.
*Out*: `DeliveryOutcome`s to `Mailboxes`, done only when the mail server said that it has the mail.
*Never*: a mail lost while the server is down: it waits on disk, in its mailbox.

One connection serves all accounts, one mail at a time; it is kept as long as there is work. A mail
that the server does not take now comes again by itself; one that it will never take is set aside
with the server's words. While the server itself is in trouble nothing is offered to it: it is
dialled after longer and longer pauses, and mails have nothing to do with that.
A connection that ends in the middle leaves a doubt: the mail is sent again, with its Message-ID.
"""

import math
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final, assert_never

import attrs
import trio
from structlog.typing import FilteringBoundLogger

from bridges.backoff import Backoff
from bridges.smtp_connection import Later, Never, SmtpConnection, Taken, Trouble, Verdict
from smsc.attendance import Attendance
from smsc.config_mail import MailConfig
from smsc.message import Delivery, Mailbox
from smsc.ports import Again, DeliveryOutcome, Done, Mailboxes, SetAside

MAILTO: Final = "mailto:"
_NO_SECTION: Final = "the configuration has no section [mail]"
_PER_ACCOUNT: Final = 5
"""Mails of one account that wait in memory: so no account keeps others waiting for long."""
_IDLE_S: Final = 20.0
"""How long a connection without work is kept; servers end it after minutes."""
_MAX_DELAY_S: Final = 900.0


@attrs.define(slots=True, eq=False)
class _Account:
    """The receiver of one account's mailbox."""

    _mail: "Mail"
    mailbox: Mailbox
    in_flight: int = 0
    last_failure: str = ""

    def room(self) -> int:
        """How many more mails may wait in memory; 0 while there is no server for them."""
        return max(0, _PER_ACCOUNT - self.in_flight) if self._mail.is_up else 0

    def deliver(self, batch: Sequence[Delivery]) -> None:
        """Let them wait for their turn."""
        self.in_flight += len(batch)
        self._mail.enqueue(self, batch)


class Mail:
    """Mails of all accounts; `open` a mailbox and its deliveries leave while `run` runs.

    :param settings: the mail server of today; None = there is none.
    :param first_delay_s: when a mail that was not taken comes again; doubled each time.
    """

    prefix = "mail:"

    def __init__(
        self,
        mailboxes: Mailboxes,
        settings: Callable[[], MailConfig | None],
        log: FilteringBoundLogger,
        *,
        seed: int | None = None,
        first_pause_s: float = 1.0,
        first_delay_s: float = 30.0,
        idle_s: float = _IDLE_S,
    ) -> None:
        self._mailboxes = mailboxes
        self._settings = settings
        self._log = log
        self._backoff = Backoff(random.Random(seed), first_pause_s, 60.0)
        self._first_delay_s = first_delay_s
        self._idle_s = idle_s
        self._accounts = Attendance(mailboxes, lambda mailbox: _Account(self, mailbox))
        self._waiting: deque[tuple[_Account, Delivery]] = deque()
        self._connection: SmtpConnection | None = None
        self._came = trio.Event()
        self._hurry = trio.Event()
        self._is_down = False
        self._is_told = False
        self._why = ""

    # --- the bridge, as the callback desk sees it ------------------------------------------------

    def open(self, mailbox: Mailbox) -> None:
        """Take deliveries of this account from now on; again is harmless."""
        self._accounts.open(mailbox)

    async def run(self) -> None:
        """Live until cancelled; what the server did not take by then is sent after the next start."""
        with self._accounts.attached():
            try:
                while True:
                    await self._work()
                    await self._rest()
            finally:
                self._waiting.clear()
                self._cut()
                for account in self._accounts.receivers.values():
                    account.in_flight = 0

    def statistics(self) -> Mapping[str, Mapping[str, object]]:
        """By mailbox: what is under way; what is wrong with the server, or was with the last mail."""
        why = self._why if self._is_down else "" if self._settings() else _NO_SECTION
        return {
            str(mailbox): {
                "in_flight": account.in_flight,
                "last_failure": why or account.last_failure,
            }
            for mailbox, account in self._accounts.receivers.items()
        }

    def forgive(self, _mailbox: Mailbox) -> None:
        """Dial the server now."""
        self._hurry.set()

    # --- for accounts ----------------------------------------------------------------------------

    @property
    def is_up(self) -> bool:
        """Is there a server that takes mails, as far as we know?"""
        return not self._is_down and self._settings() is not None

    def enqueue(self, account: _Account, batch: Sequence[Delivery]) -> None:
        """These wait now."""
        self._waiting += [(account, delivery) for delivery in batch]
        self._came.set()

    # --- the loop --------------------------------------------------------------------------------

    async def _work(self) -> None:
        """Send what comes, until the server is in trouble; then give back what waits."""
        while True:
            if not self._waiting:
                await self._wait_for_mail()
            account, delivery = self._waiting[0]
            verdict = await self._sent(delivery)
            if isinstance(verdict, Trouble):
                self._fail(verdict)
                return
            self._waiting.popleft()
            self._answer(account, self._outcome(account, delivery, verdict))

    async def _wait_for_mail(self) -> None:
        self._came = trio.Event()
        with trio.move_on_after(math.inf if self._connection is None else self._idle_s):
            await self._came.wait()
            return
        self._recover()
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.hang_up()
        if not self._waiting:
            await self._came.wait()

    async def _sent(self, delivery: Delivery) -> Verdict | None:
        """What became of a mail; None if it is none that could be sent, or a bug met it."""
        url = delivery.callback_url or ""
        if not url.startswith(MAILTO):
            return None
        try:
            return await self._send(url.removeprefix(MAILTO), delivery.body)
        except Exception:  # noqa: BLE001 a bug in one mail must not end the others
            self._log.exception("mail.broke", delivery=delivery.id, account=delivery.account)
            self._cut()
            return None

    async def _send(self, to: str, mail: bytes) -> Verdict:
        config = self._settings()
        if config is None:
            return Trouble(_NO_SECTION)
        kept = self._connection
        if kept is not None and kept.config == config:
            verdict = await kept.send(to, mail)
            if not isinstance(verdict, Trouble):
                return verdict
        # A kept connection may have ended while it was idle: that alone says nothing of the server.
        trouble = await self._dial(config)
        if trouble is not None:
            return trouble
        assert self._connection is not None
        verdict = await self._connection.send(to, mail)
        if isinstance(verdict, Trouble):
            self._cut()
        return verdict

    async def _rest(self) -> None:
        """Leave the server alone for a while, until it can be dialled."""
        while True:
            self._hurry = trio.Event()
            with trio.move_on_after(self._backoff.next_s()):
                await self._hurry.wait()
            config = self._settings()
            trouble = None if config is None else await self._dial(config)
            if trouble is None:
                break
            self._why = trouble.why
        self._is_down = False
        for mailbox in list(self._accounts.receivers):
            self._mailboxes.delivered(mailbox, [])  # there is room now

    # --- helpers ---------------------------------------------------------------------------------

    async def _dial(self, config: MailConfig) -> Trouble | None:
        self._cut()
        connection = self._connection = SmtpConnection(config)
        trouble = await connection.dial()
        if trouble is not None:
            self._connection = None
        return trouble

    def _cut(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.cut()

    def _outcome(
        self, account: _Account, delivery: Delivery, verdict: Taken | Later | Never | None
    ) -> DeliveryOutcome:
        if verdict is not None:
            self._recover()
        match verdict:
            case Taken():
                account.last_failure = ""
                self._log.info("mail.sent", delivery=delivery.id, account=delivery.account)
                return Done(delivery.id)
            case Later(why):
                account.last_failure = why
                self._log.info(
                    "mail.deferred", delivery=delivery.id, account=delivery.account, why=why
                )
                return Again(delivery.id, self._delay_s(delivery), why)
            case Never(why):
                account.last_failure = why
                return SetAside(delivery.id, why)
            case None:
                return SetAside(delivery.id, "it is no mail that could be sent")
            case _:
                assert_never(verdict)

    def _delay_s(self, delivery: Delivery) -> float:
        return float(min(_MAX_DELAY_S, self._first_delay_s * 2 ** min(delivery.attempt, 16)))

    def _answer(self, account: _Account, outcome: DeliveryOutcome) -> None:
        account.in_flight -= 1
        self._mailboxes.delivered(account.mailbox, [outcome])

    def _fail(self, trouble: Trouble) -> None:
        """The server cannot be worked with: what waits goes back to where it is on disk."""
        self._is_down, self._why = True, trouble.why
        if not self._is_told:
            self._is_told = True
            config = self._settings()
            host = "" if config is None else f"{config.host}:{config.port}"
            self._log.warning("mail.down", host=host, why=trouble.why)
        waiting, self._waiting = self._waiting, deque()
        # If it is the first mail that the server cannot bear, the others pass it.
        delay_s = self._delay_s(waiting[0][1]) if trouble.is_cut else 0.0
        for account, delivery in waiting:
            self._answer(account, Again(delivery.id, delay_s, trouble.why))
            delay_s = 0.0

    def _recover(self) -> None:
        """The server works."""
        self._backoff.succeeded()
        if self._is_told:
            self._is_told = False
            self._log.info("mail.up")
