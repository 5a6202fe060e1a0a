"""Kannel's sendsms as pure tables: parameters in, drafts or its sentences out."""

import urllib.parse
from typing import Any

import pytest

from bridges.http.dialects import kannel, kannel_answers
from bridges.http.dialects.base import read_body
from bridges.http.dialects.kannel_answers import Answer, Send
from bridges.http.dialects.kannel_escapes import Words, fill
from bridges.http.dialects.kannel_meta import parse_meta_data, tlvs_of
from bridges.http.dialects.kannel_request import Asked, parse_request
from bridges.http.dialects.uuids import uuid_of
from pdu.codec import peek_submit_sm
from pdu.status import Status, Vendor
from pdu.tlvs import Tag, parse_tlvs
from smsc.message import NEW_BATCH, AccountId, Draft, MessageId
from smsc.ports import Admission, Admitted, Refused

NOW_MS = 1_764_000_000_000
DEMO = AccountId("demo")
CONFIG = kannel.KannelConfig()
BASE = {"to": "41791234567", "from": "Shop", "text": "hello"}
MISFORMED = "Charset or body misformed, rejected"


def send_of(config: kannel.KannelConfig = CONFIG, **changes: Any) -> Send | Answer:
    """What a GET with these parameters makes; `_` in a name stands for `-`, None takes one away."""
    fields = BASE | {name.replace("_", "-"): value for name, value in changes.items()}
    query = urllib.parse.urlencode({name: one for name, one in fields.items() if one is not None})
    asked = parse_request("GET", query, {}, b"")
    assert isinstance(asked, Asked)
    return kannel.parse_send(asked, DEMO, "", config, NOW_MS)


def draft_of(config: kannel.KannelConfig = CONFIG, **changes: Any) -> Draft:
    send = send_of(config, **changes)
    assert isinstance(send, Send), send
    (draft,) = send.drafts
    return draft


def answer_of(found: object) -> tuple[int, str]:
    assert isinstance(found, Answer), found
    return found.status, found.text


# --- where parameters stand -------------------------------------------------------------------


def test_names_of_old_and_new() -> None:
    for query in ("username=a&password=b&user=x", "user=a&pass=b", "USER=a&Pass=b&pass=c"):
        asked = parse_request("GET", query, {}, b"")
        assert isinstance(asked, Asked)
        assert (asked.username, asked.password) == ("a", "b")
    assert draft_of(dlrmask="1", dlrurl="http://h/").callback_url == "http://h/"


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(parse_request("GET", "username=a&password=secret", {}, b""))


@pytest.mark.parametrize(
    "label", ["application/x-www-form-urlencoded", "", "text/plain; charset=utf-8"]
)
def test_a_form_by_any_label(label: str) -> None:
    asked = parse_request("POST", "to=1", {"content-type": label}, b"text=a%2Bb&from=x+y")
    assert isinstance(asked, Asked)
    assert asked.fields == {"to": b"1", "text": b"a+b", "from": b"x y"}


def test_x_kannel_headers() -> None:
    headers = {
        "Content-Type": "text/plain",
        "X-Kannel-Username": "demo",
        "X-Kannel-Password": "demo",
        "X-Kannel-To": "41791234567 41791234568",
        "X-Kannel-From": "Shop",
        "X-Kannel-UDH": "050003010201",
        "X-Kannel-DLR-Mask": "3",
        "X-Kannel-DLR-URL": "http://h/?s=%d",
    }
    lower = {name.lower(): value for name, value in headers.items()}
    asked = parse_request("POST", "", lower, "né".encode())
    assert isinstance(asked, Asked)
    assert (asked.username, asked.password) == ("demo", "demo")
    assert asked.fields["udh"] == bytes.fromhex("050003010201")
    send = kannel.parse_send(asked, DEMO, "", CONFIG, NOW_MS)
    assert isinstance(send, Send)
    assert send.receivers == ["41791234567", "41791234568"]


