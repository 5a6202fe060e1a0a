"""SMSHub over real sockets, against a whole gateway: zeep, the vendor's wire habits, bad input."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import orjson
import pytest
import zeep
import zeep.transports

from pdu.text.alphabet import Alphabet, MessageClass, alphabet_of, message_class
from smsc.message import MessageId, State
from tests.bridges.http.dialect_house import ROUTES
from tests.bridges.http.xml_house import Answer, XmlHouse, running

KEY = {"WA-API-Key": "s3cret"}


@pytest.fixture(scope="module")
def xml_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[XmlHouse]:
    with running(tmp_path_factory.mktemp("smshub")) as one:
        yield one


def envelope(inside: str) -> bytes:
    """As the vendor's Python client writes it: values as they stand."""
    return (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        f'xmlns:urn="urn:smshub"><soapenv:Header/><soapenv:Body>{inside}</soapenv:Body>'
        "</soapenv:Envelope>"
    ).encode()


def send_of(operation: str = "smshubSend", **values: str) -> bytes:
    fields = {
        "username": "demo",
        "password": "demo",
        "mobile": "<String>+352691123456</String>",
        "text": "hello",
    } | values
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items() if value != "-")
    return envelope(f"<urn:{operation}>{inside}</urn:{operation}>")


def soap(house: XmlHouse, body: bytes, path: str = "/smshub/") -> Answer:
    """As the vendor's client posts: application/xml, and no SOAPAction."""
    return house.ask("POST", path, body, {"Content-Type": "application/xml"})


def told(heard: Answer, operation: str = "smshubSend") -> tuple[str, str, str]:
    """Code, error and message, found as the vendor's client finds them: by literal text."""
    assert heard.status == 200
    text = heard.body.decode()
    assert '<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"' in text
    assert 'xmlns:ns1="urn:smshub"' in text
    inside = re.search(rf"<SOAP-ENV:Body><ns1:{operation}Response>(.*)</ns1:", text, re.DOTALL)
    assert inside, text
    found = re.fullmatch(
        r"<code>([01])</code>(?:<error/>|<error>(\w+)</error>)<message>(.+)</message>", inside[1]
    )
    assert found, inside[1]
    return found[1], found[2] or "", found[3]


SENT = ("1", "", "SMS send success")
AUTH_FAILED = ("0", "AuthFailed", "Invalid username or password")
BAD_REQUEST = ("0", "BadRequest", "Invalid SMS request")
SERVER_ERROR = ("0", "ServerError", "Server Error")


# --- zeep ---------------------------------------------------------------------------------------


@pytest.fixture(params=["/smshub/?wsdl", "/smshub?WSDL", "/smshub.wsdl"])
def service(request: pytest.FixtureRequest, xml_house: XmlHouse) -> Iterator[Any]:
    """A client that knows nothing but where the WSDL is."""
    untyped: Any = zeep
    transport = untyped.transports.Transport(timeout=10, operation_timeout=10)
    transport.session.trust_env = False
    with untyped.Client(f"{xml_house.base}{request.param}", transport=transport) as client:
        yield client.service
    transport.session.close()


def test_zeep_sends_and_asks(xml_house: XmlHouse, service: Any) -> None:
    answer = service.smshubSend(
        username="demo",
        password="demo",
        mobile={"String": ["+352691123456", "+41791234567"]},
        text="Grüezi & <b> €",
        type="Flash",
        sender="Bank",
        client="vpn1",
        source="192.0.2.7",
        settings="",
    )
    assert (answer.code, answer.error, answer.message) == (1, None, "SMS send success")
    one, two = (report.message for report in xml_house.newest(2))
    assert [one.peek.destination_addr, two.peek.destination_addr] == ["352691123456", "41791234567"]
    assert one.peek.source_addr == "Bank"
    assert one.reference == "vpn1"
    assert two.batch == one.id
    assert message_class(one.peek.data_coding) is MessageClass.FLASH
    xml_house.wait_for(one.id, State.DELIVERED)
    status = service.smshubStatus()
    assert status.status == 1
    assert "Connectors: OK (2 alive & 0 down)" in status.message
    assert service.smssendStatus().status == 1


