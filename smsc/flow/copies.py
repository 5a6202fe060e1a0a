"""What a received message looks like when it is sent on: as a mail, and as an SMS.

*In*: the message, the profile of its account. *Out*: finished octets, or why there can be none.
*Never*: I/O, a clock; anything of a stranger's message in a header but one printable line.
"""

from datetime import UTC, datetime, tzinfo
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pdu.address import destination_fault, guess_destination, guess_source, source_fault
from pdu.codec import encode_body
from pdu.compose import compose
from pdu.message_pdus import SubmitSm
from pdu.text.coding import choose
from smsc.config_mail import MailConfig
from smsc.message import MessageId
from smsc.ports import Profile, Received

_PLAIN: Final = SMTP.clone(cte_type="7bit")
"""No octet above 0x7F: there are servers that take no other."""
_MAX_PARTS: Final = 255


def mail_of(received: Received, profile: Profile, mail: MailConfig, id_: MessageId) -> bytes:
    """A mail (RFC 5322) to the account's address; `id_` makes a repeated one recognisable."""
    message = EmailMessage(policy=_PLAIN)
    message["From"] = mail.sender
    message["To"] = profile.email
    message["Subject"] = f"SMS from {_line(received.source)} to {_line(received.destination)}"
    message["Date"] = datetime.fromtimestamp(received.received_ms / 1000, _zone(profile.time_zone))
    message["Message-ID"] = f"<{id_}@{mail.domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday answers it
    message.set_content(received.text.encode(errors="replace").decode())
    return message.as_bytes()


def sms_of(received: Received, profile: Profile) -> bytes | str:
    """A submit_sm body to the account's mobile; a sentence if there can be none."""
    to, from_ = guess_destination(profile.mobile), guess_source(profile.sender)
    if destination_fault(*to) is not None:
        return "mobile is no number"
    if source_fault(*from_) is not None:
        return "sender cannot send messages"
    choice = choose(f"{received.source}: {received.text}")
    if choice.parts > _MAX_PARTS:
        return "the text is too long for a message"
    submit_sm = compose(SubmitSm, from_, to, choice.data, data_coding=choice.data_coding)
    return encode_body(submit_sm)


def is_own_number(received: Received, profile: Profile) -> bool:
    """Does it come from the account's mobile, or go there? A copy to it would come again."""
    own = guess_destination(profile.mobile).addr.removeprefix("+")
    return own in {received.source.removeprefix("+"), received.destination.removeprefix("+")}


def _line(text: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in text)


def _zone(name: str) -> tzinfo:
    """That of the profile; UTC if this system does not know it any more."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC
