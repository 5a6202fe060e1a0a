"""Each condition, target and action of a rule, on messages in a whole gateway.

The rooms of routing have their own tests; here the facts must have come all the way from the
octets of a submission, and what a rule says must show on the message that is stored and sent.
Each row is a reload of one gateway, so they are cheap, and a hundred reloads more are proved.
"""

import base64
import json
import urllib.request
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pdu.codec import peek_submit_sm
from pdu.status import Status
from pdu.tlvs import Tag
from routing.rewrite import text_of
from smsc.message import AccountId, Draft, MessageId, OutletName, State
from smsc.ports import Admission, Admitted, Refused
from tests.fakes.reloadable import HEAD, ReloadableGateway
from tests.flow.house import DEMO, body_to
from tests.foreign.esme import Esme

ACCOUNTS = """
[accounts.demo]
password = "demo"
group = "retail"
[accounts.bank]
password = "bank"
group = "finance"
[accounts.swiss]
password = "swiss"
region = "CH"
"""
OUTLETS = "".join(
    f'[outlets.{name}]\nkind = "simulator"\ndelay_s = 0.0\n'
    for name in ("hit", "miss", "a", "b", "c")
)
ELSE = '[[routes]]\nname = "else"\noutlets = ["miss"]\n'
HTTP = HEAD + '[http]\nlisten = ["127.0.0.1:0"]\n'


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReloadableGateway]:
    directory: Path = tmp_path_factory.mktemp("routing")
    (directory / "numbers.csv").write_text("41790000001\nShop\n")
    (directory / "table.csv").write_text("4179,a,Swiss mobile\n41,b,Swiss\n")
    (directory / "dear.csv").write_text("41,0.09,Swiss\n49,0.01,German\n")
    (directory / "cheap.csv").write_text("41,0.01,Swiss\n49,0.09,German\n")
    one = ReloadableGateway(directory, ACCOUNTS + OUTLETS + ELSE, HTTP)
    yield one
    one.kill()


def files(gateway: ReloadableGateway) -> str:
    d = gateway.directory
    return (
        f'[lists.known]\nfile = "{d}/numbers.csv"\n'
        f'[route_tables.world]\nfile = "{d}/table.csv"\n'
        f'[price_tables.dear]\nfile = "{d}/dear.csv"\n'
        f'[price_tables.cheap]\nfile = "{d}/cheap.csv"\n'
    )


def follow(gateway: ReloadableGateway, rules: str) -> None:
    gateway.take(ACCOUNTS + OUTLETS + files(gateway) + rules + ELSE)


def submit(gateway: ReloadableGateway, *drafts: Draft) -> list[Admission]:
    return gateway.await_(lambda: gateway.gateway.http.submit.submit_many(drafts))


def draft(**facts: Any) -> Draft:
    """Of the demo account; what is no fact of the envelope is a field of the body."""
    account = facts.pop("account", DEMO)
    source, tags = facts.pop("source", "smpp"), facts.pop("tags", ())
    facts.setdefault("to", "41790000002")
    return Draft(AccountId(account), source, body_to(**facts), tags=tags)


def sent(gateway: ReloadableGateway, *drafts: Draft) -> list[MessageId]:
    """Their ids, once the network delivered them."""
    ids = [one.id for one in submit(gateway, *drafts) if isinstance(one, Admitted)]
    assert len(ids) == len(drafts)

    def is_over() -> bool:
        found = gateway.gateway.store.progresses(ids)
        return all(one is not None and one.state is State.DELIVERED for one in found)

    gateway.wait_until(is_over)
    return ids


def outlets_of(gateway: ReloadableGateway, *drafts: Draft) -> list[str]:
    return [str(gateway.message(id_)[1].outlet) for id_ in sent(gateway, *drafts)]


_NOT_FOUND = Status.ESME_RQUERYFAIL
NOW = datetime.now(UTC)


def span(zone: str, after_h: float) -> str:
    """Two hours of the wall clock in a zone, that begin so long after now."""
    begins = NOW.astimezone(ZoneInfo(zone)) + timedelta(hours=after_h)
    return f"{begins:%H:%M}-{begins + timedelta(hours=2):%H:%M}"


def day(zone: str, after: int = 0) -> str:
    moment = NOW.astimezone(ZoneInfo(zone)) + timedelta(days=after)
    return moment.strftime("%a").lower()


UDH = b"\x05\x00\x03\x07\x02\x01"
LONG = ((int(Tag.MESSAGE_PAYLOAD), b"x" * 200),)
CONDITIONS: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("a prefix", 'to = ["4179"]', {}, {"to": "41780000002"}),
    ("the longer of two prefixes", 'to = ["41", "4179"]', {}, {"to": "49780000002"}),
    (
        "a range of numbers",
        'to = ["41790000000-41790000009"]',
        {"to": "41790000009"},
        {"to": "41790000010"},
    ),
    ("a number with its plus", 'to = ["4179"]', {"to": "+41790000002"}, {"to": "+43"}),
    ("the account", 'accounts = ["bank"]', {"account": "bank"}, {}),
    ("the group", 'when = {groups = ["finance"]}', {"account": "bank"}, {}),
    ("the door", 'when = {sources = ["rest"]}', {"source": "rest"}, {}),
    ("the sender", 'when = {senders = ["Shop"]}', {}, {"source_addr": "Shops"}),
    (
        "a number as sender, with its plus",
        'when = {senders = ["4179*"]}',
        {"source_addr": "+41791111111", "source_addr_ton": 1},
        {"source_addr": "+41781111111", "source_addr_ton": 1},
    ),
    ("a sender's beginning", 'when = {senders = ["Sho*"]}', {"source_addr": "Shoe"}, {"source_addr": "She"}),
    (
        "an alphanumeric sender",
        'when = {sender_kinds = ["alphanumeric"]}',
        {"source_addr_ton": 5},
        {"source_addr_ton": 1, "source_addr": "41791111111"},
    ),
    (
        "a short sender",
        'when = {sender_kinds = ["short"]}',
        {"source_addr": "12345", "source_addr_ton": 3},
        {"source_addr": "41791111111", "source_addr_ton": 1},
    ),
    ("no sender", 'when = {sender_kinds = ["none"]}', {"source_addr": ""}, {}),
    (
        "the alphabet",
        'when = {alphabets = ["ucs2"]}',
        {"data_coding": 8, "short_message": "Ж".encode("utf-16-be")},
        {},
    ),
    ("many parts", "when = {min_parts = 2}", {"short_message": b"", "tlvs": LONG}, {}),
    ("few parts", "when = {max_parts = 1}", {}, {"short_message": b"", "tlvs": LONG}),
    ("class 0", "when = {class0 = true}", {"data_coding": 0x10}, {}),
    ("not class 0", "when = {class0 = false}", {}, {"data_coding": 0x10}),
    (
        "bits of esm_class",
        "when = {esm_class = 64}",
        {"esm_class": 0x40, "short_message": UDH + b"part"},
        {},
    ),
    ("the priority", "when = {priorities = [2, 3]}", {"priority_flag": 3}, {"priority_flag": 1}),
    ("a tag of the client", 'when = {tags = ["vip"]}', {"tags": ("x", "vip")}, {"tags": ("x",)}),
    ("without a tag", 'when = {without_tags = ["vip"]}', {}, {"tags": ("vip",)}),
    ("the text", 'when = {text = "(?i)\\\\bcode\\\\b"}', {"short_message": b"Your CODE: 7"}, {"short_message": b"decode"}),
    (
        "a text in UCS-2",
        'when = {text = "код"}',
        {"data_coding": 8, "short_message": "ваш код".encode("utf-16-be")},
        {"data_coding": 8, "short_message": "пароль".encode("utf-16-be")},
    ),
    ("a number on a list", 'when = {to_in = ["known"]}', {"to": "41790000001"}, {}),
    ("a number on no list", 'when = {to_not_in = ["known"]}', {}, {"to": "41790000001"}),
    ("a sender on a list", 'when = {sender_in = ["known"]}', {"source_addr": "SHOP"}, {"source_addr": "Bank"}),
    ("a sender on no list", 'when = {sender_not_in = ["known"]}', {"source_addr": "Bank"}, {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "fits", "differs"),
    [row[1:] for row in CONDITIONS],
    ids=[row[0] for row in CONDITIONS],
)
def test_a_condition(
    gateway: ReloadableGateway, condition: str, fits: dict[str, Any], differs: dict[str, Any]
) -> None:
    follow(gateway, f'[[routes]]\n{condition}\noutlets = ["hit"]\n')
    assert outlets_of(gateway, draft(**fits), draft(**differs)) == ["hit", "miss"]


