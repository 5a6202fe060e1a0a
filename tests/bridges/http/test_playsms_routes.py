"""playSMS web services over real sockets, against a whole gateway: every operation, in all formats."""

import datetime as dt
import shutil
import subprocess
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import attrs
import orjson
import pytest

from bridges.http import playsms_user
from bridges.http.dialects.base import read_body
from pdu.text.alphabet import MessageClass, message_class
from smsc.message import AccountId, State
from smsc.ports import Contact, ContactGroup, InboxKind, Refused
from tests.bridges.http.playsms_house import DEMO, PlaysmsHouse, running

CLIENT = Path(__file__).parent / "clients" / "playsms.php"


@pytest.fixture(scope="module")
def playsms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlaysmsHouse]:
    with running(tmp_path_factory.mktemp("playsms")) as one:
        yield one


def sent(house: PlaysmsHouse, **fields: Any) -> dict[str, str]:
    """The one row of a pv."""
    answer = house.ask("pv", **{"to": "41791234567", "msg": "hi", **fields})
    assert list(answer) == ["data", "error_string"]
    assert answer["error_string"] is None
    (row,) = answer["data"]
    return dict(row)


def text_of(house: PlaysmsHouse, smslog_id: str) -> str:
    return read_body(house.message(smslog_id)[0].body).text()


# --- pv and ds ----------------------------------------------------------------------------------


def test_a_message_and_its_way_to_the_handset(playsms: PlaysmsHouse) -> None:
    row = sent(playsms, msg='a "b" & c\r\n€', **{"from": "Shop"})
    assert (row["status"], row["error"], row["to"]) == ("OK", "0", "41791234567")
    assert len(row["queue"]) == 32
    id_ = row["smslog_id"]
    playsms.wait_for(id_, State.DELIVERED)
    for condition in (
        {"smslog_id": id_},
        {"queue": row["queue"]},
        {"last": str(int(id_) - 1)},
        {"dst": "0791234567", "src": "Shop", "c": "1"},
    ):
        answer = playsms.ask("ds", **condition)
        assert list(answer) == ["data", "error_string"]
        (found,) = answer["data"]
        moments = [dt.datetime.fromisoformat(found.pop(name)) for name in ("dt", "update")]
        assert all(
            abs(one.replace(tzinfo=dt.UTC).timestamp() * 1000 - playsms.message(id_)[0].accepted_ms)
            < 60_000
            for one in moments
        )
        assert found == {
            "smslog_id": id_,
            "src": "Shop",
            "dst": "+41791234567",
            "msg": "a 'b' & c\n€",
            "status": "3",
        }
    assert playsms.code("ds", last=id_) == 400


def test_numbers_users_and_groups_each_once(playsms: PlaysmsHouse) -> None:
    book = playsms.gateway.contacts
    put = playsms.await_(lambda: book.put_group(DEMO, ContactGroup(name="The Team", code="TEAM")))
    assert not isinstance(put, Refused)
    for number in ("41791110001", "41791110002"):
        one = Contact(name=f"Anton {number}", number=number, groups=("TEAM",), email="a@b.example")
        playsms.await_(lambda one=one: book.put_contact(DEMO, one))  # type: ignore[misc]
    before = playsms.stored()
    answer = playsms.ask(
        "pv", to="41791110001, #team,@plain,@demo,@plain,@nobody,#none,x1,+33612345678", msg="all"
    )
    rows = {row["to"]: row for row in answer["data"]}
    assert list(rows) == [
        "41791110001", "41791110002", "#none", "x1", "+33612345678", "@plain", "@nobody",
    ]  # fmt: skip
    assert [row["error"] for row in rows.values()] == ["0", "0", "200", "200", "200", "0", "200"]
    queues = {row["queue"] for row in rows.values() if row["smslog_id"]}
    assert len(queues) == 1
    assert playsms.stored() == before + 2
    listed = playsms.ask("ds", queue=queues.pop())["data"]
    assert [row["dst"] for row in listed] == ["+41791110002", "+41791110001"]
    (note,) = playsms.ask("ix", "plain")["data"]
    assert (note["src"], note["dst"], note["msg"]) == ("@demo", "plain", "all")
    assert playsms.stored() == before + 2  # no network saw it

    (first, second) = playsms.ask("get_contact", kwd="anton")["data"]
    assert first["p_num"] == "41791110001"
    assert second["code"] == "TEAM"
    assert set(first) == {
        "pid", "gpid", "p_desc", "p_num", "email", "tags", "group_name", "code",
    }  # fmt: skip
    answer = playsms.ask("get_contact", kwd="b.example", c="1")
    assert answer["multi"] is True
    assert len(answer["data"]) == 1
    (group,) = playsms.ask("get_contact_group", kwd="team")["data"]
    assert group == {
        "gpid": first["gpid"], "group_name": "The Team", "code": "TEAM", "flag_sender": "0",
    }  # fmt: skip


def test_schedule_is_in_the_time_zone_of_the_account(playsms: PlaysmsHouse) -> None:
    zone = "Asia/Jakarta"
    changed = playsms.await_(
        lambda: playsms.gateway.directory.change(AccountId("plain"), {"time_zone": zone}, DEMO)
    )
    assert not isinstance(changed, Refused)
    date = f"{dt.datetime.now(ZoneInfo(zone)) + dt.timedelta(hours=3):%Y-%m-%d %H:%M:%S}"
    answer = playsms.ask("pv", "plain", to="41791234567,@demo", msg="later", schedule=date)
    row, note = answer["data"]
    message, progress = playsms.message(row["smslog_id"])
    assert progress.state is State.SCHEDULED
    due = dt.datetime.fromtimestamp(message.due_ms / 1000, ZoneInfo(zone))
    assert f"{due:%Y-%m-%d %H:%M:%S}" == date
    assert note["error"] == "200"  # an inbox has no schedule
    (listed,) = playsms.ask("ds", "plain", smslog_id=row["smslog_id"])["data"]
    assert listed["status"] == "0"
    # What is known, waits, and does not fit the other conditions.
    assert playsms.code("ds", "plain", queue=row["queue"], dst="999") == 401
    past = playsms.ask("pv", "plain", to="41791234567", msg="x", schedule="2001-01-01 00:00:00")
    playsms.wait_for(past["data"][0]["smslog_id"], State.DELIVERED)
    assert playsms.code("ds", "plain", queue=past["data"][0]["queue"], dst="999") == 402


def test_flash_unicode_footer_and_sender(playsms: PlaysmsHouse) -> None:
    def body(**fields: Any) -> Any:
        return playsms.message(sent(playsms, **fields)["smslog_id"])[0].peek

    assert message_class(body(type="flash").data_coding) is MessageClass.FLASH
    assert body(unicode="1").data_coding == 8
    assert body(unicode="0").data_coding == 0
    assert message_class(body(unicode="1", type="FLASH").data_coding) is MessageClass.FLASH
    assert body(**{"from": "+41790000009"}).source_addr == "41790000009"
    row = sent(playsms, account="shop", **{"from": "Other"})
    assert playsms.message(row["smslog_id"])[0].peek.source_addr == ""  # the network's choice
    row = sent(playsms, account="shop", **{"from": "Shop"})
    assert playsms.message(row["smslog_id"])[0].peek.source_addr == "Shop"
    row = sent(playsms, account="plain", **{"from": "much too long for one"})
    assert playsms.message(row["smslog_id"])[0].peek.source_addr == "Plain"

    playsms.await_(lambda: playsms.gateway.directory.change(DEMO, {"footer": "-- me"}, DEMO))
    try:
        assert text_of(playsms, sent(playsms)["smslog_id"]) == "hi -- me"
        assert text_of(playsms, sent(playsms, footer="bye")["smslog_id"]) == "hi bye"
        assert text_of(playsms, sent(playsms, nofooter="1")["smslog_id"]) == "hi"
    finally:
        playsms.await_(lambda: playsms.gateway.directory.change(DEMO, {"footer": ""}, DEMO))


def test_what_failed_is_2(playsms: PlaysmsHouse) -> None:
    row = sent(playsms, to="+49171234567")
    assert row["to"] == "+49171234567"
    playsms.wait_for(row["smslog_id"], State.UNDELIVERABLE)
    (listed,) = playsms.ask("ds", smslog_id=row["smslog_id"])["data"]
    assert (listed["status"], listed["dst"]) == ("2", "+49171234567")


def test_nobody_sees_the_messages_of_others(playsms: PlaysmsHouse) -> None:
    row = sent(playsms)
    for account in ("plain", "boss"):
        assert playsms.code("ds", account, smslog_id=row["smslog_id"]) == 400
        assert playsms.code("ds", account, queue=row["queue"]) == 400


# --- what came in -------------------------------------------------------------------------------


def test_incoming_inbox_and_sandbox(playsms: PlaysmsHouse) -> None:
    for to, text in (("1234", "idol A vote"), ("1234", "hello"), ("999", "nobody's")):
        injected = {"from": "+629876543210", "msg": text, "recvnum": to, "smsc": "sim"}
        assert playsms.ask("inject", "boss", **injected) == {
            "status": "OK", "error": "0", "error_string": None,
        }  # fmt: skip
    (row,) = playsms.ask("in", kwd="IDOL", src="0876543210", dst="1234")["data"]
    date = row.pop("dt")
    assert row.pop("id").isdigit()
    assert row == {
        "src": "+629876543210" if row["src"].startswith("+") else "629876543210",
        "dst": "1234",
        "kwd": "IDOL",
        "msg": "A vote",
        "status": "1",
    }
    assert playsms.code("in", dt=date[:10]) == 0
    assert playsms.code("in", dt="1999-01-01") == 501
    assert playsms.code("in", kwd="OTHER") == 501
    (row,) = playsms.ask("ix", src="629876543210")["data"]
    assert row["msg"] == "hello"
    assert list(row) == ["id", "src", "dst", "msg", "dt"]
    assert playsms.code("ix", last=row["id"]) == 501
    (row,) = playsms.ask("sx", "boss", dst="999")["data"]
    assert row["msg"] == "nobody's"
    assert playsms.code("sx", "plain") == 501