def test_zeep_hears_an_error_id(service: Any, xml_house: XmlHouse) -> None:
    rest = dict.fromkeys(("type", "sender", "client", "source", "settings"), "")
    answer = service.smshubSend(
        username="demo", password="wrong", mobile={"String": ["1"]}, text="x", **rest
    )
    xml_house.forgive()
    assert (answer.code, answer.error, answer.message) == (0, *AUTH_FAILED[1:])
    rest = dict.fromkeys(("timeout", "client", "source", "settings"), "")
    answer = service.smshubSign(
        username="demo", password="demo", mobile={"String": ["+352691123456"]}, text="x", **rest
    )
    assert (answer.code, answer.error) == (0, "ServerError")


# --- the vendor's client ------------------------------------------------------------------------


def test_the_vendor_s_client(xml_house: XmlHouse) -> None:
    before = xml_house.stored()
    mobile = "<String>+352691123456</String><String> +41791234567 </String>"
    assert told(soap(xml_house, send_of(mobile=mobile, text="Grüezi €"))) == SENT
    assert xml_house.stored() == before + 2
    one, two = (report.message for report in xml_house.newest(2))
    assert (one.peek.destination_addr, two.peek.destination_addr) == (
        "352691123456",
        "41791234567",
    )
    assert one.reference == "127.0.0.1"  # no client: its address
    assert one.source == "smshub"


def test_a_text_that_it_did_not_escape(xml_house: XmlHouse) -> None:
    before = xml_house.stored()
    heard = soap(xml_house, send_of(text="Fish & Chips"))
    assert told(heard) == BAD_REQUEST
    assert heard.headers["x-reason"].startswith("the body is not XML")
    sign = soap(xml_house, send_of("smshubSign", text="a < b"))
    assert told(sign, "smshubSign") == BAD_REQUEST
    assert xml_house.stored() == before


def test_php_sends_encoded_arrays_and_an_action(xml_house: XmlHouse) -> None:
    body = b"""<?xml version="1.0" encoding="UTF-8"?>
<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:ns1="urn:smshub" xmlns:xsd="http://www.w3.org/2001/XMLSchema"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/"
 SOAP-ENV:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><SOAP-ENV:Body>
<ns1:smshubSend><username xsi:type="xsd:string">demo</username>
<password xsi:type="xsd:string">demo</password>
<mobile SOAP-ENC:arrayType="xsd:string[2]" xsi:type="SOAP-ENC:Array">
<item xsi:type="xsd:string">+352691123456</item><item xsi:type="xsd:string">+41791234567</item>
</mobile><text xsi:type="xsd:string">5 &gt; 4 &amp; <![CDATA[<b>]]></text>
<type xsi:nil="true"/></ns1:smshubSend></SOAP-ENV:Body></SOAP-ENV:Envelope>"""
    headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '"smshubSend"'}
    before = xml_house.stored()
    assert told(xml_house.ask("POST", "/smshub/", body, headers)) == SENT
    assert xml_house.stored() == before + 2
    assert xml_house.newest()[0].message.body.endswith(b"5 > 4 & <b>")


def test_arrays_of_other_kinds(xml_house: XmlHouse) -> None:
    inside = (
        "<urn:smshubSend><username>demo</username><password>demo</password><text>x</text>{}"
        "</urn:smshubSend>{}"
    )
    for mobile, more, count in (
        ("<mobile>+352691123456</mobile>", "", 1),
        ("<mobile>+352691123456</mobile><mobile>+41791234567</mobile>", "", 2),
        (
            '<mobile href="#id0"/>',
            (
                '<multiRef id="id0"><mobile href="#id1"/><mobile>+41791234567</mobile></multiRef>'
                '<multiRef id="id1">+352691123456</multiRef>'
            ),
            2,
        ),
    ):
        before = xml_house.stored()
        assert told(soap(xml_house, envelope(inside.format(mobile, more)))) == SENT, mobile
        assert xml_house.stored() == before + count
    endless = '<mobile href="#id0"/>', '<multiRef id="id0"><mobile href="#id0"/></multiRef>'
    assert told(soap(xml_house, envelope(inside.format(*endless)))) == BAD_REQUEST


