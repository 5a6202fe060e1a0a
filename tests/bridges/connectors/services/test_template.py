"""Services described in TOML, against fakes that are what the description says."""

from typing import Any

import orjson
import pytest

from bridges import REGISTRY
from bridges.connectors.service import (
    NOT_YET,
    Called,
    Declined,
    Mobile,
    Rejected,
    Report,
    Request,
    Taken,
    Unclear,
)
from bridges.connectors.services.template import Template
from bridges.connectors.template_settings import TemplateConfig
from smsc.config import Config, load
from smsc.message import State
from tests.fakes.services.play import NOW_S, call, response_of, say, seen_of
from tests.fakes.services.sms import sms_of
from tests.fakes.services.web import Answer, Say, say_json

FORM = """
url = "https://sms.example/send?u={username}"
username = "bob"
password = "p&ss"
number_format = "+E164"
[outlets.x.form]
to = "{to}"
text = "{text}"
key = "{password}"
flash = "{flash}"
"""
JSON = """
url = "https://sms.example/send"
password = "tok"
yes = "true"
no = "false"
headers = { Authorization = "Bearer {password}", "X-Ref" = "{reference}" }
[outlets.x.json]
messages = [{ to = ["{to}"], body = "{text}", from = "{from}", n = 1, ok = true }]
flash = "{flash:value}"
parts = "{text_parts:value}"
dlr = "{dlr_url}"
[outlets.x.success]
status = [200]
where = "json:/status"
pattern = "^(ok|queued)$"
[outlets.x.answer]
id = "json:/results/0/id"
error = "json:/error/code"
why = "json:/error/text"
[outlets.x.errors]
105 = "permanent"
7 = "configuration"
503 = "throttled"
"""
XML = """
url = "https://sms.example/send"
xml = '<?xml version="1.0"?><sms to="{to}"><text>{text}</text><hex>{text:hex}</hex></sms>'
[outlets.x.success]
where = "xml:result/code"
pattern = "^0$"
[outlets.x.answer]
id = "xml:result/id"
error = "xml:result/code"
"""
GET = """
url = "https://sms.example/send/{to}/{text}"
method = "GET"
[outlets.x.query]
from = "{from}"
udh = "{udh_hex}"
utf16 = "{text_hex_ucs2}"
b = "{text:base64}"
brace = "{{x}}"
[outlets.x.answer]
id = 'regex:ID: (\\w+)'
error = "regex:ERR ([0-9]+)"
"""


def read(toml: str, kind: str = "template") -> Config | list[Any]:
    kinds = {name: one.config for name, one in REGISTRY.items()}
    return load(f'[outlets.x]\nkind = "{kind}"\n{toml}', kinds, {})


def config_of(toml: str, kind: str = "template") -> TemplateConfig:
    config = read(toml, kind)
    assert isinstance(config, Config), config
    settings = config.outlets["x"].settings
    assert isinstance(settings, TemplateConfig)
    return settings


def service_of(toml: str) -> Template:
    return Template(config_of(toml))


def request_of(toml: str, **changes: Any) -> Request:
    request = service_of(toml).request(sms_of(**changes), NOW_S)
    assert isinstance(request, Request)
    return request


def test_a_form() -> None:
    request = request_of(FORM, text="a&b=ü", is_flash=True)
    assert request.url == "https://sms.example/send?u=bob"
    seen = seen_of(request)
    assert seen.form == {"to": "+41791234567", "text": "a&b=ü", "key": "p&ss", "flash": "1"}
    assert seen.headers["content-type"] == "application/x-www-form-urlencoded"


def test_json_keeps_types_and_escapes_texts() -> None:
    request = request_of(JSON, text='say "hi"\n', is_flash=True)
    assert orjson.loads(request.body) == {
        "messages": [
            {"to": ["41791234567"], "body": 'say "hi"\n', "from": "Shop", "n": 1, "ok": True}
        ],
        "flash": True,
        "parts": 1,
        "dlr": "",
    }
    assert dict(request.headers) == {
        "Authorization": "Bearer tok",
        "X-Ref": "7",
        "Content-Type": "application/json",
    }