@pytest.mark.parametrize(
    ("label", "body", "data", "data_coding"),
    [
        ("text/plain", "né".encode(), b"n\x05", 0),
        ("text/plain", b"n\xe9", b"n\x05", 0),
        ("text/plain; charset=iso-8859-1", "é".encode(), "Ã©".encode("utf-16-be"), 8),
        ("application/octet-stream", b"\x00\xff", b"\x00\xff", 4),
    ],
)
def test_the_body_beside_headers(label: str, body: bytes, data: bytes, data_coding: int) -> None:
    headers = {"content-type": label, "x-kannel-to": "41791234567", "x-kannel-from": "Shop"}
    asked = parse_request("POST", "", headers, body)
    assert isinstance(asked, Asked)
    send = kannel.parse_send(asked, DEMO, "", CONFIG, NOW_MS)
    assert isinstance(send, Send), send
    spoken = read_body(send.drafts[0].body)
    assert (spoken.data, spoken.data_coding) == (data, data_coding)


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/json"},
        {"content-type": "multipart/form-data"},
        {"content-type": "text/html", "x-kannel-to": "1"},
        {"content-type": "text/xml", "x-kannel-to": "1"},
        {"content-type": "application/x-www-form-urlencoded", "x-kannel-to": "1"},
    ],
)
def test_other_content_types(headers: dict[str, str]) -> None:
    found = parse_request("POST", "", headers, b"{}")
    assert answer_of(found) == (415, "Unsupported content-type, rejected")


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"to": None}, "Missing receiver number, rejected"),
        ({"to": ""}, "Empty receiver number not allowed, rejected"),
        ({"to": "  "}, "Empty receiver number not allowed, rejected"),
        ({"to": "nobody"}, "Number(s) has/have been denied by white- and/or black-lists."),
        ({"to": "4" * 30}, "Number(s) has/have been denied by white- and/or black-lists."),
        (
            {"to": " ".join(map(str, range(41_790_000_000, 41_790_001_001)))},
            "Number(s) has/have been denied by white- and/or black-lists.",
        ),
        ({"from": None}, "Sender missing and no global set, rejected"),
        ({"from": ""}, "Sender missing and no global set, rejected"),
        ({"from": "TWELVE CHARS"}, "Sender missing and no global set, rejected"),
        ({"from": "日本"}, "Sender missing and no global set, rejected"),
        ({"account": "a[b]"}, "Account field misformed or too long, rejected"),
        ({"account": "a\nb"}, "Account field misformed or too long, rejected"),
        ({"account": "a" * 65}, "Account field misformed or too long, rejected"),
        ({"binfo": "a" * 256}, "BInfo field misformed, rejected"),
        ({"smsc": "a\r\nb"}, "SMSC field misformed, rejected"),
        ({"dlr_url": "ftp://h/"}, "DLR-URL field misformed, rejected"),
        ({"dlr_url": "x"}, "DLR-URL field misformed, rejected"),
        ({"dlr_url": "http://"}, "DLR-URL field misformed, rejected"),
        ({"dlr_url": "http://%p.example/"}, "DLR-URL field misformed, rejected"),
        ({"dlr_url": "http://h/" + "a" * 2100}, "DLR-URL field misformed, rejected"),
        (
            {"dlr_url": "http://h/?" + "%n" * 900, "dlr_mask": "1"},
            "DLR-URL field misformed, rejected",
        ),
        ({"dlr_mask": "64"}, "DLR-Mask field misformed, rejected"),
        ({"dlr_mask": "-2"}, "DLR-Mask field misformed, rejected"),
        ({"dlr_mask": "x"}, "DLR-Mask field misformed, rejected"),
        ({"mclass": "4"}, "MClass field misformed, rejected"),
        ({"mclass": "1 OR 1"}, "MClass field misformed, rejected"),
        ({"pid": "256"}, "PID field misformed, rejected"),
        ({"rpi": "3"}, "RPI field misformed, rejected"),
        ({"alt_dcs": "2"}, "Alt-DCS field misformed, rejected"),
        (
            {"alt_dcs": "1", "mclass": "1", "coding": "2", "text": b"\x00h"},
            "Alt-DCS field misformed, rejected",
        ),
        ({"mwi": "8"}, "MWI field misformed, rejected"),
        ({"mwi": "1", "coding": "1"}, "MWI field misformed, rejected"),
        ({"coding": "3"}, "Coding field misformed, rejected"),
        ({"coding": "٣"}, "Coding field misformed, rejected"),
        ({"compress": "2"}, "Compress field misformed, rejected"),
        ({"validity": "-5"}, "Validity field misformed, rejected"),
        ({"validity": "9" * 500}, "Validity field misformed, rejected"),
        ({"validity": "5", "deferred": "5"}, "Validity field misformed, rejected"),
        ({"deferred": "1e3"}, "Deferred field misformed, rejected"),
        ({"deferred": "527041"}, "Deferred field misformed, rejected"),
        ({"priority": "4"}, "Priority field misformed, rejected"),
        ({"meta_data": "smpp?x=1"}, "Meta-Data field misformed, rejected"),
        ({"meta_data": "?smpp?source_port=70000"}, "Meta-Data field misformed, rejected"),
        ({"meta_data": "?smpp?source_port=x"}, "Meta-Data field misformed, rejected"),
        ({"text": None}, MISFORMED),
        ({"text": ""}, MISFORMED),
        ({"text": b"\xff"}, MISFORMED),
        ({"text": "x", "charset": "nonsense"}, MISFORMED),
        ({"text": "x", "charset": "punycode"}, MISFORMED),
        ({"text": "x", "charset": "idna"}, MISFORMED),
        ({"text": "6869", "charset": "hex"}, MISFORMED),
        ({"text": "x", "charset": "utf-8\0"}, MISFORMED),
        ({"text": b"\x00h\x00", "coding": "2"}, MISFORMED),
        ({"text": b"\xd8\x00", "coding": "2"}, MISFORMED),
        ({"text": "a" * 1531}, MISFORMED),
        ({"text": "a" * 60_000}, MISFORMED),
        ({"text": "a" * 160, "udh": bytes.fromhex("050003010201")}, MISFORMED),
        ({"udh": b"\x05\x00"}, "UDH field misformed, rejected"),
        ({"udh": b"\xff" * 200}, "UDH field misformed, rejected"),
    ],
)
def test_each_fault_has_its_sentence(changes: dict[str, Any], text: str) -> None:
    assert answer_of(send_of(**changes)) == (400, text)