def test_the_prefix_and_the_slash_do_not_matter(xml_house: XmlHouse) -> None:
    body = (
        b'<m:Envelope xmlns:m="http://schemas.xmlsoap.org/soap/envelope/"><m:Body>'
        b'<smshubSend xmlns="urn:smshub"><username>demo</username><password>demo</password>'
        b"<mobile>+352691123456</mobile><text>x</text></smshubSend></m:Body></m:Envelope>"
    )
    assert told(soap(xml_house, body, "/smshub")) == SENT


def test_the_status_in_the_order_that_its_tests_read(xml_house: XmlHouse) -> None:
    for name in ("smshubStatus", "smssendStatus"):
        heard = soap(xml_house, envelope(f"<urn:{name}/>"))
        root = ET.fromstring(heard.body)
        (answer,) = root[0]
        assert answer.tag == f"{{urn:smshub}}{name}Response"
        assert [child.tag for child in answer] == ["status", "message"]
        assert answer[0].text == "1"
        message = answer[1].text or ""
        assert "'" not in message
        assert re.search(
            r"Server: .*\nSystem: .*\nListener: .*\nUptime: \d+s.*\nCluster Node: .*\n"
            r"Local Memory: .*\nShared Memory: .*\nConnectors: .*",
            message,
        )


def test_type_sender_settings(xml_house: XmlHouse) -> None:
    def sent(**values: str) -> Any:
        assert told(soap(xml_house, send_of(**values))) == SENT, values
        return xml_house.newest()[0].message

    assert message_class(sent().peek.data_coding) is None
    assert message_class(sent(type="Normal").peek.data_coding) is None
    assert message_class(sent(type="Flash").peek.data_coding) is MessageClass.FLASH
    flash = sent(type="Normal", settings="SMSType=Flash,NoSuch=1", text="Привет")
    assert message_class(flash.peek.data_coding) is MessageClass.FLASH
    assert alphabet_of(flash.peek.data_coding) is Alphabet.UCS2
    assert sent(sender="Shop").peek.source_addr == "Shop"
    assert sent(sender="Shop", settings="SMSSender=Bank").peek.source_addr == "Bank"
    assert sent(username="plain", password="plain").peek.source_addr == "Plain"
    short = sent(settings="SMSValidity=60")
    assert short.expires_ms - short.accepted_ms == pytest.approx(60_000, abs=2_000)
    assert sent(client="nas 7").reference == "nas 7"
    assert sent(source="2001:db8::1") is not None


# --- JSON ---------------------------------------------------------------------------------------


def rpc(house: XmlHouse, method: str, params: object, **more: object) -> Any:
    body = orjson.dumps({"jsonrpc": "2.0", "method": method, "params": params, "id": 0} | more)
    form = {"Content-Type": "application/x-www-form-urlencoded"}  # as PHP labels it
    heard = house.ask("POST", "/smshub/", b" \n" + body, form)
    assert heard.status == 200
    assert heard.headers["content-type"] == "application/json"
    return orjson.loads(heard.body)


JSON = {"username": "demo", "password": "demo", "mobile": ["+352691123456"], "text": "50% a+b & c"}


def test_json(xml_house: XmlHouse) -> None:
    answer = rpc(xml_house, "smshubSend", JSON | {"settings": {"SMSType": "Flash"}}, id="a1")
    result = {"code": 1, "error": None, "message": "SMS send success"}
    assert answer == {"jsonrpc": "2.0", "result": result, "id": "a1"}
    message = xml_house.newest()[0].message
    assert message.body.endswith(b"50% a+b & c")
    assert message_class(message.peek.data_coding) is MessageClass.FLASH
    before = xml_house.stored()
    assert rpc(xml_house, "smshubSend", JSON | {"mobile": 352691123456})["result"]["code"] == 1
    assert xml_house.stored() == before + 1
    wrong = rpc(xml_house, "smshubSend", JSON | {"password": "wrong"})["result"]
    assert (wrong["code"], wrong["error"]) == (0, "AuthFailed")
    for name in ("smshubStatus", "smssendStatus"):
        status = rpc(xml_house, name, {})["result"]
        assert status["status"] == 1
        assert status["message"].startswith("Server: ")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", -32700),
        (b'{"jsonrpc":"2.0","method":"smshubSend","id":1', -32700),
        (b'{"a":"\xff"}', -32700),
        (b"[]", -32600),
        (b"{}", -32600),
        (b'{"jsonrpc":"1.0","method":"smshubStatus","id":1}', -32600),
        (b'{"jsonrpc":"2.0","method":7,"id":1}', -32600),
        (b'{"jsonrpc":"2.0","method":"smshubStatus","id":{}}', -32600),
        (b'{"jsonrpc":"2.0","method":"no_such","id":1}', -32601),
        (b'{"jsonrpc":"2.0","method":"smshubSend","params":["demo"],"id":1}', -32602),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, -32700),
    ],
)
def test_what_is_no_json_rpc(xml_house: XmlHouse, body: bytes, code: int) -> None:
    before = xml_house.stored()
    heard = xml_house.ask("POST", "/smshub/", body)
    assert heard.status == 200
    assert orjson.loads(heard.body)["error"]["code"] == code
    assert xml_house.stored() == before


# --- bad input: every operation, and nothing stored ---------------------------------------------

LONG = "a" * (153 * 255 + 1)
TWICE = "<String>+352691123456</String>" * 101
BAD = [
    ({"username": "-"}, BAD_REQUEST),
    ({"password": "-"}, BAD_REQUEST),
    ({"username": "<b>demo</b>"}, BAD_REQUEST),
    ({"password": "<b><c/></b>"}, BAD_REQUEST),
    ({"username": ""}, AUTH_FAILED),
    ({"password": ""}, AUTH_FAILED),
    ({"password": "wrong"}, AUTH_FAILED),
    ({"username": "no such"}, AUTH_FAILED),
    ({"username": "x" * 5000}, AUTH_FAILED),
    ({"username": "banned", "password": "banned"}, AUTH_FAILED),
    ({"username": "far", "password": "far"}, AUTH_FAILED),
    ({"mobile": "-"}, BAD_REQUEST),
    ({"mobile": ""}, BAD_REQUEST),
    ({"mobile": "<String></String>"}, BAD_REQUEST),
    ({"mobile": "<String><b>+352691123456</b></String>"}, BAD_REQUEST),
    ({"mobile": TWICE}, BAD_REQUEST),
    ({"text": "-"}, BAD_REQUEST),
    ({"text": ""}, BAD_REQUEST),
    ({"text": "<b>a</b>"}, BAD_REQUEST),
    ({"text": "<b>a</b><b>c</b>"}, BAD_REQUEST),
    ({"source": "no address"}, SERVER_ERROR),
    ({"source": "10.0.0.256"}, SERVER_ERROR),
]
BAD_SENDS = [
    ({"mobile": "<String>nobody</String>"}, BAD_REQUEST),
    ({"mobile": "<String>+352691123456</String><String>x</String>"}, BAD_REQUEST),
    ({"mobile": f"<String>{'1' * 5000}</String>"}, BAD_REQUEST),
    ({"mobile": "<String>+33612345678</String>"}, SERVER_ERROR),  # nothing leads there
    ({"text": LONG}, BAD_REQUEST),
    ({"type": "Loud"}, BAD_REQUEST),
    ({"settings": "SMSType=Loud"}, BAD_REQUEST),
    ({"settings": "no setting"}, BAD_REQUEST),
    ({"settings": "SMSValidity=-1"}, BAD_REQUEST),
    ({"settings": "SMSValidity=99999999"}, BAD_REQUEST),
    ({"sender": "longer than eleven"}, BAD_REQUEST),
    ({"sender": "Привет"}, BAD_REQUEST),
    ({"username": "shop", "password": "shop", "sender": "Bank"}, BAD_REQUEST),
    ({"username": "poor", "password": "poor", "text": "a" * 400}, SERVER_ERROR),
]