def test_xml_escapes() -> None:
    request = request_of(XML, text="<&>\"'")
    assert request.body.decode() == (
        '<?xml version="1.0"?><sms to="41791234567"><text>&lt;&amp;&gt;&quot;&apos;</text>'
        "<hex>3c263e2227</hex></sms>"
    )


def test_get_puts_all_into_the_url() -> None:
    request = request_of(GET, text="a/b?é", udh=b"\x05\x00")
    assert (request.method, request.body) == ("GET", b"")
    seen = seen_of(request)
    assert seen.path == "/send/41791234567/a%2Fb%3F%C3%A9"
    assert seen.query == {
        "from": "Shop",
        "udh": "0500",
        "utf16": "a/b?é".encode("utf-16-be").hex(),
        "b": "YS9iP8Op",
        "brace": "{x}",
    }


@pytest.mark.parametrize(
    ("form", "country", "written"),
    [
        ("E164", "", "41791234567"),
        ("+E164", "", "+41791234567"),
        ("00E164", "", "0041791234567"),
        ("national", "41", "0791234567"),
        ("national", "39", "41791234567"),
    ],
)
def test_forms_of_numbers(form: str, country: str, written: str) -> None:
    toml = f"""
url = "https://x.example/{{to}}"
method = "GET"
number_format = "{form}"
country = "{country}"
"""
    assert seen_of(request_of(toml)).path.removeprefix("/").replace("%2B", "+") == written
    assert seen_of(request_of(toml, to="12345")).path == "/12345", "a short code has one form"


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (say_json({"status": "ok", "results": [{"id": 77}]}), Taken("77")),
        (say_json({"status": "queued"}), Taken("")),
        (say_json({"error": {"code": 105, "text": "bad"}}), ("permanent", "105")),
        (say_json({"error": {"code": "7"}}, 403), ("configuration", "7")),
        (say_json({"error": {"code": "999"}}), ("retryable", "999")),
        (say_json({}, 503), ("throttled", "503")),
        (say_json({}, 500), ("retryable", "500")),
        (say_json({}, 401), ("configuration", "401")),
        (say_json({"status": "what"}), None),
        (say_json({"status": "ok"}, 201), None),
        (Say(200, b"<html>"), None),
        (Say(504, b""), None),
    ],
)
def test_verdicts(answer: Answer, verdict: object) -> None:
    told = say(service_of(JSON), sms_of(), answer)
    if verdict is None:
        assert isinstance(told, Unclear)
    elif isinstance(verdict, tuple):
        assert isinstance(told, Declined)
        assert (told.class_, told.code) == verdict
    else:
        assert told == verdict


def test_verdicts_from_xml() -> None:
    service = service_of(XML)
    body = b'<r xmlns="urn:x"><result><code>0</code><id> a1 </id></result></r>'
    assert say(service, sms_of(), Say(200, body)) == Taken("a1")
    told = say(service, sms_of(), Say(200, body.replace(b">0<", b">9<")))
    assert isinstance(told, Declined)
    assert told.code == "9"
    bomb = b'<!DOCTYPE r [<!ENTITY a "0">]><r><result><code>&a;</code></result></r>'
    assert isinstance(say(service, sms_of(), Say(200, bomb)), Unclear)
    assert isinstance(say(service, sms_of(), Say(200, b"<r><result>")), Unclear)


def test_verdicts_from_text() -> None:
    service = service_of(GET)
    assert say(service, sms_of(), Say(200, b"ID: abc\n")) == Taken("abc")
    assert isinstance(say(service, sms_of(), Say(200, b"hello")), Unclear), "no id where it should"
    told = say(service, sms_of(), Say(400, b"ERR 12"))
    assert isinstance(told, Declined)