def test_faults_come_in_kannels_order() -> None:
    wrong: dict[str, Any] = {
        "priority": "9",
        "deferred": "x",
        "validity": "x",
        "compress": "9",
        "coding": "9",
        "mwi": "9",
        "alt_dcs": "9",
        "rpi": "9",
        "pid": "999",
        "mclass": "9",
        "dlr_mask": "99",
        "dlr_url": "x",
        "account": "[",
        "from": "",
        "to": "",
    }
    told = []
    while wrong:
        told.append(answer_of(send_of(**wrong))[1].split()[0])
        wrong.popitem()
    order = "Empty Sender Account DLR-URL DLR-Mask MClass PID RPI Alt-DCS MWI Coding Compress"
    assert told == [*order.split(), "Validity", "Deferred", "Priority"]


# --- what is taken ----------------------------------------------------------------------------


def test_every_parameter_reaches_the_draft() -> None:
    draft = draft_of(
        priority="3",
        validity="60",
        deferred="10",
        smsc="carrier",
        account="sales",
        binfo="42",
        pid="64",
        rpi="1",
        dlr_mask="31",
        dlr_url="http://h/dlr?id=7&s=%d",
        meta_data="?smpp?source_port=5000&user_message_reference=0x10",
    )
    assert draft == Draft(
        account=DEMO,
        source="kannel",
        body=draft.body,
        due_ms=NOW_MS + 600_000,
        expires_ms=NOW_MS + 3_600_000,
        callback_url="http://h/dlr?id=7&s=%d",
        callback_style="kannel:31",
        tags=("smsc:carrier", "account:sales", "binfo:42"),
    )
    peek = peek_submit_sm(draft.body)
    assert (peek.source_addr, peek.destination_addr) == ("Shop", "41791234567")
    assert (peek.priority_flag, peek.protocol_id, peek.esm_class) == (3, 64, 0x80)
    assert peek.registered_delivery == 1
    tlvs = dict(parse_tlvs(draft.body, peek.tlvs_at))
    assert tlvs == {Tag.SOURCE_PORT: b"\x13\x88", Tag.USER_MESSAGE_REFERENCE: b"\x00\x10"}


