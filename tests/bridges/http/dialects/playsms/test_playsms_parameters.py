"""Where the parameters of a playSMS request stand, and what counts."""

import pytest

from bridges.http.dialects.playsms.parameters import MAX_PARAMETERS, parse_parameters

FORM = "application/x-www-form-urlencoded"
MULTIPART = 'multipart/form-data; boundary="b-d"'


def part(name: str, value: bytes, more: str = "") -> bytes:
    return (
        f'--b-d\r\nContent-Disposition: form-data; name="{name}"{more}\r\n'.encode()
        + b"\r\n"
        + value
        + b"\r\n"
    )


def test_a_form_goes_before_the_query_and_the_last_one_counts() -> None:
    asked = parse_parameters("op=ds&u=demo&u=plain&msg=a+b%26c", FORM, b"op=pv&to=%2B41%20")
    assert asked.values == {"op": "pv", "u": "plain", "msg": "a b&c", "to": "+41"}


def test_a_multipart_form() -> None:
    body = part("msg", b" a\r\n\r\n--b c ") + part("op", b"pv") + part("to", b"1", '; filename="x"')
    asked = parse_parameters("op=ds", MULTIPART, body + b"--b-d--\r\n" + part("u", b"late"))
    assert asked.values == {"op": "pv", "msg": "a\r\n\r\n--b c"}


@pytest.mark.parametrize("value", ["%ff", "%00x%00a", "a%08", "%EF%BF%BF", "%ed%a0%80"])
def test_what_cannot_be_read_is_neither_there_nor_missing(value: str) -> None:
    asked = parse_parameters(f"msg={value}", "", b"")
    assert asked.get("msg") == ""
    assert asked.broken == {"msg"}
    assert not asked.lacks(["msg"])
    assert asked.lacks(["msg", "to"])
    again = parse_parameters(f"msg={value}&msg=good", "", b"")
    assert (again.get("msg"), again.broken) == ("good", frozenset())


def test_only_so_many() -> None:
    asked = parse_parameters("&".join(f"p{one}=1" for one in range(5000)), "", b"")
    assert len(asked.values) == MAX_PARAMETERS


def test_values_do_not_show() -> None:
    assert "hunter2" not in repr(parse_parameters("p=hunter2", "", b""))