RECEIPTS = """
url = "https://sms.example/send"
public_url = "https://gw.example"
receipts_path = "/receipts/x7Kq2mN9vB4t"
[outlets.x.receipt]
id = "query:ref"
status = "form:status"
error = "form:err"
reply = "ACK/Us"
states = { DELIVRD = "delivered", FAIL = "undeliverable", BUF = "enroute" }
[outlets.x.mo]
sender = "json:/from"
to = "json:/to"
text = "json:/text"
reply = "{}"
"""


def test_without_an_id_our_reference_is_what_receipts_bear() -> None:
    assert say(service_of(RECEIPTS), sms_of(), Say(200, b"fine")) == Taken("7")


@pytest.mark.parametrize(
    ("status", "state", "error"),
    [
        ("DELIVRD", State.DELIVERED, 34),
        ("FAIL", State.UNDELIVERABLE, 34),
        ("BUF", State.ENROUTE, 34),
    ],
)
def test_receipts(status: str, state: State, error: int) -> None:
    body = f"status={status}&err={error}".encode()
    told = service_of(RECEIPTS).called(call("https://gw.example/r?ref=7", "POST", body))
    assert isinstance(told, Called)
    assert told.reports == (Report("7", state, error),)
    assert told.reply.body == b"ACK/Us"


def test_messages_of_handsets() -> None:
    body = orjson.dumps({"from": "+41791", "to": "12345", "text": "hé"})
    told = service_of(RECEIPTS).called(call("https://gw.example/r", "POST", body))
    assert isinstance(told, Called)
    assert told.messages == (Mobile("+41791", "12345", "hé"),)
    assert told.reply.body == b"{}"


@pytest.mark.parametrize("body", [b"", b"status=WHAT", b"{}", b"status=DELIVRD"])
def test_malformed_callbacks_are_refused(body: bytes) -> None:
    url = "https://gw.example/r?ref=7" if b"WHAT" in body else "https://gw.example/r"
    assert isinstance(service_of(RECEIPTS).called(call(url, "POST", body)), Rejected)


POLLS = """
url = "https://sms.example/send"
password = "tok"
poll_s = 30
balance_s = 600
headers = { Authorization = "Bearer {password}", "X-Ref" = "{reference}" }
[outlets.x.answer]
id = "header:X-Message-Id"
[outlets.x.poll]
url = "https://sms.example/status/{upstream_id}"
status = "json:/state"
error = "json:/code"
states = { done = "delivered", lost = "undeliverable" }
[outlets.x.balance]
url = "https://sms.example/balance?key={password}"
amount = "json:/credit"
"""


def test_polls() -> None:
    service = service_of(POLLS)
    answer = Say(202, b"", (("X-Message-Id", "a/1"),))
    assert say(service, sms_of(), answer) == Taken("a/1")
    request = service.poll("a/1", NOW_S)
    assert request == Request(
        "GET", "https://sms.example/status/a%2F1", (("Authorization", "Bearer tok"),)
    )

    def told(answer: Say) -> object:
        return service.polled("a/1", response_of(answer))

    assert told(say_json({"state": "done"})) == Report("a/1", State.DELIVERED)
    assert told(say_json({"state": "lost", "code": 5})) == Report("a/1", State.UNDELIVERABLE, 5)
    assert told(say_json({"state": "waiting"})) is NOT_YET
    assert told(say_json({"state": "done"}, 500)) is NOT_YET


def test_the_balance() -> None:
    service = service_of(POLLS)
    request = service.balance(NOW_S)
    assert isinstance(request, Request)
    assert request.url == "https://sms.example/balance?key=tok"
    assert service.balance_left(response_of(say_json({"credit": "12.5"}))) == 12.5
    assert service.balance_left(response_of(say_json({}))) is None