@pytest.mark.parametrize(
    ("when", "outlet"),
    [
        (f'hours = ["{span("Asia/Tokyo", -1)}"], zone = "Asia/Tokyo"', "hit"),
        (f'hours = ["{span("Asia/Tokyo", 1)}"], zone = "Asia/Tokyo"', "miss"),
        (f'hours = ["{span("America/New_York", -1)}"], zone = "America/New_York"', "hit"),
        (f'hours = ["{span("Asia/Tokyo", -1)}"]', "miss"),  # nine hours from UTC
        (f'days = ["{day("Asia/Tokyo")}"], zone = "Asia/Tokyo"', "hit"),
        (f'days = ["{day("Asia/Tokyo", 2)}"], zone = "Asia/Tokyo"', "miss"),
    ],
)
def test_the_time_of_day_in_a_zone(gateway: ReloadableGateway, when: str, outlet: str) -> None:
    follow(gateway, f'[[routes]]\nwhen = {{{when}}}\noutlets = ["hit"]\n')
    assert outlets_of(gateway, draft()) == [outlet]


def test_the_door_that_clients_come_by(gateway: ReloadableGateway) -> None:
    """Over SMPP and over HTTP, with sockets."""
    follow(gateway, '[[routes]]\nwhen = {sources = ["rest"]}\noutlets = ["hit"]\n')
    client = Esme(gateway.port)
    client.bind("transmitter")
    client.submit()
    client.read_until(responses=1)
    client.close()
    assert gateway.http is not None
    request = urllib.request.Request(
        f"http://127.0.0.1:{gateway.http[1]}/v1/messages",
        json.dumps({"from": "Shop", "to": "41791234567", "text": "hello"}).encode(),
        {"Authorization": "Basic " + base64.b64encode(b"demo:demo").decode()},
    )
    with urllib.request.urlopen(request) as answer:
        posted = json.load(answer)["messages"][0]["id"]
    ids = [MessageId(int(client.responses[0].message_id)), MessageId(int(posted))]
    gateway.wait_until(
        lambda: all(
            one is not None and one.state is State.DELIVERED
            for one in gateway.gateway.store.progresses(ids)
        )
    )
    assert [gateway.message(id_)[1].outlet for id_ in ids] == ["miss", "hit"]


def test_an_account_may_send_to_numbers_however_they_are_written(
    gateway: ReloadableGateway,
) -> None:
    accounts = ACCOUNTS + 'destinations = ["41", "44"]\n'  # of the last one, which is in CH
    gateway.take(accounts + OUTLETS + ELSE)
    numbers = ("0791234567", "0041791234567", "+41791234567", "443640000", "0049301234567")
    answers = submit(gateway, *[draft(account="swiss", to=to) for to in numbers])
    allowed = dict(zip(numbers, [isinstance(one, Admitted) for one in answers], strict=True))
    assert [number for number, is_allowed in allowed.items() if not is_allowed] == ["0049301234567"]
    refused = answers[-1]
    assert isinstance(refused, Refused)
    assert "may not send to 49301234567" in refused.why