@pytest.mark.parametrize(("values", "answer"), BAD)
@pytest.mark.parametrize("operation", ["smshubSend", "smshubSign"])
def test_a_missing_wrong_or_hostile_parameter(
    xml_house: XmlHouse, operation: str, values: dict[str, str], answer: tuple[str, ...]
) -> None:
    before = xml_house.stored()
    assert told(soap(xml_house, send_of(operation, **values)), operation) == answer
    assert xml_house.stored() == before


@pytest.mark.parametrize(("values", "answer"), BAD_SENDS)
def test_a_message_that_cannot_be_sent(
    xml_house: XmlHouse, values: dict[str, str], answer: tuple[str, ...]
) -> None:
    before = xml_house.stored()
    heard = soap(xml_house, send_of(**values))
    assert told(heard) == answer
    assert heard.headers["x-reason"]
    assert xml_house.stored() == before


@pytest.mark.parametrize("operation", ["smshubSend", "smshubSign"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        (name, value)
        for name in ("username", "password", "mobile", "text", "client", "source")
        for value in (True, 1.5, {"a": "b"}, [["a"]], [None])
    ],
)
def test_a_wrong_type_in_json(
    xml_house: XmlHouse, operation: str, name: str, value: object
) -> None:
    before = xml_house.stored()
    result = rpc(xml_house, operation, JSON | {name: value})["result"]
    assert (result["code"], result["error"]) == (0, "BadRequest")
    assert xml_house.stored() == before


def test_some_numbers_are_refused(xml_house: XmlHouse) -> None:
    """The client must not take it for a success, and can tell what not to send again."""
    before = xml_house.stored()
    mobile = "<String>+352691123456</String><String>+33612345678</String>"
    heard = soap(xml_house, send_of(mobile=mobile))
    message = "Server Error: 1 of 2 messages were accepted, not those to +33612345678"
    assert told(heard) == ("0", "ServerError", message)
    assert heard.headers["x-reason"].startswith("no route to 33612345678")
    (id_,) = heard.headers["x-message-id"].split(",")
    assert xml_house.message(MessageId(int(id_)))[0].peek.destination_addr == "352691123456"
    assert xml_house.stored() == before + 1
    result = rpc(xml_house, "smshubSend", JSON | {"mobile": ["33612345678", "352691123456"]})
    assert result["result"]["message"].endswith("not those to 33612345678")


def test_an_account_over_its_rate(xml_house: XmlHouse) -> None:
    slow = {"username": "slow", "password": "slow"}
    assert told(soap(xml_house, send_of(**slow))) == SENT
    before = xml_house.stored()
    assert told(soap(xml_house, send_of(**slow))) == SERVER_ERROR
    assert xml_house.stored() == before


@pytest.mark.parametrize(
    ("inside", "code"),
    [
        ("<urn:no_such/>", "Client"),
        ('<smshubSend xmlns="urn:other"/>', "Client"),
        ("", "Client"),
    ],
)
def test_what_is_no_operation(xml_house: XmlHouse, inside: str, code: str) -> None:
    before = xml_house.stored()
    heard = soap(xml_house, envelope(inside))
    assert heard.status == 500
    assert f"<faultcode>SOAP-ENV:{code}</faultcode>".encode() in heard.body
    assert xml_house.stored() == before


