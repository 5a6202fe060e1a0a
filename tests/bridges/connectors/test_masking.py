"""No secret is shown, in whatever coding a service wants it."""

import base64
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.connectors.exchange import NoAnswer, NotSent
from bridges.connectors.masking import Mask
from bridges.connectors.service import Request, Response

SECRET = "p&s \"'<ü"


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        "p&s \\\"'<ü",
        "p&amp;s &quot;&apos;&lt;ü",
        SECRET.encode().hex(),
        base64.b64encode(SECRET.encode()).decode(),
    ],
)
def test_each_form_is_hidden(form: str) -> None:
    assert Mask([SECRET])(f"a={form}&b") == "a=***&b"


@given(secret=st.text(alphabet="abc019&=% +\"'<\\ü/", min_size=4, max_size=12))
def test_nothing_of_a_secret_is_left(secret: str) -> None:
    mask = Mask([secret])
    for form in (secret, quote(secret, safe=""), quote_plus(secret), secret.encode().hex()):
        assert mask(f"[{form}]") == "[***]"


def test_steps_of_an_exchange() -> None:
    mask = Mask(["tok"])
    headers = (("Authorization", "Basic whatever"), ("X-Key", "tok"), ("Accept", "*/*"))
    request = Request("POST", "https://x/?k=tok", headers, b"a=tok\nb")
    assert mask.lines(request) == [
        "POST https://x/?k=***",
        "Authorization: ***",
        "X-Key: ***",
        "Accept: */*",
        "",
        "a=***",
        "b",
    ]
    assert mask.lines(Response(200, {"x-a": "tok"}, b"")) == ["HTTP 200", "x-a: ***"]
    assert mask.lines(Response(200, {}, b"x" * 3000))[-1] == "…"
    assert mask.lines(NotSent("no tok")) == ["not sent: no ***"]
    assert mask.lines(NoAnswer("no tok")) == ["no answer: no ***"]