def test_a_client_names_its_messages_as_it_wrote_them(gateway: ReloadableGateway) -> None:
    """A national sender that is stored in E.164, and one that a rule puts another in place of."""
    follow(gateway, '[[routes]]\nto = ["4179"]\ndo = {sender = "Other"}\noutlets = ["hit"]\n')
    client = Esme(gateway.port)
    client.bind("transceiver", "swiss", "swiss")
    for to in ("0791234567", "0781234567"):
        written = draft(account="swiss", to=to, source_addr="0791111111")
        (id_,) = sent(gateway, written)
        for source, status in (("0791111111", 0), ("41791111111", 0), ("Other", _NOT_FOUND)):
            assert client.query(str(id_), source) == status, (to, source)
    client.close()


class TestTargets:
    def test_weights(self, gateway: ReloadableGateway) -> None:
        follow(
            gateway,
            '[[routes]]\noutlets = ["a", "b", "c"]\nchoose = {by = "weight", weights = [8, 2, 0]}\n',
        )
        shares = Counter(outlets_of(gateway, *[draft()] * 500))
        assert 330 < shares["a"] < 470, shares  # 400, and seven standard deviations
        assert shares["a"] + shares["b"] == 500

    def test_in_turn(self, gateway: ReloadableGateway) -> None:
        follow(gateway, '[[routes]]\noutlets = ["a", "b", "c"]\nchoose = {by = "turn"}\n')
        assert Counter(outlets_of(gateway, *[draft()] * 30)) == {"a": 10, "b": 10, "c": 10}

    def test_sticky_by_destination(self, gateway: ReloadableGateway) -> None:
        follow(gateway, '[[routes]]\noutlets = ["a", "b", "c"]\nchoose = {by = "destination"}\n')
        drafts = [draft(to=f"4179000{number:04}") for number in range(60)]
        first, second = outlets_of(gateway, *drafts), outlets_of(gateway, *drafts)
        assert first == second
        assert set(first) == {"a", "b", "c"}

    def test_least_cost(self, gateway: ReloadableGateway) -> None:
        follow(
            gateway,
            '[[routes]]\noutlets = ["a", "b"]\nchoose = {by = "cost", prices = ["dear", "cheap"]}\n',
        )
        assert outlets_of(gateway, draft(), draft(to="4917000000")) == ["b", "a"]

    def test_a_table_of_prefixes(self, gateway: ReloadableGateway) -> None:
        follow(gateway, '[[routes]]\ntable = "world"\noutlets = ["c"]\n')
        answers = outlets_of(gateway, draft(), draft(to="41220000000"), draft(to="4917000000"))
        assert answers == ["a", "b", "miss"]

    @pytest.mark.parametrize("choose", ["", 'choose = {by = "weight", weights = [1, 0]}'])
    def test_what_is_down_is_passed_over(self, gateway: ReloadableGateway, choose: str) -> None:
        down = (
            '[outlets.down]\nkind = "smpp"\nhost = "127.0.0.1"\nport = 1\nsystem_id = "gw"\n'
            f'[[routes]]\noutlets = ["down", "hit"]\n{choose}\n'
        )
        follow(gateway, down)
        assert outlets_of(gateway, draft(), draft()) == ["hit", "hit"]


