"""`smsc explain`: one message, past traffic, and the command itself."""

import json
from pathlib import Path
from typing import Any

import attrs
import pytest

from smsc import cli
from smsc.config import Config, load, render_errors
from smsc.control.client import NoGateway
from smsc.control.verbs import Declined, Told
from smsc.explain import Answer, Explainer, Health, Question
from smsc.replay import Change, Replay, replay

NOON_MS = 1_795_345_200_000  # Sunday 2026-11-22, 11:00 UTC, noon in Zurich


@attrs.frozen
class Simulator:
    delay_s: float = 0.05


CURRENT = """
[accounts.shop]
password = "p"
group = "retail"
region = "CH"
senders = ["Shop", "4179*"]
[accounts.bank]
password = "p"
default_sender = "Bank"
destinations = ["41", "44"]
[outlets.a]
kind = "simulator"
[outlets.b]
kind = "simulator"
[price_tables.a]
file = "a.csv"
[price_tables.b]
file = "b.csv"
[lists.dnd]
file = "dnd.txt"
[[routes]]
name = "dnd"
when = { to_in = ["dnd"] }
do = { reject = "ESME_RSUBMITFAIL" }
[[routes]]
name = "retail"
when = { groups = ["retail"] }
do = { transliterate = "lossy", footer = " STOP", charge = 0.05, tags = ["r"] }
[[routes]]
name = "swiss"
to = ["41"]
outlets = ["a", "b"]
choose = { by = "cost", prices = ["a", "b"] }
[[routes]]
name = "rest"
outlets = ["a", "b"]
choose = { by = "turn" }
"""


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("41,0.05,Swiss\n")
    Path("b.csv").write_text("41,0.03,Swiss\n4178,0.06,Salt\n")
    Path("dnd.txt").write_text("41791111111\n")
    Path("smsc.toml").write_text(CURRENT)


def config(text: str = CURRENT) -> Config:
    loaded = load(text, {"simulator": Simulator}, {})
    assert isinstance(loaded, Config), render_errors(loaded)
    return loaded


def ask(**facts: Any) -> Answer:
    given: dict[str, Any] = {
        "account": "shop",
        "sender": "Shop",
        "to": "079/123 45 67",
        "at_ms": NOON_MS,
    } | facts
    return Explainer(config()).explain(Question(**given))


def test_every_station_is_told() -> None:
    assert ask(text="“čau”").lines() == [
        "from     Shop (ton 5, npi 0)",
        "to       41791234567 (ton 1, npi 1; given as '079/123 45 67')",
        "account  shop",
        "- dnd: recipient 41791234567 is not on the list dnd",
        "+ retail: takes every number, every account, group retail; goes on",
        "+ swiss: 41791234567 begins with 41, every account",
        "+ rest: would match, but swiss came first",
        "~ tagged r",
        "~ text made plain (lossy)",
        "~ footer ' STOP'",
        "~ charged 0.05 a part",
        "~ text becomes '\"cau\" STOP'",
        "  coding gsm7, data_coding 0, 1 part",
        "  price by a: 0.05",
        "  price by b: 0.03",
        "  charged 0.05",
        "  health unknown: nobody was asked",
        "= swiss: b (health unknown, 0.03 a part), a (health unknown, 0.05 a part)",
    ]


def test_numbers_are_read_by_the_region_with_all_their_signs() -> None:
    for written in ("791234567", "(079) 123 45 67", "+41 (0)79 123 45 67", "41791234567"):
        answer = ask(to=written, sender=written)
        assert answer.recipient == answer.sender == (1, 1, "41791234567"), written


def test_parts_multiply_the_price_and_name_what_costs() -> None:
    answer = ask(account="bank", to="41791234567", text="Привет " * 20)
    assert answer.coding.parts == 3
    lines = answer.lines()
    assert "  coding ucs2, data_coding 8, 3 parts" in lines
    assert "  price by b: 0.09" in lines
    assert any(line.startswith("  not GSM 7-bit for П р и") for line in lines)


def test_a_rejection_names_the_rule_and_the_status() -> None:
    answer = ask(to="0791111111")
    assert answer.lines()[-1] == "= refused: rule dnd rejects it with ESME_RSUBMITFAIL"
    told = answer.as_dict()
    assert (told["rule"], told["status"], told["outlets"]) == ("dnd", "ESME_RSUBMITFAIL", [])


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"account": "who"}, "there is no account 'who'; there are: bank, shop"),
        (
            {"sender": "Bank"},
            "account shop may not send as 'Bank'; its senders are listed in the configuration",
        ),
        (
            {"account": "bank", "to": "4912345678"},
            "account bank may not send to 4912345678; see its destinations",
        ),
        ({"to": "Shop"}, "an address cannot be: characters that a number has not"),
        ({"to": ""}, "an address cannot be: no destination"),
    ],
)
def test_what_does_not_come_to_routing(facts: dict[str, str], why: str) -> None:
    answer = ask(**facts)
    assert answer.lines()[-1] == f"= refused: {why}"
    assert answer.as_dict()["refused"] == why
    assert answer.as_dict()["tried"] == []


