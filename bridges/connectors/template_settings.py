"""`[outlets.NAME]` with `kind = "template"`: a service described in the configuration file.

*In*: the configuration file. *Out*: a frozen value with every text and place parsed.
*Never*: behaviour; `services/template.py` has it.
"""

from collections.abc import Mapping
from typing import Final, Literal

import attrs

from bridges.connectors.service import ERROR_CLASSES, ErrorClass
from bridges.connectors.settings import ConnectorConfig, check_url
from bridges.connectors.template_find import Finder, compile_re2, parse_finder
from bridges.connectors.template_text import (
    Fields,
    Text,
    Tree,
    parse_fields,
    parse_text,
    parse_tree,
)
from smsc.config_errors import Secret, SettingError, found
from smsc.config_fields import about
from smsc.message import State

STATES: Final[Mapping[str, State]] = {
    "queued": State.ENROUTE,
    "enroute": State.ENROUTE,
    "delivered": State.DELIVERED,
    "accepted": State.ACCEPTED,
    "expired": State.EXPIRED,
    "deleted": State.DELETED,
    "undeliverable": State.UNDELIVERABLE,
    "rejected": State.REJECTED,
    "unknown": State.UNKNOWN,
}


def parse_states(value: object) -> Mapping[str, State]:
    """Read { DELIVRD = "delivered" }: words of the service to states."""
    if not isinstance(value, dict):
        raise SettingError(f"expected a table of states, found {found(value)}")
    for name, state in value.items():
        if not isinstance(state, str) or state not in STATES:
            raise SettingError(f"{name}: expected one of {', '.join(STATES)}, found {found(state)}")
    return {name: STATES[state] for name, state in value.items()}


def parse_errors(value: object) -> Mapping[str, ErrorClass]:
    """Read { "105" = "permanent" }: codes of the service to what they mean."""
    if not isinstance(value, dict):
        raise SettingError(f"expected a table of classes, found {found(value)}")
    for code, class_ in value.items():
        if class_ not in ERROR_CLASSES:
            raise SettingError(
                f"{code}: expected one of {', '.join(ERROR_CLASSES)}, found {found(class_)}"
            )
    return dict(value)


def parse_statuses(value: object) -> frozenset[int]:
    """Read [200, 202]."""
    if not isinstance(value, list) or not all(
        isinstance(one, int) and 100 <= one <= 599 for one in value
    ):
        raise SettingError(f"expected a list of HTTP statuses, found {found(value)}")
    return frozenset(value)


class Pattern:
    """A compiled pattern; equal by how it was written."""

    def __init__(self, written: str = "") -> None:
        self.written = written
        self._compiled = compile_re2(written) if written else None

    def __bool__(self) -> bool:
        return self._compiled is not None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and other.written == self.written

    def __hash__(self) -> int:
        return hash(self.written)

    def __repr__(self) -> str:
        return repr(self.written)

    def is_in(self, text: str) -> bool:
        """Is a match in the text?"""
        return self._compiled is not None and self._compiled.search(text) is not None


def parse_pattern(value: object) -> Pattern:
    """Read a pattern of RE2."""
    if not isinstance(value, str):
        raise SettingError(f"expected a pattern, found {found(value)}")
    return Pattern(value)


def _url(value: object) -> Text:
    return parse_text(value, "url")


def _beside_url(value: object) -> Text:
    return parse_text(value, "url", with_message=False)


_NO_TEXT: Final = parse_text("", "none")
_WHOLE: Final = parse_finder("text")
_FIND: Final = "where it stands: json:/…, regex:…, header:…, xml:…, query:…, form:…, text or status"


@attrs.frozen(kw_only=True)
class Success:
    """`[outlets.NAME.success]`: which answers say that the message was taken."""

    status: frozenset[int] = attrs.field(
        default=frozenset(),
        metadata=about("HTTP statuses of success; by default all 2xx", parse=parse_statuses),
    )
    where: Finder = attrs.field(
        default=_WHOLE, metadata=about(f"what the pattern is for: {_FIND}", parse=parse_finder)
    )
    pattern: Pattern = attrs.field(
        factory=Pattern, metadata=about("what must stand there, RE2", parse=parse_pattern)
    )


