"""Conditions of rules, one at a time, with the reasons that people read."""

from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.compiled import Resources
from routing.hours import DAYS, Hours, find_zone, local_time, read_span
from routing.key import RouteKey
from routing.pattern import Pattern, compile_pattern
from routing.rule import Rule
from routing.table import Decision, RoutingTable
from routing.when import AlphabetName, SenderKind, When, alphabet_name, sender_kind
from tests.routing.test_number_list import listed

LISTS = {"dnd": listed(b"41791234567\nShop\n"), "vip": listed(b"4179\n")}


def ms(written: str) -> int:
    return int(datetime.fromisoformat(written).replace(tzinfo=UTC).timestamp() * 1000)


NOON = ms("2026-11-22T11:00:00")  # Sunday, noon in Zurich


def key(**facts: Any) -> RouteKey:
    given_facts: dict[str, Any] = {
        "account": "shop",
        "source": "smpp",
        "source_addr": "Shop",
        "destination_addr": "41791234567",
        "at_ms": NOON,
    } | facts
    return RouteKey(**given_facts)


def why(when: When, **facts: Any) -> str:
    """The first line of the explanation, after checking that `match` agrees with it."""
    table = RoutingTable([Rule(name="r", outlets=("a",), when=when)], Resources(lists=LISTS))
    told = table.explain(key(**facts), lambda _: True)
    assert isinstance(table.match(key(**facts)), Decision) is told.tried[0].matched
    return told.lines()[0]


FITS = "+ r: takes every number, every account, "


@pytest.mark.parametrize(
    ("when", "facts", "line"),
    [
        (When(groups=("vip",)), {"group": "vip"}, f"{FITS}group vip"),
        (When(groups=("vip",)), {}, "- r: group none is none of vip"),
        (When(sources=("rest",)), {"source": "rest"}, f"{FITS}source rest"),
        (When(sources=("rest", "jasmin")), {}, "- r: source smpp is none of rest, jasmin"),
        (When(senders=("Sho*",)), {}, f"{FITS}sender 'Shop'"),
        (When(senders=("Shop",)), {"source_addr": "Shops"}, "- r: sender 'Shops' is none of Shop"),
        (When(sender_kinds=("alphanumeric",)), {}, f"{FITS}kind of sender alphanumeric"),
        (
            When(sender_kinds=("number", "short")),
            {},
            "- r: kind of sender alphanumeric is none of number, short",
        ),
        (When(alphabets=("ucs2",)), {"data_coding": 8}, f"{FITS}alphabet ucs2"),
        (When(alphabets=("ucs2",)), {}, "- r: alphabet gsm7 is none of ucs2"),
        (When(min_parts=2), {"parts": 2}, f"{FITS}a message of 2 parts"),
        (When(min_parts=2), {"parts": 1}, "- r: a message of 1 parts is not of 2 to 255"),
        (When(max_parts=3), {"parts": 4}, "- r: a message of 4 parts is not of 0 to 3"),
        (When(class0=True), {"data_coding": 0xF0}, f"{FITS}class 0"),
        (When(class0=True), {}, "- r: data_coding 0x00 is not class 0"),
        (When(class0=False), {"data_coding": 0x10}, "- r: data_coding 0x10 is class 0"),
        (When(esm_class=0x40), {"esm_class": 0x43}, f"{FITS}esm_class 0x43"),
        (When(esm_class=0x44), {"esm_class": 0x40}, "- r: esm_class 0x40 is without the bits 0x44"),
        (When(priorities=(2, 3)), {"priority_flag": 3}, f"{FITS}priority 3"),
        (When(priorities=(2, 3)), {}, "- r: priority 0 is none of 2, 3"),
        (When(tags=("a", "b")), {"tags": ("b",)}, f"{FITS}tags b"),
        (When(tags=("a", "b")), {}, "- r: tags none is none of a, b"),
        (When(without_tags=("a",)), {}, f"{FITS}tags none"),
        (When(without_tags=("a",)), {"tags": ("a",)}, "- r: tags a is not free of a"),
        (When(text="(?i)sale"), {"text": "Big SALE"}, f"{FITS}text with '(?i)sale'"),
        (When(text="^sale$"), {"text": "Big sale"}, "- r: the text is without '^sale$'"),
        (When(to_in=("dnd",)), {}, f"{FITS}recipient on the list dnd"),
        (
            When(to_in=("vip",)),
            {},
            "- r: recipient 41791234567 is not on the list vip",
        ),
        (When(to_in=("vip", "dnd")), {}, f"{FITS}recipient on the list vip or dnd"),
        (When(to_not_in=("dnd",)), {}, "- r: recipient 41791234567 is on the list dnd"),
        (When(sender_in=("dnd",)), {"source_addr": "SHOP"}, f"{FITS}sender on the list dnd"),
        (When(sender_not_in=("dnd",)), {}, "- r: sender Shop is on the list dnd"),
        (
            When(hours=("08:00-12:01",), zone="Europe/Zurich"),
            {},
            f"{FITS}sun 12:00 in Europe/Zurich",
        ),
        (
            When(hours=("08:00-12:00",), zone="Europe/Zurich"),
            {},
            "- r: sun 12:00 in Europe/Zurich is outside 08:00-12:00",
        ),
        (When(days=("mon", "tue")), {}, "- r: sun 11:00 in UTC is outside mon, tue"),
    ],
)
def test_each_condition_and_its_reason(when: When, facts: dict[str, Any], line: str) -> None:
    assert why(when, **facts) == line


