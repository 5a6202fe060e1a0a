"""op=pv: a text to numbers, @users and #groups; what is asked, and how each row is answered.

*In*: `Parameters`, the account's `Profile`, members of its groups; admissions.
*Out*: `Wish` with drafts and names; rows. *Never*: I/O, a clock.

Numbers come first in the answer, then users; each once. A row says OK with the id of the message,
or ERR with 103 (credit) or 200 (everything else).
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

import attrs

from bridges.http.dialects.base import Content, Invalid, ReadNumber, hex_content, to_body
from bridges.http.dialects.numbers import NumberReader
from bridges.http.dialects.playsms import dates
from bridges.http.dialects.playsms.codes import Fault
from bridges.http.dialects.playsms.config import PlaysmsConfig
from bridges.http.dialects.playsms.formats import SEND_FAILED, Answer, Row, send_row
from bridges.http.dialects.playsms.parameters import Parameters
from bridges.http.dialects.texts import content_of, flashed
from pdu.status import Vendor
from pdu.text.coding import encode_text
from smsc.message import NEW_BATCH, AccountId, Draft
from smsc.ports import Admission, Admitted, Contact, Profile

SOURCE: Final = "playsms"
_UCS2: Final = 8
_NUMBER: Final = re.compile(r"\+?[0-9][0-9 ()./\-]*", re.ASCII)
_SEPARATORS: Final = re.compile(r"[ ()./\-]")

Members = Callable[[str], Sequence[Contact] | None]
"""The contacts of a group by its code; None if the account has no such group."""


@attrs.define(slots=True)
class Wish:
    """What a pv asks for."""

    numbers: dict[str, Draft | None]
    """By the number as the answer repeats it; None: nothing can be sent there."""
    users: list[str]
    """Names of accounts, without "@"."""
    text: str = attrs.field(repr=False)
    is_now: bool
    """False: it is scheduled."""

    def wanted(self) -> list[Draft]:
        """What goes to intake."""
        return [draft for draft in self.numbers.values() if draft is not None]


def parse_send(
    asked: Parameters,
    profile: Profile,
    sender: str,
    members: Members,
    reading: "Reading",
    now_ms: int,
    read: ReadNumber = str,
) -> Wish | Fault:
    """The messages of a request; a fault if nobody can get them.

    :param sender: what is sent as: `from`, or the account's own.
    """
    text = full_text(asked, profile)
    content = _content(text, asked, reading.config)
    if isinstance(content, Invalid):
        return Fault(SEND_FAILED, content.why)
    due_ms = dates.due_ms(asked.get("schedule"), dates.zone(profile.time_zone), now_ms)
    if due_ms is None:
        why = "schedule: expected YYYY-MM-DD hh:mm:ss, at most a year ahead"
        return Fault(SEND_FAILED, why)
    found = _receivers(asked.get("to"), profile, members, reading)
    if found is None:
        return Fault(SEND_FAILED, f"to: more than {reading.config.max_receivers} receivers")
    numbers, users = found
    if not numbers and not users:
        return Fault(201, "to: nobody is left besides the sender")
    drafts: dict[str, Draft | None] = {}
    for shown, address in numbers.items():
        body = to_body(sender, address, content, read=read) if address else None
        drafts[shown] = _draft(profile.account, body, due_ms) if isinstance(body, bytes) else None
    return Wish(drafts, users, text, is_now=not due_ms)


@attrs.define(slots=True)
class Reading:
    """How numbers are read: built once from the settings."""

    config: PlaysmsConfig
    numbers: NumberReader

    @classmethod
    def of(cls, config: PlaysmsConfig) -> "Reading":
        """Load the number plans."""
        return cls(config, NumberReader(config.region))

    def address(self, written: str, profile: Profile) -> str:
        """A number to send to, "" if it is none; what a leading 0 means, the account says first."""
        number = local_number(written, profile)
        if self.config.region and number:
            return self.numbers.address(number) or ""
        return number


def full_text(asked: Parameters, profile: Profile) -> str:
    """The text with its footer: that of the request, else that of the account, or none."""
    text = asked.get("msg").replace("\r\n", "\n")
    footer = asked.get("footer") or profile.footer.strip()
    is_without = asked.get("nofooter") not in {"", "0"}
    return text if is_without or not footer else f"{text} {footer}"


def local_number(written: str, profile: Profile) -> str:
    """A number without its separators, "" if it is none; a leading 0 becomes `replace_zero`.

    Of numbers with at most `local_length` digits it stays: they are local.
    """
    if not _NUMBER.fullmatch(written):
        return ""
    number = _SEPARATORS.sub("", written)
    if number.startswith("00"):
        return "+" + number[2:] if number[2:] else ""
    is_national = number.startswith("0") and len(number) > profile.local_length
    return profile.replace_zero + number[1:] if is_national and profile.replace_zero else number


def sent_rows(wish: Wish, admissions: Sequence[Admission], written: Sequence[bool]) -> Answer:
    """The answer: `admissions` answer `wish.wanted()`, `written` says which users have it."""
    # A batch is called by the id of the first message that was admitted with it.
    batch = next((one.id for one in admissions if isinstance(one, Admitted)), None)
    queue = "" if batch is None else queue_code(batch)
    answers = iter(admissions)
    rows: list[Row] = []
    for number, draft in wish.numbers.items():
        admission = next(answers) if draft is not None else None
        if isinstance(admission, Admitted):
            rows.append(send_row("OK", 0, str(admission.id), queue, number))
        else:
            is_credit = admission is not None and admission.status == Vendor.SMSC_NO_CREDIT
            rows.append(send_row("ERR", 103 if is_credit else SEND_FAILED, to=number))
    for user, is_written in zip(wish.users, written, strict=True):
        row = send_row("OK") if is_written else send_row("ERR", SEND_FAILED)
        rows.append({**row, "to": f"@{user}"})
    return {"data": rows}


def queue_code(batch: int) -> str:
    """What playSMS calls a queue: 32 hexadecimal digits; here they hold the id of the batch."""
    return f"{batch:032x}"


def batch_of(queue: str) -> int | None:
    """The batch of a queue; None for what was never one of ours."""
    is_ours = re.fullmatch(r"0{16}[0-7][0-9a-f]{15}", queue.lower()) is not None
    return (int(queue, 16) or None) if is_ours else None


def _draft(account: AccountId, body: bytes, due_ms: int) -> Draft:
    return Draft(account=account, source=SOURCE, body=body, due_ms=due_ms, batch=NEW_BATCH)


def _content(text: str, asked: Parameters, config: PlaysmsConfig) -> Content | Invalid:
    content = content_of(text, max_parts=config.max_parts)
    if isinstance(content, Content) and asked.get("unicode") == "1":
        octets = encode_text(text, _UCS2)
        assert octets is not None, "UCS-2 has every character"
        content = hex_content(octets.hex(), _UCS2, udh=False)
        if isinstance(content, Content) and content.parts > config.max_parts:
            why = f"with unicode=1 it makes more than {config.max_parts} parts; shorten it"
            return Invalid("msg", text, why)
    if isinstance(content, Content) and asked.lower("type") == "flash":
        return flashed(content)
    return content


def _receivers(
    to: str, profile: Profile, members: Members, reading: Reading
) -> tuple[dict[str, str], list[str]] | None:
    """Addresses ("" for what is none) by how they are shown, and users; None: they are too many."""
    numbers: dict[str, str] = {}
    users: dict[str, None] = {}
    for word in (one.strip() for one in to.split(",")):
        if word.startswith("@"):
            if word[1:] != profile.account:
                users[word[1:]] = None
            written = []
        elif word.startswith("#"):
            written = [one.number for one in members(word[1:]) or ()] or [word]
        else:
            written = [word] if word else []
        for one in written:
            address = reading.address(one, profile)
            numbers[address or one] = address
        if len(numbers) + len(users) > reading.config.max_receivers:
            return None
    return numbers, list(users)