def test_a_sender_is_judged_as_it_will_be_sent() -> None:
    assert ask(sender="079 000 00 00").routing is not None


def test_an_account_may_have_a_sender_of_its_own() -> None:
    assert (
        ask(account="bank", sender="", to="4479").lines()[0]
        == "from     Bank (ton 5, npi 0; given as '')"
    )
    assert ask(sender="").sender.addr == ""


def test_answers_for_machines() -> None:
    told = json.loads(json.dumps(ask(text="hi").as_dict()))
    assert told["to"] == {"ton": 1, "npi": 1, "addr": "41791234567"}
    assert told["outlets"] == [
        {"name": "b", "up": None, "price": "0.03"},
        {"name": "a", "up": None, "price": "0.05"},
    ]
    assert told["actions"] == {
        "tags": ["r"],
        "transliterate": "lossy",
        "footer": " STOP",
        "charge": "0.05",
    }
    assert told["tried"][0]["matched"] is False
    assert (told["text"], told["coding"], told["parts"]) == ("hi STOP", "gsm7", 1)


def explained(configured: str, health: Health = "", **facts: Any) -> Answer:
    question = Question(**({"account": "bank", "sender": "X", "to": "4479", "text": "hi"} | facts))
    return Explainer(config(configured)).explain(question, health)


def test_an_account_s_terms_count_as_in_the_gateway() -> None:
    account = '[accounts.odd]\npassword = "p"\ndata_coding_0 = "latin1"\nmax_priority = 0\n'
    rules = (
        '[[routes]]\nname = "urgent"\nwhen = { priorities = [2] }\noutlets = ["a"]\n'
        '[[routes]]\nname = "latin"\nwhen = { alphabets = ["latin1"] }\noutlets = ["b"]\n'
    )
    text = CURRENT.replace("[[routes]]", rules + "[[routes]]", 1) + account
    latin = explained(text, account="odd", text="à@", priority=2)
    assert (latin.as_dict()["rule"], latin.coding[:3]) == ("latin", ("à@", "latin1", 3))
    assert explained(text, account="odd", text="à@", source="rest").as_dict()["rule"] == "rest"
    wap = text.replace("max_priority = 0", 'service_types = ["WAP"]')
    refused = explained(wap, account="odd").as_dict()
    assert refused["refused"] == "account odd may not use service_type ''"
    assert refused["status"] == "ESME_RINVSERTYP"
    assert explained(wap, account="odd", service_type="WAP").routing is not None


def test_destinations_are_judged_as_read() -> None:
    text = CURRENT.replace('destinations = ["41", "44"]', 'destinations = ["41"]\nregion = "CH"')
    assert explained(text, to="0791234567").routing is not None
    assert explained(text, to="4479112345678").status == "ESME_RINVDSTADR"


def test_the_account_pays_by_the_tariff_unless_a_rule_says() -> None:
    text = CURRENT + '[credit]\nprices = "tariff.csv"\ndefault_price = 7\n'
    Path("tariff.csv").write_text("44,uk,2.5\n")
    told = explained(text, text="x" * 161)
    assert "  charged 5.0 of uk" in told.lines()
    assert told.as_dict()["price"] == {"class": "uk", "unit": "2.5", "amount": "5.0"}
    assert "  charged 7" in explained(text, to="41791234567").lines()
    text = text.replace('name = "rest"', 'name = "rest"\ndo = { charge = 0 }')
    assert "  charged 0 of uk" in explained(text).lines()


def test_what_is_dropped_costs_nothing() -> None:
    rule = '[[routes]]\nname = "gone"\ndo = { drop = true, charge = 1.5 }\n[[routes]]'
    text = CURRENT.replace("[[routes]]", rule, 1)
    told = explained(text)
    assert told.lines()[-1] == "= gone: dropped, nothing is sent"
    assert not [line for line in told.lines() if "charged" in line]
    assert told.as_dict()["price"] is None


def test_health_comes_from_outside() -> None:
    text = CURRENT.replace('"turn"', '"order"')
    told = explained(text, {"a": False, "b": True})
    assert told.lines()[-1] == "= rest: b (up), a (down)"
    assert [one["up"] for one in told.as_dict()["outlets"]] == [True, False]
    assert explained(text, {"b": True}).lines()[-1] == "= rest: a (health unknown), b (up)"
    lines = explained(text, "no gateway runs here").lines()
    assert "  health unknown: no gateway runs here" in lines