@attrs.frozen(kw_only=True)
class Answer:
    """`[outlets.NAME.answer]`: what else an answer tells."""

    id: Finder | None = attrs.field(
        default=None,
        metadata=about(f"the service's id of the message, {_FIND}", parse=parse_finder),
    )
    error: Finder | None = attrs.field(
        default=None, metadata=about(f"the code of an error, {_FIND}", parse=parse_finder)
    )
    why: Finder | None = attrs.field(
        default=None, metadata=about(f"its description, {_FIND}", parse=parse_finder)
    )


@attrs.frozen(kw_only=True)
class Receipt:
    """`[outlets.NAME.receipt]`: what a call to `receipts_path` tells."""

    id: Finder | None = attrs.field(
        default=None,
        metadata=about(f"id as in the answer, or our reference, {_FIND}", parse=parse_finder),
    )
    status: Finder | None = attrs.field(
        default=None, metadata=about(f"the status, {_FIND}", parse=parse_finder)
    )
    error: Finder | None = attrs.field(
        default=None, metadata=about(f"the network's error, a number, {_FIND}", parse=parse_finder)
    )
    states: Mapping[str, State] = attrs.field(
        factory=dict, metadata=about("what each status means", parse=parse_states)
    )
    reply: str = attrs.field(default="", metadata=about("the body that the service waits for"))
    reply_type: str = attrs.field(default="text/plain", metadata=about("its media type"))


@attrs.frozen(kw_only=True)
class Incoming:
    """`[outlets.NAME.mo]`: what a call to `receipts_path` with a handset's message tells."""

    sender: Finder | None = attrs.field(
        default=None, metadata=about(f"its sender, {_FIND}", parse=parse_finder)
    )
    to: Finder | None = attrs.field(
        default=None, metadata=about(f"our number, {_FIND}", parse=parse_finder)
    )
    text: Finder | None = attrs.field(
        default=None, metadata=about(f"what it says, {_FIND}", parse=parse_finder)
    )
    reply: str = attrs.field(default="", metadata=about("the body that the service waits for"))


@attrs.frozen(kw_only=True)
class Poll:
    """`[outlets.NAME.poll]`: how the service is asked what became of a message."""

    url: Text = attrs.field(
        default=_NO_TEXT, metadata=about("URL to GET, with {upstream_id}", parse=_beside_url)
    )
    status: Finder | None = attrs.field(
        default=None, metadata=about(f"the status, {_FIND}", parse=parse_finder)
    )
    error: Finder | None = attrs.field(
        default=None, metadata=about(f"the network's error, a number, {_FIND}", parse=parse_finder)
    )
    states: Mapping[str, State] = attrs.field(
        factory=dict,
        metadata=about("what each status means; by default as in receipts", parse=parse_states),
    )


@attrs.frozen(kw_only=True)
class Balance:
    """`[outlets.NAME.balance]`: how the balance is asked for."""

    url: Text = attrs.field(default=_NO_TEXT, metadata=about("URL to GET", parse=_beside_url))
    amount: Finder | None = attrs.field(
        default=None, metadata=about(f"the amount, {_FIND}", parse=parse_finder)
    )