@pytest.mark.parametrize("value", ["", "-1", " "])
def test_a_number_may_be_left_open(value: str) -> None:
    open_: dict[str, Any] = {name.replace("-", "_"): value for name in kannel._RANGES}
    assert draft_of(**open_) == draft_of()


def test_several_receivers_share_a_batch_and_each_is_named_once() -> None:
    send = send_of(to="41791234567 +41791234568\t41791234567 nobody")
    assert isinstance(send, Send)
    numbers = [peek_submit_sm(draft.body).destination_addr for draft in send.drafts]
    assert numbers == ["41791234567", "41791234568"]
    assert {draft.batch for draft in send.drafts} == {NEW_BATCH}
    assert send.denied == ["nobody"]


@pytest.mark.parametrize(
    ("given", "own", "common", "sender"),
    [("Shop", "Own", "All", "Shop"), ("", "Own", "All", "Own"), (None, "", "All", "All")],
)
def test_who_sends(given: str | None, own: str, common: str, sender: str) -> None:
    fields = {"to": b"41791234567", "text": b"x"} | ({"from": given.encode()} if given else {})
    config = kannel.KannelConfig(global_sender=common)
    send = kannel.parse_send(Asked(fields), DEMO, own, config, NOW_MS)
    assert isinstance(send, Send)
    assert peek_submit_sm(send.drafts[0].body).source_addr == sender


@pytest.mark.parametrize(
    ("mask", "url", "style", "registered_delivery"),
    [
        (None, "http://h/", "", 0),
        ("0", "http://h/", "", 0),
        ("31", None, "", 0),
        ("1", "http://h/", "kannel:1", 3),
        ("2", "http://h/", "kannel:2", 2),
        ("3", "http://h/", "kannel:3", 1),
        ("8", "https://h/", "kannel:8", 0),
        ("63", "HTTP://h/", "kannel:63", 1),
    ],
)
def test_reports_need_a_mask_and_a_url(
    mask: str | None, url: str | None, style: str, registered_delivery: int
) -> None:
    draft = draft_of(dlr_mask=mask, dlr_url=url)
    assert draft.callback_style == style
    assert draft.callback_url == (url if style else None)
    assert peek_submit_sm(draft.body).registered_delivery == registered_delivery


@pytest.mark.parametrize(
    ("changes", "data_coding"),
    [
        ({}, 0x00),
        ({"coding": "0"}, 0x00),
        ({"coding": "1"}, 0x04),
        ({"coding": "2", "text": b"\x00h"}, 0x08),
        ({"text": "яя"}, 0x08),
        ({"coding": "0", "text": "яя"}, 0x00),
        ({"mclass": "0"}, 0x10),
        ({"mclass": "1", "coding": "1"}, 0x15),
        ({"mclass": "0", "text": "я"}, 0x18),
        ({"mclass": "0", "alt_dcs": "1"}, 0xF0),
        ({"mclass": "2", "coding": "1", "alt_dcs": "1"}, 0xF6),
        ({"mwi": "0"}, 0xD8),
        ({"mwi": "2"}, 0xDA),
        ({"mwi": "5"}, 0xD1),
        ({"mwi": "1", "text": "я"}, 0xE9),
        ({"mwi": "3", "alt_dcs": "1"}, 0xCB),
        ({"compress": "1", "coding": "1"}, 0x24),
        ({"udh": bytes.fromhex("0605040b8423f0"), "text": b"\xdc\x06"}, 0x04),
    ],
)
def test_the_data_coding_scheme(changes: dict[str, Any], data_coding: int) -> None:
    assert peek_submit_sm(draft_of(**changes).body).data_coding == data_coding