def test_a_date_is_looked_for_behind_newer_rows(
    playsms: PlaysmsHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that the date sorts out do not count: `c` of them are found however many are newer."""
    account, shelf = AccountId("slow"), playsms.gateway.inbox
    monkeypatch.setattr(playsms_user, "_SIEVED", 3)
    monkeypatch.setattr(playsms_user, "_PAGES", 3)
    day_ms = 86_400_000
    now_ms = playsms.call(playsms.gateway.now_ms)

    async def keep(days_ago: int) -> None:
        batch = shelf.batch()
        one = shelf.make(account, InboxKind.INBOX, "1", "2", f"{days_ago} days ago")
        shelf.keep(batch, attrs.evolve(one, received_ms=now_ms - days_ago * day_ms))
        await shelf.written(batch)

    for days_ago in (9, 9, 1, 1, 1, 1, 1):
        playsms.await_(lambda days_ago=days_ago: keep(days_ago))  # type: ignore[misc]
    date = f"{dt.datetime.fromtimestamp(now_ms / 1000, dt.UTC) - dt.timedelta(days=9):%Y-%m-%d}"
    (row,) = playsms.ask("ix", "slow", c="1", dt=date)["data"]
    assert row["msg"] == "9 days ago"
    assert len(playsms.ask("ix", "slow", dt=date)["data"]) == 2
    assert playsms.code("ix", "slow", dt="1999-01-01") == 501


# --- the caller's account -----------------------------------------------------------------------


def test_token_credit_and_query(playsms: PlaysmsHouse) -> None:
    told = playsms.ask("get_token", p="demo", h="")
    assert told == {
        "status": "OK", "error": "0", "token": playsms.tokens["demo"], "error_string": None,
    }  # fmt: skip
    old = playsms.tokens["plain"]
    made = playsms.ask("set_token", "plain")["token"]
    assert made != old
    assert playsms.code("cr", "plain") == 100
    playsms.tokens["plain"] = made
    assert playsms.ask("cr", "plain")["credit"] == "999999"
    assert playsms.ask("cr", "poor")["credit"] == "1"
    found = playsms.ask("query")["data"]
    assert found["user"]["username"] == "demo"
    assert found["user"]["credit"] == "999999"
    assert found["last_id"]["user_outgoing"].isdigit()
    assert set(found["last_id"]) == {"user_inbox", "user_incoming", "user_outgoing"}
    playsms.await_(
        lambda: playsms.gateway.directory.change(DEMO, {"email": "demo@x.example"}, DEMO)
    )
    assert playsms.ask("cr", u="Demo@X.example")["credit"] == "999999"


@pytest.mark.parametrize("sender", ["Shop", "41790000001", "+41790000001"])
def test_an_admin_chooses_among_the_senders_of_an_account(
    playsms: PlaysmsHouse, sender: str
) -> None:
    assert playsms.code("accountconf", "boss", data_username="shop", data_sender=sender) == 0
    row = sent(playsms, account="shop", msg="x")
    shown = playsms.message(row["smslog_id"])[0].peek.source_addr
    assert shown == sender.removeprefix("+")


def test_what_comes_in_has_no_queue_and_no_smslog_id(playsms: PlaysmsHouse) -> None:
    assert playsms.code("pv", "plain", to="@demo", msg="hello") == 0
    rows = playsms.ask("ix")["data"]
    assert playsms.ask("ix", queue="0" * 32, smslog_id="1")["data"] == rows


def test_no_token_yet(playsms: PlaysmsHouse) -> None:
    profile = playsms.call(lambda: playsms.gateway.directory.profile(AccountId("spare")))
    assert profile is not None
    assert playsms.code("get_token", "spare", p="spare", h="") == 104


def test_a_login_key_opens_once_and_always_redirects(playsms: PlaysmsHouse) -> None:
    directory = playsms.gateway.directory
    key = playsms.ask("loginkeyset", "boss", data_username="plain")["login_key"]
    for fields in (
        {"u": "plain", "login_key": "wrong"},
        {"u": "nobody", "login_key": key},
        {"u": "", "login_key": ""},
        {},
    ):
        answer = playsms.raw(op="ws_login", **fields)
        assert (answer.status_code, answer.headers["location"]) == (302, "index.php")
        assert "set-cookie" not in answer.headers
    is_open = playsms.await_(lambda: directory.use_login_key(AccountId("plain"), key))
    assert not is_open  # burnt by the wrong guess


# --- formats and ways to ask --------------------------------------------------------------------


def test_the_same_answer_as_xml_and_as_php(playsms: PlaysmsHouse) -> None:
    row = sent(playsms, msg="<&> ü")
    login = {"u": "demo", "h": playsms.tokens["demo"], "op": "DS", "queue": row["queue"]}
    answer = playsms.raw(**login, format="XML")
    assert answer.headers["content-type"].startswith("text/xml")
    root = ET.fromstring(answer.content)
    assert root.tag == "response"
    assert root.findtext("data/item/msg") == "<&> ü"
    assert root.find("error_string") is not None
    answer = playsms.raw(**login, format="serialize")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 's:3:"msg";s:6:"<&> ü";' in answer.text
    assert playsms.raw(**login, format="no such").json()["data"][0]["msg"] == "<&> ü"
    wrong = playsms.raw(**{**login, "h": "x"}, format="xml")
    assert ET.fromstring(wrong.content).findtext("error") == "100"
    assert b"<error_string>authentication failed</error_string>" in wrong.content


def test_form_multipart_and_alias(playsms: PlaysmsHouse) -> None:
    fields = {"u": "demo", "h": playsms.tokens["demo"], "op": "pv", "to": "41791234567"}
    for body in (
        {"data": fields | {"msg": "é+&=", "app": "webservices"}},
        {"files": {name: (None, one) for name, one in (fields | {"msg": "é+&="}).items()}},
    ):
        url = "/index.php" if "data" in body else "/index.php?app=ws"
        playsms.forgive()
        answer: Any = playsms.client.post(url, **body)
        assert text_of(playsms, answer.json()["data"][0]["smslog_id"]) == "é+&="


def test_php_s_client(playsms: PlaysmsHouse) -> None:
    if shutil.which("php") is None:
        pytest.skip("no php (apt-get install php-cli): PHP'S CLIENT IS NOT TESTED")
    playsms.forgive()
    ran = subprocess.run(
        ["php", CLIENT, playsms.base, "demo", "demo"], capture_output=True, timeout=60, check=False
    )
    assert ran.returncode == 0, (ran.stdout, ran.stderr)
    token, credit, pv, ds, php, xml, form = map(orjson.loads, ran.stdout.splitlines())
    assert token["token"] == playsms.tokens["demo"]
    assert credit["credit"] == "999999"
    assert [row["error"] for row in pv["data"]] == ["0", "0"]
    assert [row["msg"] for row in ds["data"]] == ["Grüezi & <b> '€'"] * 2
    assert php["data"][0]["smslog_id"] == ds["data"][0]["smslog_id"]
    assert xml == {"rows": 2, "msg": "Grüezi & <b> '€'"}
    assert text_of(playsms, form["data"][0]["smslog_id"]) == "+ & é"


RECORDED = (
    "/index.php?app=ws&h=TOKEN&u=demo&op=pv&format=json&from=Shop&to=0987654321,41791234567"
    "&nofooter=1&msg=test+only%20%C3%BC&type=text&unicode=0"
)


def test_the_requests_of_playsms_webservices(playsms: PlaysmsHouse) -> None:
    """As its `Webservices::sendSms` and `getOutgoing` put their URLs together."""
    playsms.forgive()
    answer = playsms.client.get(RECORDED.replace("TOKEN", playsms.tokens["demo"])).json()
    lost, row = answer["data"]
    assert (lost["status"], lost["error"], lost["to"]) == ("ERR", "200", "0987654321")
    assert text_of(playsms, row["smslog_id"]) == "test only ü"
    url = f"/index.php?app=ws&h={playsms.tokens['demo']}&u=demo&op=ds&format=json&smslog_id="
    assert playsms.client.get(url + row["smslog_id"]).json()["data"][0]["dst"] == "+41791234567"


# --- the life of an account ---------------------------------------------------------------------


def test_an_account_from_its_first_day_to_its_last(playsms: PlaysmsHouse) -> None:
    def boss(op: str, **fields: str) -> Any:
        return playsms.ask(op, "boss", data_username="newbie", **fields)

    added = boss(
        "accountadd",
        data_status="3",
        data_password="first",
        data_name="New Bie",
        data_email="new@bie.example",
        data_datetime_timezone="+0700",
    )
    assert added["status"] == "OK"
    assert "newbie" in added["info"]
    playsms.tokens["newbie"] = playsms.ask("get_token", "newbie", p="first", h="")["token"]
    assert playsms.ask("query", "newbie")["data"]["user"]["email"] == "new@bie.example"
    assert playsms.code("pv", "newbie", to="41791234567", msg="no money") == 103
    told = boss("creditadd", data_amount="10.5")
    assert (told["amount"], told["balance"]) == ("10.5", "10.5")
    (row,) = playsms.ask("pv", "newbie", to="41791234567", msg="hi")["data"]
    assert row["error"] == "0"
    playsms.wait_for(row["smslog_id"], State.DELIVERED)
    (listed,) = playsms.ask("ds", "newbie", queue=row["queue"])["data"]
    assert listed["status"] == "3"
    shown = dt.datetime.fromisoformat(listed["dt"] + "+07:00").timestamp()
    assert abs(shown * 1000 - playsms.message(row["smslog_id"])[0].accepted_ms) < 1000
    assert boss("creditview")["balance"] == "10"
    told = boss("creditdeduct", data_amount="4")
    assert (told["amount"], told["balance"]) == ("4", "6")
    assert playsms.ask("cr", "newbie")["credit"] == "6"

    assert boss("accountpref", data_password="second", data_city="Juba")["status"] == "OK"
    assert playsms.code("get_token", "newbie", p="first", h="") == 100
    assert playsms.code("get_token", "newbie", p="second", h="") == 0
    conf = {
        "data_footer": "bye", "data_sender": "Newbie", "data_replace_zero": "41",
        "data_local_length": "4", "data_fwd_to_inbox": "0", "datetime_timezone": "+0530",
    }  # fmt: skip
    assert boss("accountconf", **conf)["status"] == "OK"
    profile = playsms.call(lambda: playsms.gateway.directory.profile(AccountId("newbie")))
    assert profile is not None
    assert (profile.city, profile.time_zone, profile.local_length) == ("Juba", "Asia/Kolkata", 4)
    assert profile.forward_to_inbox is False
    (row,) = playsms.ask("pv", "newbie", to="079 123 45 67", msg="hi")["data"]
    assert row["to"] == "41791234567"
    assert text_of(playsms, row["smslog_id"]) == "hi bye"
    assert playsms.message(row["smslog_id"])[0].peek.source_addr == "Newbie"

    assert boss("accountban") == {"status": "OK", "error": "0", "error_string": None}
    before = playsms.everything()
    assert playsms.code("pv", "newbie", to="41791234567", msg="banned") == 200
    login = {"u": "newbie", "h": playsms.tokens["newbie"], "op": "pv", "to": "1", "msg": "x"}
    assert playsms.raw(**login).headers["x-reason"] == "account newbie is closed"
    for op in ("ds", "in", "ix", "sx", "cr", "set_token", "get_contact", "query"):
        assert playsms.code(op, "newbie", kwd="anton") == 105
    assert playsms.code("get_token", "newbie", p="second", h="") == 105
    assert playsms.everything() == before
    assert boss("accountunban")["status"] == "OK"
    assert playsms.code("pv", "newbie", to="41791234567", msg="again") == 0
    assert boss("accountremove")["status"] == "OK"
    assert playsms.code("pv", "newbie", to="41791234567", msg="gone") == 100
    assert boss("creditview")["error"] == "619"


def test_a_subuser_spends_what_its_parent_has(playsms: PlaysmsHouse) -> None:
    def add(name: str, status: str, **more: str) -> Any:
        fields = {"data_username": name, "data_password": "x", "data_name": name}
        return playsms.ask(
            "accountadd",
            "boss",
            data_status=status,
            data_email=f"{name}@x.example",
            **fields,
            **more,
        )

    assert add("mother", "3")["status"] == "OK"
    assert add("father", "3")["status"] == "OK"
    assert add("child", "4")["error"] == "604"
    assert add("child", "4", data_parent="mother")["status"] == "OK"
    told = playsms.ask("parentget", "boss", data_username="child")
    assert told["parent"] == "mother"
    assert told["parent_uid"].isdigit()
    assert playsms.code("creditadd", "boss", data_username="mother", data_amount="2") == 0
    assert playsms.code("creditadd", "boss", data_username="child", data_amount="2") == 622
    playsms.tokens["child"] = playsms.ask("get_token", "child", p="x", h="")["token"]
    assert playsms.code("pv", "child", to="41791234567", msg="hi") == 0
    assert playsms.ask("creditview", "boss", data_username="mother")["balance"] == "1.5"
    assert playsms.code("accountremove", "boss", data_username="mother") == 606
    fields = {"data_username": "child", "data_parent": "father"}
    assert playsms.code("parentset", "boss", **fields) == 0
    assert playsms.ask("parentget", "boss", data_username="child")["parent"] == "father"
    assert playsms.code("pv", "child", to="41791234567", msg="hi") == 103
    assert add("second", "2")["status"] == "OK"
    playsms.tokens["second"] = playsms.ask("get_token", "second", p="x", h="")["token"]
    assert playsms.ask("creditview", "second", data_username="mother")["balance"] == "1.5"


def test_urls_are_not_logged(playsms: PlaysmsHouse) -> None:
    playsms.code("get_token", p="a mouse in the cellar", h="")
    sent(playsms, msg="quiet as a mouse")
    playsms.raw(u="demo", h="mouse", op="accountadd", data_password="mouse")
    playsms.ask("set_token", "shop")
    logged = playsms.texts_logged()
    for secret in ("mouse", urllib.parse.quote("a mouse"), *playsms.tokens.values()):
        assert secret not in logged


def test_nor_are_they_when_the_gateway_fails(
    playsms: PlaysmsHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_drafts: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(playsms.gateway.intake, "submit_many", broken)
    login = {"u": "demo", "h": playsms.tokens["demo"]}
    answer = playsms.raw(**login, op="pv", to="41791234567", msg="a hamster")
    assert (answer.status_code, answer.json()["error"]) == (500, "501")
    assert playsms.log.named("http.request.failed")
    logged = playsms.texts_logged()
    assert "hamster" not in logged
    assert playsms.tokens["demo"] not in logged