@attrs.frozen(kw_only=True)
class TemplateConfig(ConnectorConfig):
    """See the module."""

    url: Text = attrs.field(metadata=about("where messages go; may hold placeholders", parse=_url))
    method: Literal["GET", "POST", "PUT"] = attrs.field(
        default="POST", metadata=about("method of the request")
    )
    username: str = attrs.field(default="", metadata=about("what {username} stands for"))
    password: Secret = attrs.field(default=Secret(""), metadata=about("what {password} stands for"))
    account: str = attrs.field(default="", metadata=about("what {account} stands for"))
    headers: Fields = attrs.field(
        factory=Fields, metadata=about("headers of every request", parse=parse_fields)
    )
    query: Fields = attrs.field(
        factory=Fields, metadata=about("parameters behind the URL", parse=parse_fields)
    )
    form: Fields | None = attrs.field(
        default=None, metadata=about("the body: form fields", parse=parse_fields)
    )
    json: Tree | None = attrs.field(
        default=None, metadata=about("the body: a table as JSON", parse=parse_tree)
    )
    xml: Text | None = attrs.field(
        default=None,
        metadata=about("the body: XML as text", parse=lambda value: parse_text(value, "xml")),
    )
    text: Text | None = attrs.field(
        default=None,
        metadata=about("the body: any text", parse=lambda value: parse_text(value, "none")),
    )
    number_format: Literal["E164", "+E164", "00E164", "national"] = attrs.field(
        default="E164", metadata=about("how {to} is written: 4179…, +4179…, 004179… or 079…")
    )
    country: str = attrs.field(
        default="", metadata=about('country code that "national" numbers are written without')
    )
    yes: str = attrs.field(default="1", metadata=about("what {flash} and {unicode} say for yes"))
    no: str = attrs.field(default="0", metadata=about("what they say for no"))
    long_text: Literal["joined", "parts"] = attrs.field(
        default="joined",
        metadata=about("whether the service parts long texts, or gets parts with {udh_hex}"),
    )
    octets: bool = attrs.field(
        default=False, metadata=about("whether it takes content that is no text, as {data_hex}")
    )
    errors: Mapping[str, ErrorClass] = attrs.field(
        factory=dict, metadata=about("what each error code means", parse=parse_errors)
    )
    other_errors: Literal["retryable", "throttled", "permanent", "configuration"] = attrs.field(
        default="retryable", metadata=about("what codes mean that are not in errors")
    )
    success: Success = attrs.field(factory=Success, metadata=about("what success looks like"))
    answer: Answer = attrs.field(factory=Answer, metadata=about("what an answer tells"))
    receipt: Receipt = attrs.field(factory=Receipt, metadata=about("what receipts look like"))
    mo: Incoming = attrs.field(factory=Incoming, metadata=about("what messages look like"))
    poll: Poll = attrs.field(factory=Poll, metadata=about("how to ask for the end of a message"))
    balance: Balance = attrs.field(factory=Balance, metadata=about("how to ask for the balance"))

    def __attrs_post_init__(self) -> None:
        """Refuse settings that do not go together."""
        super().__attrs_post_init__()
        check_url(self.url.written)
        bodies = [name for name in ("form", "json", "xml", "text") if getattr(self, name)]
        if len(bodies) > 1:
            raise ValueError(f"expected one body, found {' and '.join(bodies)}")
        if bodies and self.method == "GET":
            raise ValueError(f"{bodies[0]}: a GET has no body; use query, or another method")
        if self.number_format == "national" and not self.country:
            raise ValueError('number_format "national" needs country, such as "41"')
        self._check_ends()

    def _check_ends(self) -> None:
        if self.receipts_path.value:
            receipt, mo = self.receipt, self.mo
            if (receipt.id is None or receipt.status is None) and mo.to is None:
                raise ValueError("receipts_path needs receipt.id and receipt.status, or mo.to")
            if receipt.status is not None and not receipt.states:
                raise ValueError("receipt.status needs receipt.states, which say what it means")
        if self.poll_s and not (self.poll.url.written and self.poll.status):
            raise ValueError("poll_s needs poll.url and poll.status")
        if self.poll_s and not (self.poll.states or self.receipt.states):
            raise ValueError("poll_s needs poll.states, which say what a status means")
        if self.balance_s and not (self.balance.url.written and self.balance.amount):
            raise ValueError("balance_s needs balance.url and balance.amount")