class TestActions:
    def act(self, gateway: ReloadableGateway, do: str, **facts: Any) -> MessageId:
        follow(gateway, f'[[routes]]\noutlets = ["hit"]\ndo = {{{do}}}\n')
        (id_,) = sent(gateway, draft(**facts))
        return id_

    def test_reject(self, gateway: ReloadableGateway) -> None:
        follow(gateway, '[[routes]]\ndo = {reject = "ESME_RPROHIBITED"}\n')
        (refused,) = submit(gateway, draft())
        assert isinstance(refused, Refused)
        assert refused.status == Status.ESME_RPROHIBITED

    def test_drop(self, gateway: ReloadableGateway) -> None:
        follow(gateway, "[[routes]]\ndo = {drop = true}\n")
        taken = gateway.gateway.outlets[OutletName("hit")].statistics()["taken"]
        (admitted,) = submit(gateway, draft())
        assert isinstance(admitted, Admitted)
        assert gateway.message(admitted.id)[1].state is State.DELETED
        assert gateway.gateway.outlets[OutletName("hit")].statistics()["taken"] == taken

    def test_tags(self, gateway: ReloadableGateway) -> None:
        id_ = self.act(gateway, 'tags = ["seen"]', tags=("own",))
        assert gateway.message(id_)[0].tags == ("own", "seen")

    def test_addresses(self, gateway: ReloadableGateway) -> None:
        id_ = self.act(gateway, 'to_prefix = ["4179", "4378"], sender = "Other"')
        peek = gateway.message(id_)[0].peek
        assert (peek.destination_addr, peek.source_addr) == ("43780000002", "Other")
        id_ = self.act(
            gateway, 'sender_prefix = ["41", "43"]', source_addr="4179111", source_addr_ton=1
        )
        assert gateway.message(id_)[0].peek.source_addr == "4379111"

    def test_validity(self, gateway: ReloadableGateway) -> None:
        message, _ = gateway.message(self.act(gateway, "validity_s = 60"))
        assert message.expires_ms - message.accepted_ms == 60_000

    def test_texts(self, gateway: ReloadableGateway) -> None:
        id_ = self.act(
            gateway,
            'transliterate = "lossy", footer = " STOP 123"',
            data_coding=8,
            short_message="“čau”".encode("utf-16-be"),
        )
        message, _ = gateway.message(id_)
        assert text_of(message.body, peek_submit_sm(message.body)) == '"cau" STOP 123'
        assert message.peek.data_coding == 0

    def test_a_rule_that_goes_on(self, gateway: ReloadableGateway) -> None:
        follow(
            gateway,
            '[[routes]]\ndo = {to_prefix = ["41", "43"], tags = ["moved"]}\n'
            '[[routes]]\nto = ["43"]\nwhen = {tags = ["moved"]}\noutlets = ["hit"]\n',
        )
        assert outlets_of(gateway, draft()) == ["hit"]


@pytest.mark.parametrize(
    ("written", "ton", "read"),
    [
        ("022/364 8000", 0, "41223648000"),
        ("0041223648000", 0, "41223648000"),
        ("+41223648000", 1, "41223648000"),
        ("0791234567", 0, "41791234567"),
        ("12345", 0, "12345"),
    ],
)
def test_numbers_as_people_write_them(
    gateway: ReloadableGateway, written: str, ton: int, read: str
) -> None:
    follow(gateway, "")
    (id_,) = sent(gateway, draft(account="swiss", to=written, dest_addr_ton=ton))
    message, _ = gateway.message(id_)
    assert message.peek.destination_addr == read
    assert message.peek.source_addr == "Shop", "an alphanumeric sender stays"


def test_guards_watch_an_account_and_a_stretch_of_numbers(gateway: ReloadableGateway) -> None:
    guard = (
        '[guards.flood]\nlimit = 2\nwindow_s = 3600\ndigits = 5\naccounts = ["demo"]\n'
        'action = "{action}"\n'
    )
    follow(gateway, guard.format(action="block"))
    statuses = [getattr(one, "status", 0) for one in submit(gateway, *[draft()] * 3)]
    assert statuses == [0, 0, Status.ESME_RTHROTTLED]
    others = [draft(to="43660000001"), draft(account="bank")]
    assert [getattr(one, "status", 0) for one in submit(gateway, *others)] == [0, 0]
    told = len(gateway.log.named("guard.exceeded"))
    follow(gateway, guard.format(action="alarm"))
    assert [getattr(one, "status", 0) for one in submit(gateway, *[draft()] * 5)] == [0] * 5
    assert len(gateway.log.named("guard.exceeded")) == told + 1, "once a window"
