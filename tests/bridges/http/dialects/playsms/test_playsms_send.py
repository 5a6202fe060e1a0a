"""op=pv: receivers, texts, rows."""

from collections.abc import Mapping

import pytest

from bridges.http.dialects.base import read_body
from bridges.http.dialects.playsms import send
from bridges.http.dialects.playsms.codes import Fault
from bridges.http.dialects.playsms.config import PlaysmsConfig
from bridges.http.dialects.playsms.parameters import Parameters
from bridges.http.dialects.playsms.send import Reading, Wish
from pdu.status import Status, Vendor
from smsc.message import NEW_BATCH, AccountId, MessageId
from smsc.ports import Admission, Admitted, Contact, Profile, Refused

NOW_MS = 1_700_000_000_000
ME = Profile(account=AccountId("me"), uid=1)
READING = Reading.of(PlaysmsConfig(max_receivers=5, max_parts=2))
GROUPS = {"few": ["41791110001", "x"], "none": []}


def members(code: str) -> list[Contact] | None:
    numbers = GROUPS.get(code)
    return None if numbers is None else [Contact(name=one, number=one) for one in numbers]


def parsed(fields: Mapping[str, str], reading: Reading = READING) -> Wish | Fault:
    asked = Parameters({"to": "41791234567", "msg": "hi", **fields})
    return send.parse_send(asked, ME, "Me", members, reading, NOW_MS)


def wish(**fields: str) -> Wish:
    found = parsed(fields)
    assert isinstance(found, Wish)
    return found


def test_numbers_come_once_and_users_behind_them() -> None:
    found = wish(to="@you, 1 234,#few,1234,@you,#none,@me")
    assert list(found.numbers) == ["1234", "41791110001", "x", "#none"]
    assert [draft is not None for draft in found.numbers.values()] == [True, True, False, False]
    assert found.users == ["you"]
    for draft in found.wanted():
        assert (draft.batch, draft.source, draft.account) == (NEW_BATCH, "playsms", "me")
        assert read_body(draft.body).source == "Me"


@pytest.mark.parametrize(
    ("written", "address", "local"),
    [
        ("079 123-45.67", "0791234567", "41791234567"),
        ("+41 (79) 123/45 67", "+41791234567", "+41791234567"),
        ("0041791234567", "+41791234567", "+41791234567"),
        ("0800", "0800", "0800"),
        ("1234", "1234", "1234"),
        ("00", "", ""),
        ("x", "", ""),
        ("", "", ""),
        ("(079)", "", ""),
        ("٠٧٩", "", ""),
    ],
)
def test_what_a_leading_0_means(written: str, address: str, local: str) -> None:
    assert send.local_number(written, ME) == address
    swiss = Profile(account=AccountId("me"), uid=1, replace_zero="41", local_length=4)
    assert send.local_number(written, swiss) == local


def test_a_region_reads_national_numbers() -> None:
    reading = Reading.of(PlaysmsConfig(region="CH"))
    found = parsed({"to": "0791234567,41791234567,+39 335 123456,no"}, reading)
    assert isinstance(found, Wish)
    assert list(found.numbers) == ["+41791234567", "+39335123456", "no"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"msg": "a" * 307}, 200),
        ({"msg": "a" * 135, "unicode": "1"}, 200),
        ({"to": "1,2,3,4,5,6"}, 200),
        ({"to": "@a,@b,@c,@d,@e,@f"}, 200),
        ({"schedule": "soon"}, 200),
        ({"to": "@me"}, 201),
        ({"to": " , "}, 201),
    ],
)
def test_what_nobody_gets(fields: dict[str, str], code: int) -> None:
    found = parsed(fields)
    assert isinstance(found, Fault)
    assert found.code == code


def test_the_text() -> None:
    with_footer = Profile(account=AccountId("me"), uid=1, footer=" -- me ")

    def text(**fields: str) -> str:
        return send.full_text(Parameters({"msg": "a\r\nb", **fields}), with_footer)

    assert text() == "a\nb -- me"
    assert text(footer="bye") == "a\nb bye"
    assert text(nofooter="0") == "a\nb -- me"
    assert text(nofooter="1", footer="bye") == "a\nb"
    assert send.full_text(Parameters({"msg": "a"}), ME) == "a"


def test_rows() -> None:
    found = wish(to="1001,1002,1003,x,@a")
    admissions: list[Admission] = [
        Refused(Vendor.SMSC_NO_CREDIT, ""),
        Admitted(MessageId(255)),
        Refused(Status.ESME_RINVDSTADR, ""),
    ]
    queue = "000000000000000000000000000000ff"
    no = {"status": "ERR", "smslog_id": "", "queue": ""}
    assert send.sent_rows(found, admissions, [True]) == {
        "data": [
            {**no, "error": "103", "to": "1001"},
            {"status": "OK", "error": "0", "smslog_id": "255", "queue": queue, "to": "1002"},
            {**no, "error": "200", "to": "1003"},
            {**no, "error": "200", "to": "x"},
            {"status": "OK", "error": "0", "smslog_id": "", "queue": "", "to": "@a"},
        ]
    }


def test_queues() -> None:
    largest = (1 << 63) - 1
    for batch in (1, 255, largest):
        assert send.batch_of(send.queue_code(batch)) == batch
        assert send.batch_of(send.queue_code(batch).upper()) == batch
    for queue in (
        "",
        "0" * 32,
        "f" * 32,
        "ff",
        send.queue_code(largest + 1),
        "afb5f34575e30ec4efe4471cf5d1bee4",
    ):
        assert send.batch_of(queue) is None