@pytest.mark.parametrize(
    ("changes", "data"),
    [
        ({"text": "né€"}, b"n\x05\x1be"),
        ({"text": b"n\xe9", "charset": "ISO-8859-1"}, b"n\x05"),
        ({"text": b"\x80", "charset": "windows-1252"}, b"\x1be"),
        ({"text": "aя", "coding": "0"}, b"a?"),
        ({"text": "я", "coding": "2", "charset": "utf-8"}, b"\x04\x4f"),
        ({"text": b"\x04\x4f", "coding": "2"}, b"\x04\x4f"),
        ({"text": b"\x04\x4f", "charset": "UCS-2"}, b"\x04\x4f"),
        ({"text": bytes(range(128, 160)), "coding": "1"}, bytes(range(128, 160))),
    ],
)
def test_the_octets_of_a_text(changes: dict[str, Any], data: bytes) -> None:
    assert read_body(draft_of(**changes).body).data == data


def test_a_header_of_its_own_goes_before_the_text() -> None:
    udh = bytes.fromhex("0605040b8423f0")
    draft = draft_of(udh=udh, text=b"\xdc\x06")
    spoken = read_body(draft.body)
    assert (spoken.data, spoken.udh) == (udh + b"\xdc\x06", True)
    assert read_body(draft_of(udh=udh, text="").body).data == udh


# --- escapes and meta-data --------------------------------------------------------------------


def test_what_only_the_request_knows_is_filled_in_at_once() -> None:
    draft = draft_of(
        dlr_mask="3",
        dlr_url="http://h/?n=%n&o=%o&B=%B&c=%c&m=%m&M=%M&C=%C&O=%O&v=%v&V=%V&D=%D"
        "&x=%#smpp#source_port#&u=%u&d=%d&A=%A&pc=%%41&bad=%z",
        account="a&b",
        binfo="x y",
        coding="0",
        mclass="1",
        validity="60",
        deferred="10",
        meta_data="?smpp?source_port=5000",
    )
    assert draft.callback_url == (
        "http://h/?n=demo&o=a%%26b&B=x+y&c=0&m=1&M=-1&C=UTF-8&O=17&v=60&V=10"
        "&D=%%3Fsmpp%%3Fsource_port%%3D5000&x=5000&u=&d=%d&A=%A&pc=%%41&bad=%z"
    )


def test_octets_that_no_url_has_are_encoded_for_good() -> None:
    url = draft_of(dlr_mask="1", dlr_url="http://h/?t=a bé").callback_url
    assert url == "http://h/?t=a%%20b%%C3%%A9"
    assert fill(url, {}, is_last=True) == "http://h/?t=a%20b%C3%A9"


@pytest.mark.parametrize(
    ("pattern", "filled"),
    [
        ("%k|%s|%s|%s|%r", "one|two|th%2Aree||"),
        ("%S|%S|%r", "two|th~ree|"),
        ("%s|%r", "two|th%2Aree"),
        ("%a", "one+two+th%2Aree"),
        ("%A", "one++two+th%2Aree"),
        ("100%", "100%"),
        ("%%d", "%d"),
        ("%y%%", "%y%"),
        ("%#no#thing#", "%#no#thing#"),
        ("%#broken", "%#broken"),
    ],
)
def test_words_and_percent_signs(pattern: str, filled: str) -> None:
    assert fill(pattern, Words("one  two th*ree").values(), is_last=True) == filled


@pytest.mark.parametrize(
    ("octets", "groups"),
    [
        (b"", {}),
        (b"?smpp?a=1&b=%41", {"smpp": {"a": b"1", "b": b"A"}}),
        (b"?smpp?a=1?http?c=x+y?", {"smpp": {"a": b"1"}, "http": {"c": b"x y"}}),
        (b"smpp", None),
        (b"?smpp", None),
        (b"?smpp?a", None),
        (b"?smpp?=1", None),
        (b"?smpp?a=1?b", None),
        (b"?x?a=" + b"1" * 5000, None),
    ],
)
def test_meta_data(octets: bytes, groups: object) -> None:
    assert parse_meta_data(octets) == groups


