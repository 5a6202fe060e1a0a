"""What a rule does to a message besides choosing outlets.

*In*: `[routes.do]` as an operator writes it. *Out*: `Actions`, what is to be done to one message.
*Never*: does it: `routing.rewrite` applies what concerns the body, intake the rest.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Literal

import attrs

from pdu.address import Address, Ton, guess_source, source_fault
from pdu.status import Status
from routing.amounts import amount_fault
from routing.key import RouteKey
from routing.ranges import DIGITS_LIMIT

Transliteration = Literal["", "typographic", "lossy"]

FOOTER_LIMIT = 255
"""Characters; a longer footer would be a message of its own."""


@attrs.frozen(kw_only=True)
class Do:
    """`[routes.do]`; a rule without outlets that neither rejects nor drops goes on to the next."""

    reject: str = attrs.field(
        default="",
        metadata={"meaning": 'status to refuse the message with, like "ESME_RINVDSTADR"'},
    )
    drop: bool = attrs.field(
        default=False, metadata={"meaning": "whether to accept the message and send nothing"}
    )
    tags: tuple[str, ...] = attrs.field(
        default=(), metadata={"meaning": "labels put on the message"}
    )
    to_prefix: tuple[str, ...] = attrs.field(
        default=(),
        metadata={"meaning": 'beginning of the recipient to replace and by what, ["0041", "41"]'},
    )
    sender: str = attrs.field(
        default="", metadata={"meaning": "sender that takes the place of the client's"}
    )
    sender_prefix: tuple[str, ...] = attrs.field(
        default=(), metadata={"meaning": "beginning of the sender to replace and by what"}
    )
    validity_s: float = attrs.field(
        default=0.0,
        metadata={"meaning": "how long the message lives, seconds; 0 = as asked", "minimum": 0},
    )
    transliterate: Transliteration = attrs.field(
        default="",
        metadata={"meaning": "make the text plain: only typography, or accents as well"},
    )
    footer: str = attrs.field(
        default="",
        metadata={"meaning": "text put behind the message's own", "maximum": FOOTER_LIMIT},
    )
    charge: Decimal | None = attrs.field(
        default=None, metadata={"meaning": "what one part costs the account"}
    )

    @property
    def ends(self) -> bool:
        """Whether the rule needs no outlet because nothing is sent."""
        return bool(self.reject) or self.drop

    @property
    def rewrites_addresses(self) -> bool:
        """Whether what is done depends on the message's own addresses."""
        return bool(self.to_prefix or self.sender or self.sender_prefix)

    def faults(self) -> Iterator[tuple[str, str]]:
        """(key, what is wrong with it) of values that no type forbids."""
        if self.reject and not is_refusal(self.reject):
            yield "reject", f'expected a status like "ESME_RINVDSTADR", found {self.reject!r}'
        if self.reject and self.drop:
            yield "drop", "expected one of reject and drop, found both"
        for name in ("to_prefix", "sender_prefix"):
            pair = getattr(self, name)
            if pair and len(pair) != 2:
                yield name, f"expected two strings, old and new beginning, found {len(pair)}"
            elif any(one and not (one.isascii() and one.isdigit()) for one in pair):
                yield name, f"expected digits, found {', '.join(map(repr, pair))}"
        if self.charge is not None and amount_fault(self.charge):
            yield "charge", amount_fault(self.charge)
        if self.sender:
            address = guess_source(self.sender)
            fault = source_fault(*address)
            if fault is not None:
                yield "sender", f"{self.sender!r} cannot be a sender: {fault}"


@attrs.frozen(kw_only=True)
class Actions:
    """All that the rules on the way of one message ask for."""

    drop: bool = False
    """Answer OK, send nothing, and end it as if it had been sent."""
    tags: tuple[str, ...] = ()
    """Labels to put on the message besides its own."""
    destination_addr: str | None = None
    """The new recipient in bare digits; None = as it is."""
    source: Address | None = None
    """The new sender; None = as it is."""
    validity_s: float = 0.0
    """Seconds from acceptance (or from the schedule) to the end of its life; 0 = as it is."""
    transliterate: Transliteration = ""
    footer: str = ""
    charge: Decimal | None = None
    """What each part costs the account; None = no rule says."""

    @property
    def changes_body(self) -> bool:
        """Whether `routing.rewrite.rewrite` has something to do."""
        return bool(
            self.destination_addr is not None
            or self.source is not None
            or self.transliterate
            or self.footer
        )


NOTHING = Actions()


def is_refusal(name: str) -> bool:
    """Whether it names a status that refuses."""
    return name in Status.__members__ and Status[name] != Status.ESME_ROK


def perform(do: Do, key: RouteKey, before: Actions) -> tuple[Actions, RouteKey]:
    """What is to be done after one more rule, and the message as the next rule sees it.

    The next one sees new addresses and tags. The text, its alphabet and its parts are those of the
    client for every rule: texts are changed once, when it is settled by what.
    """
    destination_addr = key.destination_addr
    if do.to_prefix and destination_addr.startswith(do.to_prefix[0]):
        old, new = do.to_prefix
        destination_addr = (new + destination_addr[len(old) :])[:DIGITS_LIMIT]
    source = _new_source(do, key)
    actions = Actions(
        drop=do.drop,
        tags=tuple(dict.fromkeys((*before.tags, *do.tags))),
        destination_addr=(
            before.destination_addr
            if destination_addr == key.destination_addr
            else destination_addr
        ),
        source=source or before.source,
        validity_s=do.validity_s or before.validity_s,
        transliterate=do.transliterate or before.transliterate,
        footer=do.footer or before.footer,
        charge=before.charge if do.charge is None else do.charge,
    )
    return actions, RouteKey(
        key.account,
        key.source,
        source.addr if source else key.source_addr,
        destination_addr,
        tuple(dict.fromkeys((*key.tags, *do.tags))),
        key.group,
        source.ton if source else key.source_addr_ton,
        key.esm_class,
        key.data_coding,
        key.priority_flag,
        key.at_ms,
        key.parts,
        key.text,
    )


def _new_source(do: Do, key: RouteKey) -> Address | None:
    if do.sender:
        return guess_source(do.sender)
    if do.sender_prefix and key.source_addr_ton != Ton.ALPHANUMERIC:
        old, new = do.sender_prefix
        if key.source_addr.startswith(old):
            return guess_source((new + key.source_addr[len(old) :])[:DIGITS_LIMIT])
    return None
