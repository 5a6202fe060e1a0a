"""SOAP envelopes, of both styles and of none."""

import pytest

from bridges.http.dialects import safe_xml, soap
from bridges.http.dialects.safe_xml import NotXml
from bridges.http.dialects.soap import Operation, SoapFault

HEAD = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:x="urn:x">'


def read(inside: str) -> Operation | SoapFault:
    root = safe_xml.parse(f"{HEAD}{inside}</e:Envelope>".encode())
    assert not isinstance(root, NotXml)
    return soap.parse_operation(root, "urn:x")


@pytest.mark.parametrize(
    ("inside", "parameters", "arrays", "wrong"),
    [
        ("", {}, set(), set()),
        ("<a>1</a><b/>", {"a": ["1"], "b": [""]}, set(), set()),
        ("<a>1</a><a>2</a>", {"a": ["1", "2"]}, set(), set()),
        ("<a><i>1</i><j>2</j></a>", {"a": ["1", "2"]}, {"a"}, set()),
        ("<a><i><j/></i></a><b>1</b>", {"a": [], "b": ["1"]}, {"a"}, {"a"}),
        ("<x:a>1</x:a>", {"a": ["1"]}, set(), set()),
        ('<a href="#none">1</a>', {"a": ["1"]}, set(), set()),
        ('<a href="http://127.0.0.1/">1</a>', {"a": ["1"]}, set(), set()),
    ],
)
def test_parameters(
    inside: str, parameters: dict[str, list[str]], arrays: set[str], wrong: set[str]
) -> None:
    found = read(f"<e:Header><x:h/></e:Header><e:Body><x:op>{inside}</x:op></e:Body>")
    assert found == Operation("op", parameters, frozenset(arrays), frozenset(wrong))


def test_references() -> None:
    found = read(
        '<e:Body><x:op><a href="#1"/><b href="#2"/></x:op>'
        '<m id="1"><i href="#2"/><i>two</i></m><m id="2">one</m></e:Body>'
    )
    assert isinstance(found, Operation)
    assert found.parameters == {"a": ["one", "two"], "b": ["one"]}


def test_a_reference_that_goes_round() -> None:
    found = read('<e:Body><x:op><a href="#1"/></x:op><m id="1"><i href="#1"/></m></e:Body>')
    assert isinstance(found, Operation)
    assert found.wrong == {"a"}


@pytest.mark.parametrize(
    ("inside", "code"),
    [
        ("", "Client"),
        ("<e:Body/>", "Client"),
        ("<e:Header/>", "Client"),
        ("<Body><x:op/></Body>", "Client"),
        ("<e:Body><op/></e:Body>", "Client"),
        ('<e:Body><y:op xmlns:y="urn:y"/></e:Body>', "Client"),
    ],
)
def test_faults(inside: str, code: str) -> None:
    found = read(inside)
    assert isinstance(found, SoapFault)
    assert found.code == code
    assert f"<faultcode>SOAP-ENV:{code}</faultcode>" in soap.fault(found)


def test_parameters_are_not_shown() -> None:
    assert "secret" not in repr(Operation("op", {"password": ["secret"]}))


def test_an_answer_has_the_prefixes_that_clients_search_for() -> None:
    body = soap.envelope(soap.response("op", {"code": "1", "error": "", "m": "<&\x00>"}), "urn:x")
    assert body.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:ns1="urn:x"><SOAP-ENV:Body><ns1:opResponse><code>1</code><error/>'
        "<m>&lt;&amp;\ufffd&gt;</m></ns1:opResponse></SOAP-ENV:Body></SOAP-ENV:Envelope>\n"
    )