def test_an_envelope_of_another_version(xml_house: XmlHouse) -> None:
    body = b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body/></e:Envelope>'
    heard = soap(xml_house, body)
    assert (heard.status, b"SOAP-ENV:VersionMismatch" in heard.body) == (500, True)
    assert b"SOAP-ENV:Client" in soap(xml_house, b"<methodCall/>").body


DTD = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
FILE = b'<!DOCTYPE x [<!ENTITY b SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no XML",
        b"\x00",
        DTD + send_of(text="&b;"),
        FILE + send_of(text="&b;"),
        b"<!DOCTYPE x>" + send_of(),
        send_of(text="<a>" * 100 + "</a>" * 100),
        send_of(text="<a/>" * 10_001),
        send_of(text="caf\xe9").decode().encode("latin-1"),
        b'<?xml version="1.0" encoding="x-nothing"?>' + send_of(),
        b'<?xml version="1.0" encoding="utf-7"?>' + send_of(),
    ],
)
def test_what_is_no_xml_for_us(xml_house: XmlHouse, body: bytes) -> None:
    before = xml_house.stored()
    assert told(soap(xml_house, body)) == BAD_REQUEST
    assert xml_house.stored() == before


def test_a_body_without_end(xml_house: XmlHouse) -> None:
    before = xml_house.stored()
    heard = soap(xml_house, send_of(text="a" * 66_000))
    assert heard.status == 413
    assert b"<error>BadRequest</error>" in heard.body
    assert xml_house.stored() == before


def test_the_service_takes_post(xml_house: XmlHouse) -> None:
    heard = xml_house.ask("GET", "/smshub/")
    assert (heard.status, heard.headers["allow"]) == (405, "POST")


def test_the_wsdl_names_the_host_that_was_asked(xml_house: XmlHouse) -> None:
    heard = xml_house.ask("GET", "/smshub.wsdl", headers={"Host": "sms.example:8443"})
    assert b'location="http://sms.example:8443/smshub/"' in heard.body
    heard = xml_house.ask("GET", "/smshub/?wsdl", headers={"Host": 'x"><evil'})
    assert b"evil" not in heard.body


def test_neither_texts_nor_passwords_are_logged(xml_house: XmlHouse) -> None:
    soap(xml_house, send_of(text="quiet as a mouse"))
    soap(xml_house, send_of(password="a mouse in the cellar"))
    assert "mouse" not in xml_house.texts_logged()


def test_a_key_and_other_settings(tmp_path: Path) -> None:
    more = """
[dialects.smshub]
path = "/hub"
wsdl_path = "/hub.wsdl"
public_url = "https://sms.example/hub"
api_key = "s3cret"
type = "Flash"
sender = "Hub"
region = "CH"
max_parts = 1
"""
    with running(tmp_path, ROUTES + more) as house:
        body = send_of(mobile="079 123 45 67")
        for headers in ({}, {"WA-API-Key": "wrong"}, {"WA-API-Key": "s3cre\xe9"}):
            heard = house.ask("POST", "/hub", body, headers)
            assert (heard.status, heard.body) == (401, b"")
        assert house.stored() == 0
        assert told(house.ask("POST", "/hub", body, KEY)) == SENT
        message = house.newest()[0].message
        assert message.peek.destination_addr == "41791234567"
        assert message.peek.source_addr == "Hub"
        assert message_class(message.peek.data_coding) is MessageClass.FLASH
        assert told(house.ask("POST", "/hub", send_of(text="a" * 161), KEY)) == BAD_REQUEST
        assert told(house.ask("POST", "/hub", send_of(mobile="079"), KEY)) == BAD_REQUEST
        wsdl = house.ask("GET", "/hub.wsdl")
        assert b'location="https://sms.example/hub"' in wsdl.body
        assert house.ask("GET", "/smshub.wsdl").status == 404