@pytest.mark.parametrize(
    ("parameters", "tlvs"),
    [
        ({"source_port": b"5000"}, ((0x020A, b"\x13\x88"),)),
        ({"nobody_knows": b"x"}, ()),
        ({"my_tag": b"\x01\x02"}, ((0x1501, b"\x01\x02"),)),
        ({"message_payload": b"x"}, ()),
        ({"receipted_message_id": b"x"}, ()),
        ({"dest_network_id": b"abcdef"}, ((0x060E, b"abcdef\0"),)),
        ({"dest_network_id": b"x"}, None),
        ({"source_port": b"-1"}, None),
        ({"source_port": b"\xff"}, None),
        ({"callback_num": b"x" * 30}, None),
    ],
)
def test_tlvs_of_meta_data(parameters: dict[str, bytes], tlvs: object) -> None:
    assert tlvs_of({"smpp": parameters}, {"my_tag": 0x1501}) == tlvs


# --- answers ----------------------------------------------------------------------------------

TWO = Send([], ["41791", "41792"], ["nobody"], 3)
OK, NO = Admitted(MessageId(7)), Refused(Status.ESME_RINVDSTADR, "no route")


@pytest.mark.parametrize(
    ("admissions", "is_up", "immediate", "status", "text"),
    [
        ([OK, OK], True, False, 202, "0: Accepted for delivery"),
        ([OK, OK], False, False, 202, "3: Queued for later delivery"),
        ([OK, NO], True, False, 202, "0: Accepted for delivery"),
        ([OK, OK], True, True, 202, "Sent. Denied receivers are: nobody Message splits: 3"),
        ([OK, NO], True, True, 202, "Sent. Denied receivers are: nobody 41792 Message splits: 3"),
        ([NO, NO], True, False, 403, "Not routable. Do not try again."),
        (
            [Refused(Vendor.SMSC_NO_CREDIT, "")] * 2,
            True,
            False,
            403,
            "Not routable. Do not try again.",
        ),
        (
            [Refused(Vendor.SMSC_ACCOUNT_CLOSED, "")] * 2,
            True,
            False,
            403,
            "Authorization failed for sendsms",
        ),
        (
            [NO, Refused(Status.ESME_RTHROTTLED, "")],
            True,
            False,
            503,
            "Temporal failure, try again later.",
        ),
        (
            [Refused(Status.ESME_RMSGQFUL, "")] * 2,
            True,
            False,
            503,
            "Temporal failure, try again later.",
        ),
        (
            [Refused(Status.ESME_RSYSERR, "")] * 2,
            True,
            False,
            503,
            "Temporal failure, try again later.",
        ),
    ],
)
def test_the_answers(
    admissions: list[Admission], is_up: bool, immediate: bool, status: int, text: str
) -> None:
    answer = kannel_answers.sent_answer(TWO, admissions, is_up=is_up, is_immediate=immediate)
    reply = kannel_answers.to_reply(answer)
    assert (reply.status, reply.body.decode(), reply.media_type) == (status, text, "text/html")
    assert ("Retry-After" in dict(reply.headers)) == (status == 503)


def test_ids_and_denied_numbers_stand_in_headers() -> None:
    answer = kannel_answers.sent_answer(TWO, [OK, NO], is_up=True, is_immediate=False)
    assert dict(answer.headers) == {
        "X-Message-Id": "7",
        "X-Kannel-Id": uuid_of(MessageId(7)),
        "X-Denied-Receivers": "nobody,41792",
    }


def test_a_denied_number_is_no_markup() -> None:
    send = Send([], ["41791"], ["<script>"], 1)
    answer = kannel_answers.sent_answer(send, [OK], is_up=True, is_immediate=True)
    assert answer.text == "Sent. Denied receivers are: &lt;script&gt;"


@pytest.mark.parametrize("status", [408, 413, 500])
def test_a_failure(status: int) -> None:
    answer = kannel_answers.failure(status)
    assert (answer.status, answer.text) == (status, "Sending failed.")


@pytest.mark.parametrize(
    ("status", "http"),
    [
        (Status.ESME_RINVPASWD, 403),
        (Status.ESME_RBINDFAIL, 403),
        (Vendor.SMSC_ACCOUNT_CLOSED, 403),
        (Vendor.SMSC_UNAVAILABLE, 503),
    ],
)
def test_who_may_not(status: int, http: int) -> None:
    assert kannel_answers.refused_login(Refused(status, "why")).status == http
