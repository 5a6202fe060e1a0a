"""Messages that come to an account's inbox: kept there, sent on by e-mail, sent on as an SMS.

*In*: a message, the batch of whoever brings it, the profile of its account.
*Out*: what the profile says, in that batch: the message in the inbox, copies parked for their
senders (`bridges/mail.py`, `sms_copies`). *Never*: I/O, a clock; a message that neither inbox nor
copy has: where no copy can be made it is kept, whatever the profile says.

Station of the flow: inbound | another account → **forwarding** → inbox, mailboxes.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from smsc.config_mail import MailConfig, is_address
from smsc.flow.copies import is_own_number, mail_of, sms_of
from smsc.message import AccountId, Delivery, Mailbox, MessageId
from smsc.ports import Batch, Profile, Received
from smsc.store.ids import IdAllocator

MAIL: Final = "mail:"
MOBILE: Final = "mobile:"
"""How mailboxes of copies begin; the account's name follows."""
MAILTO: Final = "mailto:"
KEEP_MS: Final = 7 * 24 * 3600 * 1000
"""How long a copy waits for a mail server, or for a way out."""


class Forwarding:
    """See the module.

    :param keep: puts a message into an inbox.
    :param profile_of: what is known of an account; None if there is none of that name.
    :ivar mail: the mail server; None = nothing can be sent by e-mail.
    """

    def __init__(
        self,
        keep: Callable[[Batch, Received], None],
        profile_of: Callable[[AccountId], Profile | None],
        ids: IdAllocator,
        log: Any,
        mail: MailConfig | None = None,
    ) -> None:
        self.mail = mail
        self._keep = keep
        self._profile_of = profile_of
        self._ids = ids
        self._log = log
        self._told: set[tuple[AccountId, str]] = set()

    def take_in(self, batch: Batch, received: Received) -> Sequence[Delivery]:
        """The one door: the copies that were parked, to be offered once the batch is on disk."""
        profile = self._profile_of(received.account)  # None of the sandbox, which is nobody's
        copies = [] if profile is None else self._copies(received, profile)
        for copy in copies:
            batch.park(copy)
        if profile is None or profile.forward_to_inbox or not copies:
            self._keep(batch, received)
        return copies

    def _copies(self, received: Received, profile: Profile) -> list[Delivery]:
        made: list[Delivery | str] = []
        if profile.forward_to_email:
            made.append(self._mail(received, profile))
        if profile.forward_to_mobile:
            made.append(self._sms(received, profile))
        if not made and not profile.forward_to_inbox:
            made.append("all of forward_to_inbox, forward_to_email, forward_to_mobile are off")
        for why in made:
            if isinstance(why, str) and (received.account, why) not in self._told:
                self._told.add((received.account, why))
                self._log.warning("forward.not_possible", account=received.account, why=why)
        return [one for one in made if isinstance(one, Delivery)]

    def _mail(self, received: Received, profile: Profile) -> Delivery | str:
        if self.mail is None:
            return "forward_to_email: the configuration has no section [mail]"
        if not profile.email:
            return "forward_to_email: the account has no email"
        if not is_address(profile.email):
            return "forward_to_email: email is no plain address such as shop@example.org"
        id_ = self._id(received)
        body = mail_of(received, profile, self.mail, id_)
        return _parked(received, id_, MAIL, body, MAILTO + profile.email)

    def _sms(self, received: Received, profile: Profile) -> Delivery | str:
        if not profile.mobile:
            return "forward_to_mobile: the account has no mobile"
        if is_own_number(received, profile):
            return "forward_to_mobile: messages from or to mobile itself are not copied to it"
        body = sms_of(received, profile)
        if isinstance(body, str):
            return f"forward_to_mobile: {body}"
        return _parked(received, self._id(received), MOBILE, body, None)

    def _id(self, received: Received) -> MessageId:
        return MessageId(self._ids.take(1, received.received_ms)[0])


def _parked(
    received: Received, id_: MessageId, prefix: str, body: bytes, url: str | None
) -> Delivery:
    return Delivery(
        id=id_,
        mailbox=Mailbox(prefix + received.account),
        account=received.account,
        kind="mo",
        created_ms=received.received_ms,
        expires_ms=received.received_ms + KEEP_MS,
        body=body,
        callback_url=url,
    )