TRAFFIC = """account,from,to,text,at
shop,Shop,0791234567,hi,2026-11-22T10:00:00
shop,Shop,0781234567,hi,
bank,Bank,41791111111,hi,
bank,Bank,4479112345678,hi,2026-11-22T10:00:00+01:00
bank,Bank,4479112345679,hi,
,Bank,44,hi,
bank,Bank,44,hi,yesterday
"""


def replayed(candidate: str, traffic: str = TRAFFIC) -> Replay:
    Path("traffic.csv").write_text(traffic)
    found = replay(Path("traffic.csv"), config(), config(candidate), NOON_MS)
    assert isinstance(found, Replay), found
    return found


def test_the_same_configuration_changes_nothing() -> None:
    found = replayed(CURRENT)
    assert (found.total, found.changed) == (5, 0)
    assert found.mistakes == (
        "line 7: expected an account and a recipient",
        "line 8: expected a time like 2026-11-22T10:00:00Z, found 'yesterday'",
    )
    assert found.lines()[0] == "5 messages: 5 as before, 0 changed"


def test_lines_are_those_of_the_file() -> None:
    traffic = 'account,from,to,text\n\n\nbank,Bank,4479,"a\nb\nc"\nnobody\n,x,44\n'
    mistakes = replayed(CURRENT, traffic).mistakes
    assert [one.split(":")[0] for one in mistakes] == ["line 7", "line 8"]


def test_changes_are_counted_with_an_example_each() -> None:
    candidate = CURRENT.replace('to = ["41"]', 'to = ["4179"]').replace('"turn"', '"order"')
    found = replayed(candidate)
    assert found.changed == 3
    doing = "; tagged r; text made plain (lossy); footer ' STOP'; charged 0.05 a part"
    assert found.changes == (
        Change("rest: by turn: a 1, b 1", "rest: a > b", 2, 5, "bank, Bank to 4479112345678"),
        Change(
            f"swiss: a > b{doing}; costs 0.05 by a, 0.06 by b, 0.05 to the account",
            f"rest: a > b{doing}; costs 0.05 to the account",
            1,
            3,
            "shop, Shop to 0781234567",
        ),
    )


def only(candidate: str, current: str = CURRENT, row: str = "bank,Bank,4479,hi") -> Change:
    """The one change of a message that goes twice."""
    Path("traffic.csv").write_text(f"account,from,to,text\n{row}\n{row}0\n")
    found = replay(Path("traffic.csv"), config(current), config(candidate), NOON_MS)
    assert isinstance(found, Replay), found
    assert [one.count for one in found.changes] == [2], found.lines()
    return found.changes[0]


def test_other_prices_are_a_change() -> None:
    Path("dear.csv").write_text("41,0.5,Swiss\n")
    dear = only(CURRENT.replace('"a.csv"', '"dear.csv"'), row="bank,Bank,41791234567,hi")
    assert dear.before == "swiss: b > a; costs 0.05 by a, 0.03 by b"
    assert dear.after == "swiss: b > a; costs 0.5 by a, 0.03 by b"
    credit = CURRENT + "[credit]\ndefault_price = 7\n"
    assert only(credit.replace("= 7", "= 9"), credit).after.endswith("; costs 9 to the account")


def test_other_numbers_are_a_change() -> None:
    sender = only(
        CURRENT.replace('default_sender = "Bank"', 'default_sender = "New"'), row="bank,,4479,x"
    )
    assert sender.before == "rest: by turn: a 1, b 1; from Bank (ton 5, npi 0)"
    assert sender.after == "rest: by turn: a 1, b 1; from New (ton 5, npi 0)"
    region = CURRENT.replace('to = ["41"]', 'to = ["41", "49"]').replace(
        'choose = { by = "cost", prices = ["a", "b"] }', ""
    )
    german = only(region.replace('"CH"', '"DE"'), region, "shop,Shop,0171 1234567,hi")
    assert german.before.endswith("; to 01711234567 (ton 1, npi 1)")
    assert german.after.endswith("; to 491711234567 (ton 1, npi 1)")


def test_names_that_say_only_where_a_rule_stands_are_no_change() -> None:
    bare = CURRENT.replace('name = "rest"\n', "").replace('name = "dnd"\n', "")
    front = bare.replace("[[routes]]", '[[routes]]\nto = ["999"]\noutlets = ["a"]\n[[routes]]', 1)
    Path("traffic.csv").write_text(TRAFFIC + "shop,Shop,0791111111,hi,\n")
    for old, new in ((bare, front), (CURRENT, bare)):
        found = replay(Path("traffic.csv"), config(old), config(new), NOON_MS)
        assert isinstance(found, Replay)
        assert found.changed == 0, found.lines()