def test_every_condition_was_tried() -> None:
    tried: set[str] = set()
    defaults = When()
    marks = test_each_condition_and_its_reason.pytestmark
    for when, _, _ in marks[0].args[1]:
        fields = attrs.fields(When)
        tried |= {one.name for one in fields if getattr(when, one.name) != one.default}
    assert tried == {one.name for one in attrs.fields(When)}
    assert not list(defaults.faults())


def test_all_conditions_must_fit() -> None:
    when = When(groups=("vip",), priorities=(3,))
    assert why(when, group="vip", priority_flag=3).startswith("+")
    assert why(when, group="vip").startswith("-")
    assert why(when, priority_flag=3).startswith("-")


@pytest.mark.parametrize(
    ("ton", "addr", "kind"),
    [
        (0, "", "none"),
        (5, "12345678", "alphanumeric"),
        (0, "Shop", "alphanumeric"),
        (1, "41791234567", "number"),
        (0, "+41791234567", "number"),
        (3, "12345", "short"),
        (0, "²", "alphanumeric"),
    ],
)
def test_kinds_of_sender(ton: int, addr: str, kind: SenderKind) -> None:
    assert sender_kind(ton, addr) == kind


@pytest.mark.parametrize(
    ("data_coding", "name"),
    [
        (0, "gsm7"),
        (1, "ascii"),
        (3, "latin1"),
        (4, "octets"),
        (8, "ucs2"),
        (6, "other"),
        (0xF0, "gsm7"),
    ],
)
def test_names_of_alphabets(data_coding: int, name: AlphabetName) -> None:
    assert alphabet_name(data_coding) == name


def hours(*spans: str, days: str = "", zone: str = "UTC") -> Hours:
    found = find_zone(zone)
    assert found is not None
    read = [span for span in map(read_span, spans) if span is not None]
    assert len(read) == len(spans)
    return Hours(tuple(read), frozenset(map(int, days)), found)


def test_a_span_past_midnight_belongs_to_the_day_it_began_on() -> None:
    friday_night = hours("22:00-06:00", days="4")
    assert friday_night.covers(ms("2026-11-20T22:00:00"))
    assert friday_night.covers(ms("2026-11-21T05:59:00"))
    assert not friday_night.covers(ms("2026-11-21T06:00:00"))
    assert not friday_night.covers(ms("2026-11-20T05:59:00"))
    assert not friday_night.covers(ms("2026-11-21T22:00:00"))
    assert hours("22:00-06:00", days="6").covers(ms("2026-11-23T01:00:00"))  # Sunday into Monday


def test_the_wall_clock_of_the_zone_decides() -> None:
    office = hours("08:00-18:00", zone="Europe/Zurich")
    assert office.covers(ms("2026-07-01T06:00:00"))  # summer: two hours ahead
    assert not office.covers(ms("2026-01-01T06:00:00"))
    assert office.covers(ms("2026-01-01T07:00:00"))
    assert hours("00:00-24:00").covers(ms("2026-01-01T23:59:59"))


@given(st.integers(0, 4_102_444_800_000), st.integers(0, 1439), st.integers(0, 1439))
def test_a_span_and_its_complement_share_the_day(at_ms: int, first: int, end: int) -> None:
    if first == end:
        return
    utc = find_zone("UTC")
    assert utc is not None
    one, other = Hours(((first, end),), frozenset(), utc), Hours(((end, first),), frozenset(), utc)
    assert one.covers(at_ms) is not other.covers(at_ms)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "8",
        "08:00",
        "08:00-",
        "08:60-09:00",
        "24:00-06:00",
        "٠٨:00-09:00",
        "24:01-25:00",
        "08:0-09:00",
    ],
)
def test_what_is_no_span(bad: str) -> None:
    assert read_span(bad) is None


def test_zones() -> None:
    assert find_zone("../etc/passwd") is None
    assert find_zone("") is None
    zurich = find_zone("Europe/Zurich")
    assert zurich is not None
    assert local_time(NOON, zurich) == "sun 12:00"


def test_a_pattern_reads_any_text() -> None:
    pattern = compile_pattern("(?i)grüezi|😀")
    assert isinstance(pattern, Pattern)
    assert pattern.is_in("GRÜEZI mitenand")
    assert pattern.is_in("x😀")
    assert not pattern.is_in("\ud83d")  # half an emoji


def test_a_pattern_never_backtracks() -> None:
    pattern = compile_pattern("^(a+)+$")
    assert isinstance(pattern, Pattern)
    assert not pattern.is_in("a" * 100_000 + "b")  # `re` would not come back from thirty


@pytest.mark.parametrize(
    ("written", "zone", "told"),
    [
        ("9999-12-31T23:59:59", "Asia/Tokyo", "sat 08:59"),  # 31 December 9999 is a Friday
        ("9999-12-31T23:59:59", "America/New_York", "fri 18:59"),
        ("9999-07-01T12:00:00", "Europe/Zurich", "thu 14:00"),
        ("0001-01-01T00:00:00", "America/New_York", "sun 19:00"),
    ],
)
def test_the_first_and_the_last_day_have_hours_too(written: str, zone: str, told: str) -> None:
    found = find_zone(zone)
    assert found is not None
    assert local_time(ms(written), found) == told
    assert Hours((), frozenset({DAYS.index(told[:3])}), found).covers(ms(written))
