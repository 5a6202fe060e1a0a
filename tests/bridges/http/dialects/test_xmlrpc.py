"""XML-RPC: Python's own library is the oracle for what is read and written."""

import datetime as dt
import xmlrpc.client
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.http.dialects import xmlrpc as ours
from bridges.http.dialects.xmlrpc import Fault, MethodCall

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C"]) | st.just(" "))


def parsed(value: str) -> Any:
    """The one argument of a call, written as it stands."""
    body = f"<methodCall><methodName>m</methodName><params><param>{value}</param></params></methodCall>"
    found = ours.parse_call(body.encode())
    return found.params[0] if isinstance(found, MethodCall) else found.code


@pytest.mark.parametrize(
    ("value", "argument"),
    [
        ("<value>bare</value>", "bare"),
        ("<value></value>", ""),
        ("<value/>", ""),
        ("<value>\n<string>typed</string>\n</value>", "typed"),
        ("<value><string/></value>", ""),
        ("<value><string> kept </string></value>", " kept "),
        ("<value><int>0792223344</int></value>", "0792223344"),
        ("<value><i4>-5</i4></value>", "-5"),
        ("<value><i8>41792223344</i8></value>", "41792223344"),
        ("<value><double>4.5</double></value>", "4.5"),
        ("<value><boolean>1</boolean></value>", "1"),
        (
            "<value><dateTime.iso8601>20061206T20:05:00</dateTime.iso8601></value>",
            "20061206T20:05:00",
        ),
        ("<value><nil/></value>", ""),
        ('<value><e:nil xmlns:e="urn:x"/></value>', ""),
        ("<value><base64>Z3LDvGV6aQ==</base64></value>", "grüezi"),
        ("<value><base64>\n Z3LDvGV6\n aQ==\n</base64></value>", "grüezi"),
        ("<value><base64>Z3L8ZXpp</base64></value>", "grüezi"),
        ("<value><base64/></value>", ""),
        ("<value><array><data/></array></value>", []),
        (
            "<value><array><data><value>a</value><value><int>1</int></value></data></array></value>",
            ["a", "1"],
        ),
        (
            "<value><struct><member><name>n</name><value>v</value></member></struct></value>",
            {"n": "v"},
        ),
        ("<value><base64>*</base64></value>", ours.WRONG_PARAMETERS),
        ("<value><base64>Z3</base64></value>", ours.WRONG_PARAMETERS),
        ("<value><what>1</what></value>", ours.WRONG_PARAMETERS),
        ("<value><int>1</int><int>2</int></value>", ours.WRONG_PARAMETERS),
        ("<value><string><b/></string></value>", ours.WRONG_PARAMETERS),
        ("<value><array><data><value><b/></value></data></array></value>", ours.WRONG_PARAMETERS),
        ("<value><struct><member><name>n</name></member></struct></value>", ours.WRONG_PARAMETERS),
        (
            "<value><struct><member><value>n</value></member></struct></value>",
            ours.WRONG_PARAMETERS,
        ),
        ("<nothing/>", ours.WRONG_PARAMETERS),
    ],
)
def test_arguments(value: str, argument: object) -> None:
    assert parsed(value) == argument


def test_a_call_without_parameters() -> None:
    for body in (b"<methodCall><methodName> m </methodName></methodCall>",):
        assert ours.parse_call(body) == MethodCall("m", [])


@given(st.lists(TEXTS | st.lists(TEXTS, max_size=3) | st.dictionaries(TEXTS, TEXTS, max_size=3)))
def test_what_python_s_client_sends(values: list[Any]) -> None:
    body = xmlrpc.client.dumps(tuple(values), "m").encode()
    assert ours.parse_call(body) == MethodCall("m", values)


def test_what_python_s_client_means_by_bytes_and_dates() -> None:
    values = ("é€".encode(), dt.datetime.fromisoformat("2026-12-06T20:05:00"), 7, True)
    found = ours.parse_call(xmlrpc.client.dumps(values, "m").encode())
    assert found == MethodCall("m", ["é€", "20261206T20:05:00", "7", "1"])


SCALARS = st.booleans() | st.integers(-(2**31), 2**31 - 1) | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=10,
)


@given(VALUES)
def test_python_s_client_reads_what_is_written(value: Any) -> None:
    reply = ours.answer(value)
    assert (reply.status, reply.media_type) == (200, "text/xml; charset=utf-8")
    (read,), _ = xmlrpc.client.loads(reply.body)
    assert read == value
    assert b"<nil" not in reply.body
    assert b"<i8" not in reply.body
    assert b"<value></value>" not in reply.body


def test_an_int_has_32_bits() -> None:
    (read,), _ = xmlrpc.client.loads(ours.answer([1 << 40, -(1 << 40)]).body)
    assert read == [2**31 - 1, -(2**31)]


def test_an_empty_string_is_typed() -> None:
    assert b"<value><string></string></value>" in ours.answer("").body


def test_a_fault() -> None:
    reply = ours.fault(Fault(-32601, "no <such> method"))
    assert reply.status == 200
    with pytest.raises(xmlrpc.client.Fault) as fault:
        xmlrpc.client.loads(reply.body)
    assert (fault.value.faultCode, fault.value.faultString) == (-32601, "no <such> method")


def test_parameters_are_not_shown() -> None:
    assert "secret" not in repr(MethodCall("m", ["secret"]))
