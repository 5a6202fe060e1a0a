"""Hot reload of a whole gateway: each kind of change, over real sockets and a real disk."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import smpplib.exceptions
import structlog

from pdu.status import Status, Vendor
from smsc import logs
from smsc.gateway import outlet_keeper
from smsc.gateway.reloading import NotReloaded, Reloaded
from smsc.message import AccountId, Draft, MessageId, OutletName, State
from smsc.ports import Admission, Admitted, NewProfile, Profile, Refused
from tests.fakes.certificates import Authority
from tests.fakes.hostile import HostileCarrier
from tests.fakes.house import RunningGateway, StartGateway
from tests.fakes.reloadable import HEAD, ReloadableGateway
from tests.flow.house import DEMO, body_to
from tests.flow.test_carrier_cuts import CARRIER
from tests.foreign.esme import Esme

DEMO_TOML = """
[accounts.demo]
password = "demo"
"""
SIM = """
[outlets.sim]
kind = "simulator"
delay_s = 0.0
[[routes]]
name = "default"
outlets = ["sim"]
"""
LINK = """
[outlets.{name}]
kind = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "gw"
password = "gwpass"
reconnect_s = 0.01
"""
Start = Callable[..., ReloadableGateway]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smsc.link._LAST_WORDS_S", 0.05)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def start(toml: str = DEMO_TOML + SIM, head: str = HEAD) -> ReloadableGateway:
            one = ReloadableGateway(tmp_path, toml, head)
            stack.callback(one.kill)
            return one

        yield start


@pytest.fixture
def esme() -> Iterator[Callable[..., Esme]]:
    with ExitStack() as stack:

        def connect(gateway: RunningGateway, **bind: str) -> Esme:
            one = Esme(gateway.port)
            stack.callback(one.close)
            one.bind(**bind)
            return one

        yield connect


def link(name: str, port: int, more: str = "") -> str:
    return LINK.format(name=name, port=port) + more + "\n"


def route(*outlets: str, more: str = "") -> str:
    listed = ", ".join(f'"{one}"' for one in outlets)
    return f"[[routes]]\noutlets = [{listed}]\n{more}\n"


def submit(gateway: RunningGateway, *to: str, account: AccountId = DEMO) -> list[Admission]:
    drafts = [Draft(account, "smpp", body_to(one)) for one in to or ("41791234567",)]
    return gateway.await_(lambda: gateway.gateway.http.submit.submit_many(drafts))


def admit(gateway: RunningGateway, *to: str) -> list[MessageId]:
    answers = submit(gateway, *to)
    assert all(isinstance(one, Admitted) for one in answers), answers
    return [one.id for one in answers if isinstance(one, Admitted)]


def status_of(gateway: RunningGateway, to: str = "41791234567") -> int:
    """Of one submission: 0 when it was admitted."""
    (answer,) = submit(gateway, to)
    return answer.status if isinstance(answer, Refused) else 0


def outlet_of(gateway: RunningGateway, id_: MessageId) -> str:
    return gateway.message(id_)[1].outlet


def wait_for(gateway: RunningGateway, ids: list[MessageId], state: State) -> None:
    def is_so() -> bool:
        found = gateway.gateway.store.progresses(ids)
        return all(one is not None and one.state is state for one in found)

    gateway.wait_until(is_so, f"{ids} are {state.name}")


class TestRouting:
    def test_rules(self, start: Start) -> None:
        gateway = start(DEMO_TOML + SIM)
        assert status_of(gateway) == 0
        done = gateway.take(DEMO_TOML + SIM.replace("[[routes]]", '[[routes]]\nto = ["43"]\n', 1))
        assert done.accounts == ()
        assert status_of(gateway) == Status.ESME_RINVDSTADR
        assert status_of(gateway, "43664123") == 0
        gateway.take(DEMO_TOML + SIM)
        assert status_of(gateway) == 0

    def test_messages_from_the_network(self, start: Start) -> None:
        mo = '[[mo_routes]]\nto = ["12345"]\naccount = "demo"\n'
        gateway = start(DEMO_TOML + SIM)
        simulate = gateway.gateway.http.simulate_mo
        assert gateway.await_(lambda: simulate("sim", "4179", "12345", "hello")) is not None
        gateway.take(DEMO_TOML + SIM + mo)
        assert gateway.await_(lambda: simulate("sim", "4179", "12345", "hello")) is None
        gateway.take(DEMO_TOML + SIM)
        assert gateway.await_(lambda: simulate("sim", "4179", "12345", "hello")) is not None

    def test_guards_keep_their_counters(self, start: Start) -> None:
        guard = '[guards.flood]\nlimit = {limit}\nwindow_s = 3600\naction = "block"\n'
        toml = DEMO_TOML + SIM + guard
        gateway = start(toml.format(limit=3))
        assert [status_of(gateway) for _ in range(2)] == [0, 0]
        gateway.take(toml.format(limit=3) + '[distribution_lists]\nx = ["41791"]\n')
        statuses = [status_of(gateway) for _ in range(2)]
        assert statuses == [0, Status.ESME_RTHROTTLED], "two were counted before"
        gateway.take(toml.format(limit=5))
        assert status_of(gateway) == 0, "another guard counts anew"
        gateway.take(DEMO_TOML + SIM)
        assert [status_of(gateway) for _ in range(9)] == [0] * 9

    def test_a_list_of_numbers(self, start: Start, tmp_path: Path) -> None:
        numbers = tmp_path / "blocked.csv"
        numbers.write_text("41790000001\n")
        rule = (
            f'[lists.blocked]\nfile = "{numbers}"\n'
            '[[routes]]\nwhen = {to_in = ["blocked"]}\ndo = {reject = "ESME_RINVDSTADR"}\n'
        )
        gateway = start(DEMO_TOML + rule + SIM)
        assert status_of(gateway, "41790000001") == Status.ESME_RINVDSTADR
        assert status_of(gateway, "41790000002") == 0
        numbers.write_text("41790000002\n")
        assert isinstance(gateway.reload(), Reloaded)
        assert status_of(gateway, "41790000001") == 0
        assert status_of(gateway, "41790000002") == Status.ESME_RINVDSTADR

    def test_prices(self, start: Start, tmp_path: Path) -> None:
        cheap, dear = "41,0.01,Swiss\n", "41,0.09,Swiss\n"
        for name, text in (("a", cheap), ("b", dear)):
            (tmp_path / f"{name}.csv").write_text(text)
        tables = "".join(
            f'[price_tables.{name}]\nfile = "{tmp_path / name}.csv"\n' for name in "ab"
        )
        sims = '[outlets.a]\nkind = "simulator"\n[outlets.b]\nkind = "simulator"\n'
        rule = '[[routes]]\noutlets = ["a", "b"]\nchoose = {by = "cost", prices = ["a", "b"]}\n'
        gateway = start(DEMO_TOML + tables + sims + rule)
        (first,) = admit(gateway)
        wait_for(gateway, [first], State.DELIVERED)
        (tmp_path / "a.csv").write_text(dear)
        (tmp_path / "b.csv").write_text(cheap)
        assert isinstance(gateway.reload(), Reloaded)
        (second,) = admit(gateway)
        wait_for(gateway, [second], State.DELIVERED)
        assert [outlet_of(gateway, one) for one in (first, second)] == ["a", "b"]

    def test_distribution_lists(self, start: Start) -> None:
        gateway = start(DEMO_TOML + SIM)
        assert gateway.gateway.desk.lists == {}
        gateway.take(DEMO_TOML + SIM + '[distribution_lists]\nstaff = ["41791110001"]\n')
        assert [one.addr for one in gateway.gateway.desk.lists["staff"]] == ["41791110001"]


class TestOutlets:
    def test_a_new_one_is_started(self, start: Start, start_gateway: StartGateway) -> None:
        carrier = start_gateway(CARRIER, "carrier")
        gateway = start(DEMO_TOML + SIM)
        done = gateway.take(DEMO_TOML + SIM + link("x", carrier.port) + route("x"))
        assert done.outlets.added == ("x",)
        gateway.wait_for_event("link.bound")
        gateway.take(DEMO_TOML + link("x", carrier.port) + route("x"))
        ids = admit(gateway)
        wait_for(gateway, ids, State.DELIVERED)
        assert outlet_of(gateway, ids[0]) == "x"

    def test_one_that_did_not_change_keeps_its_bind(
        self, start: Start, start_gateway: StartGateway
    ) -> None:
        carrier = start_gateway(CARRIER, "carrier")
        toml = DEMO_TOML + link("x", carrier.port) + route("x")
        gateway = start(toml)
        gateway.wait_for_event("link.bound")
        session = only_session(gateway, "x")
        gateway.take(toml + SIM.replace("[[routes]]", '[[routes]]\nto = ["43"]'))
        gateway.take(toml + "[accounts.other]\npassword = 'other'\n")
        assert only_session(gateway, "x") is session
        assert "link.down" not in gateway.log.events

    def test_one_whose_retries_changed_keeps_its_bind(
        self, start: Start, start_gateway: StartGateway
    ) -> None:
        carrier = start_gateway(CARRIER, "carrier")
        toml = DEMO_TOML + link("x", carrier.port) + "{more}" + route("x")
        gateway = start(toml.format(more=""))
        gateway.wait_for_event("link.bound")
        session = only_session(gateway, "x")
        done = gateway.take(toml.format(more="[outlets.x.retry]\nschedule_s = [7.0]\n"))
        assert done.outlets.retuned == ("x",)
        assert only_session(gateway, "x") is session
        policy = gateway.gateway.dispatch._outboxes[OutletName("x")].policy
        assert policy._config.schedule_s == (7.0,)

    def test_one_that_changed_answers_what_it_has_and_is_rebuilt(
        self, start: Start, start_gateway: StartGateway
    ) -> None:
        carrier = HostileCarrier()
        try:
            toml = DEMO_TOML + link("x", carrier.port, "{more}") + route("x")
            gateway = start(toml.format(more="window = 3"))
            gateway.wait_for_event("link.bound")
            carrier.play(["late"] * 3)
            ids = admit(gateway, *["41791234567"] * 5)
            gateway.wait_until(lambda: gateway.gateway.dispatch.in_flight == 3)
            done = gateway.take(toml.format(more="window = 4"))
            assert done.outlets.replaced == ("x",)
            wait_for(gateway, ids, State.DELIVERED)
            assert sum(carrier.submits.values()) == 5, "nothing was sent twice"
            assert carrier.most_at_once == 1, "never two connections for one bind"
            assert carrier.connections == 2
            statistics = gateway.call(gateway.gateway.outlets[OutletName("x")].statistics)
            assert statistics["window"] == 4
        finally:
            carrier.close()

    def test_while_one_goes_the_others_of_its_plans_take_over(self, start: Start) -> None:
        carrier = HostileCarrier()
        try:
            both = route("x", "sim")
            toml = (
                DEMO_TOML
                + link("x", carrier.port, "{more}")
                + SIM.split("[[routes]]", maxsplit=1)[0]
                + both
            )
            gateway = start(toml.format(more="window = 1"))
            gateway.wait_for_event("link.bound")
            carrier.play(["late"])
            (slow,) = admit(gateway)
            gateway.wait_until(lambda: gateway.gateway.dispatch.in_flight == 1)
            assert isinstance(gateway.reload(toml.format(more="window = 2")), Reloaded)
            assert gateway.call(lambda: gateway.gateway.keeper.leaving) == {"x"}
            (row,) = [
                row for row in gateway.call(gateway.gateway.outlet_desk.rows) if row["name"] == "x"
            ]
            assert row["state"] == "leaving"
            why = gateway.call(lambda: gateway.gateway.outlet_desk.control("x", "stop"))
            assert why == "outlet 'x' is about to go, after a reload"
            ids = admit(gateway, *["41791234567"] * 3)
            wait_for(gateway, ids, State.DELIVERED)
            assert {outlet_of(gateway, one) for one in ids} == {"sim"}
            wait_for(gateway, [slow], State.DELIVERED)
            assert outlet_of(gateway, slow) == "x"
            gateway.await_(gateway.gateway.keeper.settled)
        finally:
            carrier.close()

    def test_what_waits_for_one_that_is_gone_is_routed_anew(
        self, start: Start, start_gateway: StartGateway
    ) -> None:
        gone = socket.create_server(("127.0.0.1", 0))  # accepts, and never says a word
        with gone:
            toml = DEMO_TOML + link("x", gone.getsockname()[1]) + route("x")
            gateway = start(toml)
            ids = admit(gateway, *["41791234567"] * 1000)
            assert gateway.call(gateway.gateway.dispatch.waiting) == {"x": 1000}
            done = gateway.take(DEMO_TOML + SIM)
            assert done.outlets.removed == ("x",)
            wait_for(gateway, ids, State.DELIVERED)
            assert {outlet_of(gateway, one) for one in ids} == {"sim"}
            assert OutletName("x") not in gateway.gateway.outlets
            gateway.wait_for_event("messages.rerouted")
            assert gateway.log.named("messages.rerouted")[-1]["messages"] == 1000

    def test_what_waits_follows_new_rules(self, start: Start) -> None:
        silent = socket.create_server(("127.0.0.1", 0))
        with silent:
            both = (
                DEMO_TOML
                + link("x", silent.getsockname()[1])
                + SIM.split("[[routes]]", maxsplit=1)[0]
            )
            gateway = start(both + route("x"))
            ids = admit(gateway, *["41791234567"] * 10)
            gateway.take(both + route("sim"))
            wait_for(gateway, ids, State.DELIVERED)

    def test_what_waits_without_a_rule_waits_for_one(self, start: Start) -> None:
        silent = socket.create_server(("127.0.0.1", 0))
        with silent:
            gateway = start(DEMO_TOML + link("x", silent.getsockname()[1]) + route("x"))
            ids = admit(gateway, *["41791234567"] * 10)
            gateway.take(DEMO_TOML + SIM.replace("[[routes]]", '[[routes]]\nto = ["43"]'))
            gateway.wait_for_event("messages.rerouted")
            assert gateway.log.named("messages.rerouted")[-1]["unrouted"] == 10
            gateway.take(DEMO_TOML + SIM)
            wait_for(gateway, ids, State.DELIVERED)

    def test_a_rule_that_rejects_does_not_reach_back(self, start: Start) -> None:
        silent = socket.create_server(("127.0.0.1", 0))
        with silent:
            out = link("x", silent.getsockname()[1])
            gateway = start(DEMO_TOML + out + route("x"))
            ids = admit(gateway, *["41791234567"] * 3)
            gateway.take(
                DEMO_TOML + out + '[[routes]]\ndo = {reject = "ESME_RINVDSTADR"}\n' + route("x")
            )
            assert status_of(gateway) == Status.ESME_RINVDSTADR
            gateway.wait_until(lambda: gateway.gateway.dispatch.waiting() == {"x": 3})
            wait_for(gateway, ids, State.QUEUED)

    def test_one_that_never_answers_is_given_up(
        self, start: Start, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(outlet_keeper, "DRAIN_S", 0.05)
        carrier = HostileCarrier()
        try:
            toml = DEMO_TOML + link("x", carrier.port) + route("x")
            gateway = start(toml)
            gateway.wait_for_event("link.bound")
            carrier.play(["drop"])
            ids = admit(gateway)
            gateway.wait_until(lambda: sum(carrier.submits.values()) == 1)
            gateway.take(DEMO_TOML + SIM)
            wait_for(gateway, ids, State.DELIVERED)
            assert outlet_of(gateway, ids[0]) == "sim"
        finally:
            carrier.close()

    def test_receipts_that_a_simulator_forgot_come_all_the_same(self, start: Start) -> None:
        gateway = start(DEMO_TOML + SIM.replace("0.0", "3600"))
        ids = admit(gateway, *["41791234567"] * 5)
        wait_for(gateway, ids, State.ENROUTE)
        gateway.take(DEMO_TOML + SIM)
        wait_for(gateway, ids, State.DELIVERED)

    def test_one_that_people_stopped_stays_stopped(
        self, start: Start, start_gateway: StartGateway
    ) -> None:
        carrier = start_gateway(CARRIER, "carrier")
        toml = DEMO_TOML + link("x", carrier.port, "window = {window}") + route("x")
        gateway = start(toml.format(window=5))
        gateway.wait_for_event("link.bound")
        desk = gateway.gateway.outlet_desk
        assert gateway.call(lambda: desk.control("x", "stop")) is None
        gateway.wait_for_event("link.down")
        gateway.take(toml.format(window=6))
        (row,) = gateway.call(desk.rows)
        assert (row["state"], row["window"]) == ("stopped", 6)
        assert gateway.call(lambda: desk.control("x", "start")) is None
        gateway.wait_for_event("link.bound", 2)

    def test_held_back_for_one_number_and_the_outlet_changes(self, start: Start) -> None:
        toml = DEMO_TOML + SIM.replace("delay_s", "per_destination = {limit}\ndelay_s")
        carrier = HostileCarrier()
        try:
            toml = DEMO_TOML + link("x", carrier.port, "per_destination = {limit}") + route("x")
            gateway = start(toml.format(limit=1))
            gateway.wait_for_event("link.bound")
            carrier.play(["late"])
            ids = admit(gateway, *["41791234567"] * 10)
            gateway.wait_until(lambda: sum(gateway.gateway.dispatch.held_back().values()) == 9)
            done = gateway.take(toml.format(limit=2))
            assert done.outlets.replaced == ("x",), "its limits are kept by who knows them"
            wait_for(gateway, ids, State.DELIVERED)
        finally:
            carrier.close()


def only_session(gateway: RunningGateway, name: str) -> object:
    """The session of an upstream link with one bind."""
    outlet: Any = gateway.gateway.outlets[OutletName(name)]
    (bind,) = outlet._binds
    session = bind.session
    assert session is not None
    return session


class TestAccounts:
    def test_a_new_one_may_bind_and_a_removed_one_is_unbound(
        self, start: Start, esme: Callable[..., Esme]
    ) -> None:
        other = '[accounts.other]\npassword = "other"\n'
        gateway = start(DEMO_TOML + SIM)
        with pytest.raises(smpplib.exceptions.PDUError):
            esme(gateway, name="other", password="other")
        assert gateway.take(DEMO_TOML + other + SIM).accounts == ("other",)
        client = esme(gateway, name="other", password="other")
        stays = esme(gateway)
        assert gateway.take(DEMO_TOML + SIM).accounts == ("other",)
        pdu = client.read_pdu()
        assert pdu.command == "unbind"
        stays.submit()
        stays.read_until(responses=1)
        assert stays.responses[0].status == 0
        with pytest.raises(smpplib.exceptions.PDUError):
            esme(gateway, name="other", password="other")

    def test_settings_reach_sessions_that_live(
        self, start: Start, esme: Callable[..., Esme]
    ) -> None:
        gateway = start(DEMO_TOML + SIM)
        client = esme(gateway)
        assert bound(gateway).session.hold == 100
        changed = DEMO_TOML + (
            "window = 7\ndeliver_window = 3\nenquire_link_s = 11.0\n"
            'senders = ["Else"]\nrate = 1\n' + SIM
        )
        assert gateway.take(changed).accounts == ("demo",)
        session = bound(gateway).session
        assert (session.hold, session.window.size) == (7, 3)
        assert session.timers.enquire_link_s == 11.0
        client.submit()
        client.read_until(responses=1)
        assert client.responses[0].status == Status.ESME_RINVSRCADR
        assert status_of(gateway) == Status.ESME_RTHROTTLED
        gateway.take(DEMO_TOML + SIM)
        client.responses.clear()
        for count in range(1, 4):
            client.submit()
            client.read_until(responses=count)
        assert [one.status for one in client.responses] == [0, 0, 0]

    def test_those_made_at_run_time_stay_and_inherit(self, start: Start) -> None:
        gateway = start(DEMO_TOML + SIM)
        directory = gateway.gateway.directory
        born = AccountId("born")
        made = gateway.await_(
            lambda: directory.add(NewProfile(account=born, password="secret"), DEMO)
        )
        assert isinstance(made, Profile)
        assert {*gateway.take(DEMO_TOML + SIM, HEAD + "window = 7\n").accounts} == {"demo", "born"}
        assert directory.accounts[born].config.window == 7
        gateway.take(DEMO_TOML + '[accounts.born]\npassword = "another"\n' + SIM)
        profile = directory.profile(born)
        assert profile is not None
        assert (profile.uid, profile.is_static) == (made.uid, True)
        gateway.take(DEMO_TOML + SIM)
        assert directory.profile(born) is None, "as a start with this file would have it"
        gateway.take(DEMO_TOML + '[accounts.born]\npassword = "another"\n' + SIM)
        profile = directory.profile(born)
        assert profile is not None
        assert profile.uid == made.uid, "its record is found again"

    def test_one_that_is_banned_stays_so(self, start: Start, esme: Callable[..., Esme]) -> None:
        gateway = start(DEMO_TOML + SIM)
        directory = gateway.gateway.directory
        refused = gateway.await_(lambda: directory.ban(DEMO, DEMO, banned=True))
        assert refused is None
        gateway.take(DEMO_TOML + "rate = 5\n" + SIM)
        with pytest.raises(smpplib.exceptions.PDUError):
            esme(gateway)
        assert status_of(gateway) == Vendor.SMSC_ACCOUNT_CLOSED

    def test_one_that_is_removed_submits_no_more(self, start: Start) -> None:
        gateway = start(DEMO_TOML + SIM)
        gateway.take('[accounts.other]\npassword = "x"\n' + SIM)
        assert status_of(gateway) == Vendor.SMSC_ACCOUNT_CLOSED
        gateway.take(DEMO_TOML + SIM)
        assert status_of(gateway) == 0

    def test_networks_count_for_new_binds(self, start: Start, esme: Callable[..., Esme]) -> None:
        gateway = start(DEMO_TOML + SIM)
        client = esme(gateway)
        gateway.take(DEMO_TOML + 'networks = ["192.0.2.0/24"]\n' + SIM)
        with pytest.raises(smpplib.exceptions.PDUError):
            esme(gateway)
        client.submit()
        client.read_until(responses=1)
        assert client.responses[0].status == 0

    def test_a_password(self, start: Start, esme: Callable[..., Esme]) -> None:
        gateway = start(DEMO_TOML + SIM)
        gateway.take(DEMO_TOML.replace('"demo"', '"another"') + SIM)
        esme(gateway, password="another")
        with pytest.raises(smpplib.exceptions.PDUError):
            esme(gateway, password="demo")

    def test_regions_and_groups(self, start: Start) -> None:
        ruled = SIM.replace("[[routes]]", '[[routes]]\nwhen = {groups = ["gold"]}')
        gateway = start(DEMO_TOML + 'group = "gold"\n' + ruled)
        assert status_of(gateway) == 0
        gateway.take(
            DEMO_TOML + 'group = "lead"\n[accounts.g]\npassword = "g"\ngroup = "gold"\n' + ruled
        )
        assert status_of(gateway) == Status.ESME_RINVDSTADR
        gateway.take(DEMO_TOML + 'region = "CH"\n' + SIM)
        (id_,) = admit(gateway, "0791234567")
        assert gateway.message(id_)[0].peek.destination_addr == "41791234567"

    def test_outbind_is_dialled_as_the_file_says_now(self, start: Start) -> None:
        gateway = start(DEMO_TOML + SIM)
        called = socket.create_server(("127.0.0.1", 0))
        called.settimeout(10)
        with called:
            (id_,) = admit(gateway)
            wait_for(gateway, [id_], State.DELIVERED)  # a receipt waits now
            host, port = called.getsockname()
            outbind = f'[accounts.demo.outbind]\nhost = "{host}"\nport = {port}\n'
            gateway.take(DEMO_TOML + outbind + SIM)
            with called.accept()[0] as sock:
                assert sock.recv(16)[4:8] == (0x0B).to_bytes(4, "big")
        assert len(gateway.gateway.server._outbinds) == 1
        gateway.take(DEMO_TOML + SIM)
        assert gateway.gateway.server._outbinds == {}


def bound(gateway: RunningGateway) -> Any:
    """The one client that is bound."""
    (client,) = [one for one in gateway.gateway.server.clients if one.account is not None]
    return client


class TestTheRest:
    def test_texts_by_number(self, start: Start) -> None:
        gateway = start(DEMO_TOML + SIM)
        body = body_to(short_message=b"", sm_default_msg_id=1)
        submit_one = lambda: gateway.gateway.http.submit.submit_many([Draft(DEMO, "smpp", body)])  # noqa: E731
        (refused,) = gateway.await_(submit_one)
        assert isinstance(refused, Refused)
        gateway.take(DEMO_TOML + SIM, HEAD + "default_messages = {{1 = 'Ready'}}\n")
        (admitted,) = gateway.await_(submit_one)
        assert isinstance(admitted, Admitted)
        assert b"Ready" in gateway.message(admitted.id)[0].body

    def test_timers_limits_and_names_of_the_server(self, start: Start) -> None:
        gateway = start(DEMO_TOML + SIM)
        more = (
            'system_id = "other"\nsession_init_s = 7.0\nmax_unbound = 3\nmax_connections = 9\n'
            "transaction_timeout_s = 2.5\nenquire_link_s = 12.0\n"
        )
        assert gateway.take(DEMO_TOML + SIM, HEAD + more).accounts == ("demo",), "it inherits"
        server = gateway.gateway.server
        assert server.system_id == "other"
        assert (server.timers.session_init_s, server.timers.enquire_link_s) == (7.0, 12.0)
        assert (server._max_unbound, server._reception._config.max_connections) == (3, 9)
        assert gateway.gateway.transactions.timeout_s == 2.5

    def test_what_messages_cost(self, start: Start, tmp_path: Path) -> None:
        prices = tmp_path / "prices.csv"
        prices.write_text("41,domestic,0.5\n")
        head = HEAD + f'[credit]\nprices = "{prices}"\n'
        gateway = start(DEMO_TOML + SIM, head)

        def price() -> Decimal:
            return gateway.call(lambda: gateway.gateway.credits.price(DEMO, "41791", 1).unit)

        assert price() == Decimal("0.5")
        prices.write_text("41,domestic,0.7\n")
        assert isinstance(gateway.reload(), Reloaded)
        assert price() == Decimal("0.7")
        prices.write_text("nonsense\n")
        refused = gateway.reload()
        assert isinstance(refused, NotReloaded)
        assert "credit.prices" in refused.why[0]
        assert price() == Decimal("0.7")

    def test_how_much_an_inbox_keeps(self, start: Start) -> None:
        gateway = start(DEMO_TOML + SIM)
        gateway.take(DEMO_TOML + SIM, HEAD + "[inbox]\nkeep_s = 5\nlimit = 7\n")
        assert (gateway.gateway.inbox._keep_ms, gateway.gateway.inbox._limit) == (5000, 7)

    def test_history(self, start: Start) -> None:
        gateway = start(DEMO_TOML + SIM)
        gateway.take(DEMO_TOML + SIM, HEAD + "[store]\nhistory_keep_s = 60\n")
        assert gateway.gateway.history.keep_s == 60

    def test_certificates(self, start: Start, tmp_path: Path) -> None:
        """Of other files; that changed files are read again stands in `test_tls`."""
        authority, other = Authority(tmp_path), Authority(tmp_path, "other")
        head = HEAD + 'listen_tls = ["127.0.0.1:0"]\ntls_cert = "{{cert}}"\ntls_key = "{{key}}"\n'

        def with_files(files: tuple[Path, Path]) -> str:
            return head.replace("{{cert}}", str(files[0])).replace("{{key}}", str(files[1]))

        gateway = start(DEMO_TOML + SIM, with_files(authority.issue("localhost")))
        assert greet(gateway, authority)
        assert not greet(gateway, other)
        gateway.take(DEMO_TOML + SIM, with_files(other.issue("localhost")))
        assert greet(gateway, other)
        assert not greet(gateway, authority)
        missing = (tmp_path / "missing.pem", tmp_path / "missing.key")
        refused = gateway.reload(DEMO_TOML + SIM, with_files(missing))
        assert isinstance(refused, NotReloaded)
        assert "smpp.tls_cert" in refused.why[0]
        assert greet(gateway, other)

    def test_the_log_level(self, start: Start) -> None:
        """Of loggers that are in use already, too."""
        told = structlog.testing.LogCapture()
        log = structlog.wrap_logger(None, processors=[told], wrapper_class=logs._Logger)
        logs.set_level("info")
        bound = log.bind(of="before")
        bound.info("gateway.started")
        gateway = start(DEMO_TOML + SIM)
        gateway.take(DEMO_TOML + SIM, HEAD + '[log]\nlevel = "warning"\n')
        bound.info("gateway.stopping")
        bound.warning("store.failed")
        gateway.take(DEMO_TOML + SIM)
        bound.info("gateway.stopped")
        assert [one["event"] for one in told.entries] == [
            "gateway.started",
            "store.failed",
            "gateway.stopped",
        ]


def greet(gateway: ReloadableGateway, authority: Authority) -> bool:
    """Does a client that trusts this authority find TLS to talk?"""
    context = authority.client_context()
    with socket.create_connection(gateway.smpp_tls) as sock:
        try:
            with context.wrap_socket(sock, server_hostname="localhost"):
                return True
        except ssl.SSLError:
            return False


class TestRefusal:
    @pytest.mark.parametrize(
        ("more", "told"),
        [
            ("[[routes]]\noutlets = ['nowhere']\n", ["routes[1].outlets"]),
            ("[nonsense]\n[accounts.x]\nmax_binds = -1\n", ["nonsense", "accounts.x"]),
            ("[[", ["not TOML"]),
            ('[lists.x]\nfile = "not/there.csv"\n', ["lists.x.file"]),
        ],
    )
    def test_a_bad_file_changes_nothing_and_says_all_that_is_wrong(
        self, start: Start, more: str, told: list[str]
    ) -> None:
        gateway = start(DEMO_TOML + SIM)
        before = gateway.gateway.config
        changed = SIM.replace("[[routes]]", '[[routes]]\nto = ["43"]')
        refused = gateway.reload(DEMO_TOML + changed + more)
        assert isinstance(refused, NotReloaded)
        for one in told:
            assert any(one in why for why in refused.why), refused.why
        assert gateway.gateway.config is before
        assert status_of(gateway) == 0
        (logged,) = gateway.log.named("config.not_reloaded")
        assert logged["why"] == list(refused.why)

    @pytest.mark.parametrize(
        ("old", "new", "told"),
        [
            (
                "[node]",
                "[node]\nid = 9",
                "node.id cannot change while the gateway runs (from 1 to 9)",
            ),
            ("/var", "/else", "node.data_dir cannot change"),
            (
                "127.0.0.1:0",
                "127.0.0.1:1",
                "smpp.listen cannot change while the gateway runs (from 127.0.0.1:0 to 127.0.0.1:1)",
            ),
            (
                "[smpp]",
                '[http]\nlisten = ["127.0.0.1:0"]\n[smpp]',
                "http.listen cannot change while the gateway runs (from nothing to 127.0.0.1:0)",
            ),
            ("[smpp]", '[log]\nformat = "console"\n[smpp]', "log.format cannot change"),
            ("[smpp]", "[store]\nmap_size_mb = 17\n[smpp]", "store.map_size_mb cannot change"),
        ],
    )
    def test_what_cannot_change_live(self, start: Start, old: str, new: str, told: str) -> None:
        gateway = start(DEMO_TOML + SIM)
        changed = SIM.replace("[[routes]]", '[[routes]]\nto = ["43"]')
        refused = gateway.reload(DEMO_TOML + changed, HEAD.replace(old, new, 1))
        assert isinstance(refused, NotReloaded)
        assert [why for why in refused.why if why.startswith(told)], refused.why
        assert all("restart it" in why for why in refused.why)
        assert status_of(gateway) == 0

    def test_a_bug_ends_the_reload_and_not_the_gateway(
        self, start: Start, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gateway = start(DEMO_TOML + SIM)

        def broken(*_: Any) -> Any:
            raise RuntimeError("a bug")

        monkeypatch.setattr("smsc.gateway.reloading.prepare", broken)
        refused = gateway.reload()
        assert isinstance(refused, NotReloaded)
        assert "config.crashed" in refused.why[0]
        monkeypatch.undo()
        assert isinstance(gateway.reload(), Reloaded)
        assert status_of(gateway) == 0

    def test_an_outlet_that_cannot_be_built(
        self, start: Start, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gateway = start(DEMO_TOML + SIM)

        def broken(*_: Any) -> Any:
            raise OSError("no such file")

        from bridges import REGISTRY

        monkeypatch.setitem(
            REGISTRY, "smpp", type(REGISTRY["smpp"])(REGISTRY["smpp"].config, broken)
        )
        changed = SIM.replace("[[routes]]", '[[routes]]\nto = ["43"]')
        refused = gateway.reload(DEMO_TOML + changed + link("x", 1))
        assert refused == NotReloaded(("outlets.x: no such file",))
        assert status_of(gateway) == 0
