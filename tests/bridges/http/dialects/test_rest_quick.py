"""The quick way of plain messages says what the slow way says, or nothing."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bridges.http.dialects import rest, rest_quick
from bridges.http.dialects.base import ReadNumber
from bridges.http.dialects.rest_quick import Style, Wanted
from pdu.codec import peek_submit_sm
from routing.normalise import Normaliser
from smsc.message import AccountId

NOW_MS = 1_764_000_000_000
DEMO = AccountId("demo")
NUMBERS = st.one_of(
    st.from_regex(r"\+?[0-9]{1,18}", fullmatch=True),
    st.sampled_from(
        ["", "+", "+41 79 123 45 67", "41791234567\n", "٤١٧٩١٢٣٤٥٦٧", "4179\x00", "abc"]
    ),
)
SENDERS = st.one_of(
    NUMBERS, st.text(max_size=14), st.sampled_from(["Shop", "Bücher", "€uro shops"])
)
TEXTS = st.one_of(
    st.text(max_size=20),
    st.text(alphabet="aZ 0@€[]~\n\x1bé", max_size=170),
    st.integers(155, 165).map(lambda count: "a" * count),
)
ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(-1, 5), st.floats(), st.just([])
)
URLS = st.sampled_from(
    ["https://example.org/dlr", "http://h:0/", "ftp://h/", "", "http://h/ü", "http://" + "h" * 2050]
)
MESSAGES = st.fixed_dictionaries(
    {"to": st.one_of(NUMBERS, ODD), "text": st.one_of(TEXTS, ODD)},
    optional={
        "from": st.one_of(SENDERS, ODD),
        "receipt": ODD,
        "reference": st.one_of(st.text(max_size=5), st.just("r" * 256), ODD),
        "validity": ODD,
        "callback_url": st.one_of(URLS, ODD),
        "other": ODD,
    },
)


@settings(max_examples=600, deadline=None)
@given(
    item=MESSAGES,
    sender=st.sampled_from(["", "Profile", "41790000000", "not\x00good", "079 000 00 00"]),
    read=st.sampled_from([str, Normaliser("CH").digits]),
)
def test_it_is_what_the_slow_way_says(item: Any, sender: str, read: ReadNumber) -> None:
    style = Style(sender, read=read)
    quick = rest_quick.read(item, DEMO, style)
    if quick is not None:
        assert quick == rest.parse_slowly(item, DEMO, NOW_MS, style)


def test_plain_messages_take_it_and_others_do_not() -> None:
    plain = {"to": "+41791234567", "from": "Shop", "text": "Hi @ 5€", "receipt": True}
    assert isinstance(rest_quick.read(plain, DEMO, rest_quick.PLAIN), Wanted)
    told = rest_quick.read(
        {"to": "41791234567", "text": "x", "callback_url": "http://h/"}, DEMO, rest_quick.PLAIN
    )
    assert told is not None
    assert (told.draft.callback_url, peek_submit_sm(told.draft.body).registered_delivery) == (
        "http://h/",
        1,
    )
    for more in ({"text": "й"}, {"to": "12345"}, {"flash": True}, {"text": "a" * 161}):
        assert rest_quick.read(plain | more, DEMO, rest_quick.PLAIN) is None
    assert rest_quick.read(plain, DEMO, Style(footer="f")) is None