@pytest.mark.parametrize(
    ("toml", "key", "told"),
    [
        ("", "outlets.x.url", "required"),
        ('url = "/send"', "outlets.x", "expected a URL such as https://host/path"),
        ('url = "https://x/{too}"', "outlets.x.url", "'{too}' is no placeholder; known ones:"),
        ('url = "https://x/{to:rot13}"', "outlets.x.url", "no such filter; known ones: url, json"),
        ('url = "https://x/{"', "outlets.x.url", "is no placeholder"),
        (
            'url = "https://x/"\n[outlets.x.form]\na = "{password"',
            "outlets.x.form",
            "a: '{' is no placeholder",
        ),
        (
            'url = "https://x/"\n[outlets.x.json]\na = ["{x}"]',
            "outlets.x.json",
            "/a/0: '{x}' is no placeholder",
        ),
        (
            'url = "https://x/"\n[outlets.x.json]\na = "{to:value}"',
            "outlets.x.json",
            "only these have a value of their own",
        ),
        (
            'url = "https://x/"\n[outlets.x.answer]\nid = "jason:/id"',
            "outlets.x.answer.id",
            "expected a place such as",
        ),
        (
            'url = "https://x/"\n[outlets.x.answer]\nid = "json:id"',
            "outlets.x.answer.id",
            "expected a JSON pointer",
        ),
        (
            'url = "https://x/"\n[outlets.x.answer]\nid = "regex:(a)(b)"',
            "outlets.x.answer.id",
            "at most one group",
        ),
        (
            'url = "https://x/"\n[outlets.x.answer]\nid = "regex:("',
            "outlets.x.answer.id",
            "RE2 syntax",
        ),
        (
            'url = "https://x/"\n[outlets.x.answer]\nid = "xml://a"',
            "outlets.x.answer.id",
            "element names",
        ),
        (
            'url = "https://x/"\n[outlets.x.success]\npattern = "["',
            "outlets.x.success.pattern",
            "RE2 syntax",
        ),
        (
            'url = "https://x/"\n[outlets.x.success]\nstatus = [20]',
            "outlets.x.success.status",
            "HTTP statuses",
        ),
        ('url = "https://x/"\nerrors = { 1 = "bad" }', "outlets.x.errors", "1: expected one of"),
        (
            'url = "https://x/"\nreceipt.states = { A = "gone" }',
            "outlets.x.receipt.states",
            "A: expected one of",
        ),
        (
            'url = "https://x/"\ntext = "a"\nxml = "<a/>"',
            "outlets.x",
            "expected one body, found xml and text",
        ),
        ('url = "https://x/"\nmethod = "GET"\ntext = "a"', "outlets.x", "a GET has no body"),
        ('url = "https://x/"\nnumber_format = "national"', "outlets.x", "needs country"),
        ('url = "https://x/"\npoll_s = 30', "outlets.x", "poll_s needs poll.url"),
        ('url = "https://x/"\nbalance_s = 30', "outlets.x", "balance_s needs balance.url"),
        (
            'url = "https://x/"\npoll_s = 1\npoll.url = "https://x/{to}"\npoll.status = "text"',
            "outlets.x.poll.url",
            "'{to}' is no placeholder",
        ),
        (
            'url = "https://x/"\nreceipts_path = "/receipts/x7Kq2mN9vB4t"\npublic_url = "https://g"',
            "outlets.x",
            "receipts_path needs receipt.id",
        ),
    ],
)
def test_mistakes_are_named(toml: str, key: str, told: str) -> None:
    errors = read(toml)
    assert isinstance(errors, list), errors
    assert any(error.key == key and told in error.why for error in errors), errors


def test_mpulse_is_a_preset_whose_url_comes_with_the_contract() -> None:
    errors = read("", "mpulse")
    assert isinstance(errors, list)
    assert errors[0].key == "outlets.x.url"
    assert "contract" in errors[0].meaning
    config = config_of('url = "https://m.example/sms"\nusername = "u"\npassword = "p"', "mpulse")
    request = Template(config).request(sms_of(), NOW_S)
    assert isinstance(request, Request)
    assert seen_of(request).form == {
        "username": "u",
        "password": "p",
        "from": "Shop",
        "to": "41791234567",
        "text": "Hello",
    }
