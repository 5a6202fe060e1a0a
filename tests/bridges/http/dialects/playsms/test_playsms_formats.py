"""Answers of playSMS web services on the wire, and its table of errors against the document."""

import re
from pathlib import Path

import orjson
import pytest

from bridges.http.dialects.base import Reply
from bridges.http.dialects.playsms.codes import TEXTS, Fault, refused_login
from bridges.http.dialects.playsms.formats import ok, to_php, to_reply
from pdu.status import Status, Vendor
from smsc.ports import Refused

NOW_MS = 1_700_000_000_999
ROWS = {"data": [{"id": "1", "msg": "<é> & \x01"}, {"id": "2", "msg": ""}], "multi": True}


def reply(format_: str) -> Reply:
    return to_reply(ROWS, format_, NOW_MS)


def test_json() -> None:
    assert orjson.loads(reply("").body) == {
        **ROWS, "error_string": None, "timestamp": 1_700_000_000,
    }  # fmt: skip
    assert reply("JSON").media_type == reply("yaml").media_type == "application/json"


def test_xml() -> None:
    found = reply("xml")
    assert found.media_type == "text/xml"
    assert found.body.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<response><data>'
        "<item><id>1</id><msg>&lt;é&gt; &amp; \ufffd</msg></item><item><id>2</id><msg/></item>"
        "</data><multi>1</multi><error_string/><timestamp>1700000000</timestamp></response>\n"
    )


def test_php() -> None:
    found = reply("Serialize")
    assert found.media_type == "text/plain"
    assert found.body.decode() == (
        'a:4:{s:4:"data";a:2:{i:0;a:2:{s:2:"id";s:1:"1";s:3:"msg";s:8:"<é> & \x01";}'
        'i:1;a:2:{s:2:"id";s:1:"2";s:3:"msg";s:0:"";}}s:5:"multi";b:1;'
        's:12:"error_string";N;s:9:"timestamp";i:1700000000;}'
    )
    with pytest.raises(TypeError):
        to_php(1.5)


def test_an_error() -> None:
    found = to_reply(Fault(605, "no account\r\n'é'"), "", NOW_MS)
    assert found.status == 200
    assert orjson.loads(found.body) == {
        "status": "ERR", "error": "605", "timestamp": 1_700_000_000,
        "error_string": "account removal failed due to unknown username",
    }  # fmt: skip
    assert dict(found.headers) == {"Cache-Control": "no-store", "X-Reason": "no account??'?'"}
    assert dict(to_reply(Fault(100, status=503), "", NOW_MS).headers)["Retry-After"] == "5"
    nobody = to_reply(Fault(200, "too long"), "", NOW_MS)
    assert orjson.loads(nobody.body) == {
        "data": [{"status": "ERR", "error": "200", "smslog_id": "", "queue": "", "to": ""}],
        "error_string": None, "timestamp": 1_700_000_000,
    }  # fmt: skip
    assert ("X-Reason", "too long") in nobody.headers
    assert ok(a="b") == {"status": "OK", "error": "0", "a": "b"}


@pytest.mark.parametrize(
    ("status", "code", "http"),
    [
        (Status.ESME_RINVPASWD, 100, 200),
        (Status.ESME_RINVSYSID, 100, 200),
        (Status.ESME_RBINDFAIL, 100, 200),
        (Status.ESME_RPROHIBITED, 106, 200),
        (Vendor.SMSC_ACCOUNT_CLOSED, 105, 200),
        (Vendor.SMSC_UNAVAILABLE, 100, 503),
    ],
)
def test_who_may_not_speak(status: int, code: int, http: int) -> None:
    fault = refused_login(Refused(status, "why"))
    assert (fault.code, fault.status) == (code, http)
    as_sender = refused_login(Refused(status, "why"), closed=200)
    assert as_sender.code == (200 if code == 105 else code)
    as_admin = refused_login(Refused(status, "why"), is_admin=True)
    assert as_admin.code == (600 if code == 100 else code)


def test_every_code_of_the_documentation_is_there() -> None:
    """docs/dialects.md repeats the table; the texts are those of the original document."""
    docs = (Path(__file__).parents[5] / "docs" / "dialects.md").read_text()
    listed = dict(re.findall(r"^\| (\d{3}) \| `([^`]+)` \|", docs, re.MULTILINE))
    assert listed == {str(code): text for code, text in TEXTS.items()}
    assert len(TEXTS) == 40
