"""Conditions of a rule besides destination and account, and the tests they become.

*In*: `[routes.when]` as an operator writes it; the lists it names, loaded.
*Out*: `Condition` values in the order of cost: one says whether a message fits and, for people, why not.
*Never*: two opinions: `match` and `explain` ask the same tests.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Literal, NamedTuple

import attrs

from pdu.address import SHORT_CODE_DIGITS, Ton
from pdu.text.alphabet import MessageClass, alphabet_of, message_class
from routing.hours import DAYS as ALL_DAYS
from routing.hours import Day, Hours, find_zone, local_time, read_span
from routing.key import RouteKey
from routing.number_list import NumberList
from routing.pattern import compile_pattern

SenderKind = Literal["number", "short", "alphanumeric", "none"]
AlphabetName = Literal["gsm7", "ascii", "latin1", "octets", "ucs2", "other"]

_NAMED_ALPHABETS = frozenset({"gsm7", "ascii", "latin1", "octets", "ucs2"})


def _about(meaning: str, **bounds: float) -> dict[str, object]:
    return {"meaning": meaning, **bounds}


@attrs.frozen(kw_only=True)
class When:
    """`[routes.when]`: every key that is given must fit; within a key one value is enough."""

    groups: tuple[str, ...] = attrs.field(
        default=(), metadata=_about("groups of accounts the rule is for")
    )
    sources: tuple[str, ...] = attrs.field(
        default=(), metadata=_about('doors the message came in by: "smpp", "rest" or a dialect')
    )
    senders: tuple[str, ...] = attrs.field(
        default=(), metadata=_about('senders, "Shop", or a beginning with "*" behind it')
    )
    sender_kinds: tuple[SenderKind, ...] = attrs.field(
        default=(), metadata=_about("what the sender is")
    )
    alphabets: tuple[AlphabetName, ...] = attrs.field(
        default=(), metadata=_about("alphabets of the text, by data_coding")
    )
    min_parts: int = attrs.field(default=0, metadata=_about("fewest parts", minimum=0, maximum=255))
    max_parts: int = attrs.field(
        default=0, metadata=_about("most parts; 0 = any", minimum=0, maximum=255)
    )
    class0: bool | None = attrs.field(
        default=None, metadata=_about("true = only class 0 (flash), false = only others")
    )
    esm_class: int = attrs.field(
        default=0, metadata=_about("bits that esm_class must have", minimum=0, maximum=255)
    )
    priorities: tuple[int, ...] = attrs.field(
        default=(), metadata=_about("values of priority_flag")
    )
    tags: tuple[str, ...] = attrs.field(default=(), metadata=_about("labels, one is enough"))
    without_tags: tuple[str, ...] = attrs.field(
        default=(), metadata=_about("labels the message must not bear")
    )
    hours: tuple[str, ...] = attrs.field(
        default=(), metadata=_about('spans of the day, like "08:00-18:30" or "22:00-06:00"')
    )
    days: tuple[Day, ...] = attrs.field(default=(), metadata=_about("days of the week"))
    zone: str = attrs.field(
        default="UTC", metadata=_about('time zone of hours and days, like "Europe/Zurich"')
    )
    text: str = attrs.field(
        default="", metadata=_about("pattern found in the text, RE2 syntax; (?i) for any case")
    )
    to_in: tuple[str, ...] = attrs.field(
        default=(), metadata=_about("lists, one of which holds the recipient")
    )
    to_not_in: tuple[str, ...] = attrs.field(
        default=(), metadata=_about("lists, none of which holds the recipient")
    )
    sender_in: tuple[str, ...] = attrs.field(
        default=(), metadata=_about("lists, one of which holds the sender")
    )
    sender_not_in: tuple[str, ...] = attrs.field(
        default=(), metadata=_about("lists, none of which holds the sender")
    )

    def lists(self) -> Iterator[tuple[str, str]]:
        """(key, name) of every list the conditions ask."""
        for key in ("to_in", "to_not_in", "sender_in", "sender_not_in"):
            for name in getattr(self, key):
                yield key, name

    def faults(self) -> Iterator[tuple[str, str]]:
        """(key, what is wrong with it) of values that no type forbids."""
        for sender in self.senders:
            if not sender or "*" in sender[:-1]:
                yield "senders", f'expected senders like "Shop" or "4179*", found {sender!r}'
        if self.max_parts and self.max_parts < self.min_parts:
            yield "max_parts", f"expected at least min_parts = {self.min_parts}"
        for span in self.hours:
            if read_span(span) is None:
                yield "hours", f'expected a span like "08:00-18:30", found {span!r}'
        if find_zone(self.zone) is None:
            yield "zone", f'expected an IANA zone like "Europe/Zurich", found {self.zone!r}'
        if self.text and isinstance(compiled := compile_pattern(self.text), str):
            yield "text", compiled


class Condition(NamedTuple):
    """One condition, ready to ask."""

    fits: Callable[[RouteKey], bool]
    found: Callable[[RouteKey], str]
    """What of the message was looked at, for people."""
    unmet: str
    """What it is when it does not fit, behind "is"."""
    met: str = ""
    """What fits, for people; what was found unless given."""

    def why_met(self, key: RouteKey) -> str:
        """What of the message fits."""
        return self.met or self.found(key)


def sender_kind(ton: int, addr: str) -> SenderKind:
    """What a sender is, by its type of number and, for clients that send 0, by its characters."""
    if not addr:
        return "none"
    digits = addr.removeprefix("+")
    if ton == Ton.ALPHANUMERIC or not (digits.isascii() and digits.isdigit()):
        return "alphanumeric"
    return "short" if len(addr) <= SHORT_CODE_DIGITS else "number"


def alphabet_name(data_coding: int) -> str:
    """The alphabet as `When.alphabets` calls it."""
    name = alphabet_of(data_coding).value
    return name if name in _NAMED_ALPHABETS else "other"


def is_class0(data_coding: int) -> bool:
    """Whether the message shows at once and is not stored."""
    return message_class(data_coding) == MessageClass.FLASH


def tests_of(when: When, lists: Mapping[str, NumberList]) -> tuple[Condition, ...]:
    """Compile conditions without `faults`; `lists` holds every list they name."""
    return (*_envelope_tests(when), *_content_tests(when), *_list_tests(when, lists))


def _envelope_tests(when: When) -> Iterator[Condition]:
    if when.groups:
        yield _among("group", when.groups, lambda key: key.group)
    if when.sources:
        yield _among("source", when.sources, lambda key: key.source)
    if when.senders:
        exact = frozenset(one for one in when.senders if not one.endswith("*"))
        starts = tuple(one[:-1] for one in when.senders if one.endswith("*"))
        yield Condition(
            lambda key: key.source_addr in exact or key.source_addr.startswith(starts),
            lambda key: f"sender {key.source_addr!r}",
            f"none of {', '.join(when.senders)}",
        )
    if when.sender_kinds:
        kinds = tuple(map(str, when.sender_kinds))
        yield _among("kind of sender", kinds, _kind)
    if when.priorities:
        priorities = frozenset(when.priorities)
        yield Condition(
            lambda key: key.priority_flag in priorities,
            lambda key: f"priority {key.priority_flag}",
            f"none of {', '.join(map(str, when.priorities))}",
        )
    if when.tags:
        wanted = frozenset(when.tags)
        yield Condition(
            lambda key: not wanted.isdisjoint(key.tags), _tags, f"none of {', '.join(when.tags)}"
        )
    if when.without_tags:
        barred = frozenset(when.without_tags)
        yield Condition(
            lambda key: barred.isdisjoint(key.tags),
            _tags,
            f"not free of {', '.join(when.without_tags)}",
        )
    if when.hours or when.days:
        yield _hours_test(when)


def _hours_test(when: When) -> Condition:
    zone = find_zone(when.zone)
    assert zone is not None, "conditions are checked before they are compiled"
    spans = tuple(span for span in map(read_span, when.hours) if span is not None)
    hours = Hours(spans, frozenset(ALL_DAYS.index(day) for day in when.days), zone)
    asked = ", ".join((*when.hours, *when.days))
    return Condition(
        lambda key: hours.covers(key.at_ms),
        lambda key: f"{local_time(key.at_ms, zone)} in {when.zone}",
        f"outside {asked}",
    )


def _content_tests(when: When) -> Iterator[Condition]:
    if when.alphabets:
        names = tuple(map(str, when.alphabets))
        yield _among("alphabet", names, lambda key: alphabet_name(key.data_coding))
    if when.class0 is not None:
        wanted = when.class0
        yield Condition(
            lambda key: is_class0(key.data_coding) is wanted,
            lambda key: f"data_coding 0x{key.data_coding:02X}",
            "not class 0" if wanted else "class 0",
            "class 0" if wanted else "not class 0",
        )
    if when.esm_class:
        bits = when.esm_class
        yield Condition(
            lambda key: key.esm_class & bits == bits,
            lambda key: f"esm_class 0x{key.esm_class:02X}",
            f"without the bits 0x{bits:02X}",
        )
    if when.min_parts or when.max_parts:
        low, high = when.min_parts, when.max_parts or 255
        yield Condition(
            lambda key: low <= key.parts <= high,
            lambda key: f"a message of {key.parts} parts",
            f"not of {low} to {high}",
        )
    if when.text:
        pattern = compile_pattern(when.text)
        assert not isinstance(pattern, str), "conditions are checked before they are compiled"
        yield Condition(
            lambda key: pattern.is_in(key.text),
            lambda _: "the text",
            f"without {when.text!r}",
            f"text with {when.text!r}",
        )


def _list_tests(when: When, lists: Mapping[str, NumberList]) -> Iterator[Condition]:
    for is_sender, named, barring in (
        (False, when.to_in, False),
        (False, when.to_not_in, True),
        (True, when.sender_in, False),
        (True, when.sender_not_in, True),
    ):
        if named:
            asked = tuple(lists[name] for name in named)
            yield _list_test(asked, " or ".join(named), is_sender=is_sender, barring=barring)


def _list_test(
    asked: tuple[NumberList, ...], names: str, *, is_sender: bool, barring: bool
) -> Condition:
    def address(key: RouteKey) -> str:
        return key.source_addr if is_sender else key.destination_addr

    def fits(key: RouteKey) -> bool:
        return any(address(key) in one for one in asked) is not barring

    what = "sender" if is_sender else "recipient"
    held, missing = f"on the list {names}", f"not on the list {names}"
    if barring:
        held, missing = missing, held
    return Condition(fits, lambda key: f"{what} {address(key)}", missing, f"{what} {held}")


def _among(what: str, wanted: tuple[str, ...], fact: Callable[[RouteKey], str]) -> Condition:
    values = frozenset(wanted)
    return Condition(
        lambda key: fact(key) in values,
        lambda key: f"{what} {fact(key) or 'none'}",
        f"none of {', '.join(wanted)}",
    )


def _kind(key: RouteKey) -> str:
    return sender_kind(key.source_addr_ton, key.source_addr)


def _tags(key: RouteKey) -> str:
    return f"tags {', '.join(key.tags) or 'none'}"