def test_refusals_of_many_numbers_are_one_change() -> None:
    allowed = CURRENT.replace('destinations = ["41", "44"]', 'destinations = ["41"]')
    refused = only(allowed, row="bank,Bank,44791")
    assert refused.after == "refused: account bank may not send to 44791; see its destinations"


def test_a_file_without_the_columns_is_no_traffic() -> None:
    Path("traffic.csv").write_text("who,to\nx,y\n")
    told = replay(Path("traffic.csv"), config(), config(), NOON_MS)
    assert told == "traffic.csv: expected columns account, from, to; no account, from"
    gone = replay(Path("gone.csv"), config(), config(), NOON_MS)
    assert isinstance(gone, str)
    assert "cannot read 'gone.csv'" in gone


def run(*arguments: str) -> int:
    return int(cli.app(arguments))


def test_the_command_explains(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("explain", "--from", "Shop", "--to", "079 123 45 67", "--account", "shop") == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("= swiss: b (health unknown")
    assert run("explain", "--to", "4479", "--account", "bank", "--text", "hi", "--json") == 0
    assert json.loads(capsys.readouterr().out)["rule"] == "rest"


def test_the_command_tells_machines_of_a_new_sender_and_of_no_charge(
    capsys: pytest.CaptureFixture[str],
) -> None:
    doing = 'name = "rest"\ndo = { sender = "Brand", charge = 0 }'
    Path("smsc.toml").write_text(CURRENT.replace('name = "rest"', doing))
    assert run("explain", "--to", "4479", "--account", "bank", "--text", "hi", "--json") == 0
    assert json.loads(capsys.readouterr().out)["actions"] == {
        "source": {"ton": 5, "npi": 0, "addr": "Brand"},
        "charge": "0",
    }


def test_the_example_explains_itself(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    asked = ["--account", "shop", "--from", "Shop", "--config", "examples/routing/routing.toml"]
    for to, text, last in (
        ("079/123 45 67", "Hello", "= swiss: alpha (health unknown, 0.045 a part), beta"),
        ("078 123 45 67", "Hello", "= swiss: beta (health unknown, 0.047 a part), alpha"),
        ("076 612 30 00", "Hello", "= ported: beta (health unknown), alpha (health unknown)"),
        ("079 111 11 11", "Hello", "= refused: rule do not disturb rejects it"),
        ("+49 151 23456789", "SALE today", "= quiet hours: dropped, nothing is sent"),
    ):
        arguments = ["explain", "--to", to, "--text", text, "--at", "2026-11-22T22:00:00", *asked]
        assert run(*arguments) == 0
        assert capsys.readouterr().out.splitlines()[-1].startswith(last)


def test_the_command_replays(capsys: pytest.CaptureFixture[str]) -> None:
    Path("traffic.csv").write_text(TRAFFIC)
    Path("new.toml").write_text(CURRENT.replace("ESME_RSUBMITFAIL", "ESME_RINVDSTADR"))
    arguments = ["explain", "--replay", "traffic.csv", "--candidate", "new.toml"]
    assert run(*arguments, "--config", "smsc.toml") == 0
    assert "5 messages: 4 as before, 1 changed" in capsys.readouterr().out
    assert run(*arguments, "--json") == 0
    assert json.loads(capsys.readouterr().out)["changes"][0]["count"] == 1


def test_the_command_asks_the_gateway_that_runs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["explain", "--to", "4479", "--account", "bank"]
    assert run(*arguments) == 0
    assert "  health unknown: no gateway runs on var" in capsys.readouterr().out
    rows = Told([{"name": "a", "state": "down"}, {"name": "b", "state": "up"}])
    for answer, last in (
        (rows, "b (up), a (down)"),
        (Declined(("not now",)), "health unknown: not now"),
        (NoGateway("it belongs to another user"), "health unknown: it belongs to another user"),
    ):
        monkeypatch.setattr("smsc.explain_command.ask", lambda *_, a=answer, **__: a)
        assert run(*arguments) == 0
        assert last in capsys.readouterr().out


def test_the_command_says_how_to_use_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("explain") == 2
    assert "give --account and --to" in capsys.readouterr().err
    assert run("explain", "--replay", "traffic.csv") == 2
    assert "give --replay and --candidate together" in capsys.readouterr().err
    assert run("explain", "--to", "41", "--account", "shop", "--config", "gone.toml") == 2
    assert "gone.toml" in capsys.readouterr().err
    assert run("explain", "--replay", "gone.csv", "--candidate", "smsc.toml") == 2
    assert "cannot read 'gone.csv'" in capsys.readouterr().err
