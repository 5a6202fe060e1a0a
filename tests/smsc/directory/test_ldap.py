"""LDAP against a real slapd: who gets in, what becomes of them, and a server that is ill."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from pdu.status import Status
from smsc.config import Config, load
from smsc.directory.accounts import Account, AuthRefused
from smsc.directory.ldap import Ldap, Right, Unavailable, Wrong, escaped
from smsc.message import AccountId
from smsc.ports import Profile, Refused
from tests.fakes.certificates import Authority
from tests.fakes.house import SIMULATOR, StartGateway
from tests.fakes.log import FakeLog
from tests.fakes.slapd import BASE, PEOPLE, READER, READER_PASSWORD, Slapd
from tests.foreign.esme import Esme
from tests.smsc.directory.rooms import ADMIN, TOML, USER, Annex

ANN, ODD, NOBODY = AccountId("ann"), AccountId("o,dd"), AccountId("nobody")
HERE = "127.0.0.1"
PLAIN = f"""
[ldap]
url = "{{url}}"
tls = false
bind_dn = "uid={{{{name}}}},{PEOPLE}"
timeout_s = 1.0
{{more}}
[ldap.attributes]
name = "cn"
email = "mail"
mobile = "mobile"
[ldap.account]
rate = 5.0
networks = ["127.0.0.0/8"]
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    directory = tmp_path_factory.mktemp("ldap")
    server = Slapd(directory / "slapd", Authority(directory).issue("server"))
    yield server
    server.stop()


@pytest.fixture
def slapd(server: Slapd) -> Iterator[Slapd]:
    """As it was at first, whatever a test does to it."""
    yield server
    server.stop()
    server.start()
    server.set_password("ann", "ann-secret")


def ldap(slapd: Slapd, *, by: str = "", tls: bool = False, **changes: Any) -> Ldap:
    toml = PLAIN.format(url=slapd.url, more="\n".join(f"{k} = {v}" for k, v in changes.items()))
    if tls:
        toml = toml.replace("tls = false", "tls = true")
    if by:
        toml = toml.replace(f'bind_dn = "uid={{name}},{PEOPLE}"', by)
    config = load(toml, {}, {})
    assert isinstance(config, Config), config
    assert config.ldap is not None
    return Ldap(config.ldap, FakeLog().log)


SEARCH = f'search_base = "{BASE}"\nsearch_dn = "{READER}"\nsearch_password = "{READER_PASSWORD}"'


@pytest.mark.parametrize("by", ["", SEARCH])
@pytest.mark.parametrize(
    ("name", "password", "expected"),
    [
        (ANN, "ann-secret", Right),
        (ODD, "odd*(secret)", Right),
        (ANN, "wrong", Wrong),
        (ANN, "", Wrong),
        (ANN, "ann-secret\0", Wrong),
        (ANN, "ann-secret ", Wrong),
        (NOBODY, "ann-secret", Wrong),
        (AccountId("*"), "ann-secret", Wrong),
        (AccountId("ann)(uid=*"), "ann-secret", Wrong),
        (AccountId("ann,ou=people"), "ann-secret", Wrong),
        (AccountId("année"), "ann-secret", Wrong),
    ],
)
async def test_verdicts(
    server: Slapd, by: str, name: AccountId, password: str, expected: type
) -> None:
    assert isinstance(await ldap(server, by=by).verify(name, password), expected)


async def test_the_entry_fills_the_profile(server: Slapd) -> None:
    verdict = await ldap(server).verify(ANN, "ann-secret")
    expected = {"name": "Ann Example", "email": "ann@example.org", "mobile": "+41791234567"}
    assert verdict == Right(expected)
    assert await ldap(server).verify(ODD, "odd*(secret)") == Right({"name": "Odd"})


async def test_with_tls_the_certificate_must_be_good(
    server: Slapd, tmp_path_factory: pytest.TempPathFactory
) -> None:
    good = server._directory.parent / "ca.pem"
    bad = Authority(tmp_path_factory.mktemp("other"), "other").cert
    for ca_file, expected in ((good, Right), (bad, Unavailable)):
        one = ldap(server, tls=True, ca_file=f'"{ca_file}"')
        assert isinstance(await one.verify(ANN, "ann-secret"), expected)


async def test_a_password_that_was_right_is_not_asked_again_for_a_while(slapd: Slapd) -> None:
    one, eager = ldap(slapd, cache_s=60.0), ldap(slapd, cache_s=0.0)
    for each in (one, eager):
        assert isinstance(await each.verify(ANN, "ann-secret"), Right)
    slapd.set_password("ann", "new")
    assert isinstance(await one.verify(ANN, "ann-secret"), Right)
    assert isinstance(await eager.verify(ANN, "ann-secret"), Wrong)
    for each in (one, eager):
        assert isinstance(await each.verify(ANN, "new"), Right)
        assert isinstance(await each.verify(ANN, "ann-secret"), Wrong)


@pytest.mark.parametrize("illness", ["stop", "stall"])
async def test_a_server_that_is_ill_lets_in_whom_it_knew_and_stops_nobody_else(
    slapd: Slapd, illness: str
) -> None:
    one = ldap(slapd, cache_s=0.0, offline_s=60.0)
    assert isinstance(await one.verify(ANN, "ann-secret"), Right)
    getattr(slapd, illness)()
    longest_s = 0.0

    async def watch() -> None:
        nonlocal longest_s
        while True:
            began = trio.current_time()
            await trio.sleep(0.001)
            longest_s = max(longest_s, trio.current_time() - began)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch)
        with trio.fail_after(10):
            assert await one.verify(ANN, "ann-secret") == Right()
            for name, password in ((ANN, "guess"), (ODD, "odd*(secret)")):
                verdict = await one.verify(name, password)
                assert isinstance(verdict, Unavailable)
                assert "LDAP server" in verdict.why
        nursery.cancel_scope.cancel()
    assert longest_s < 0.5, "the loop stood still"
    if illness == "stall":
        slapd.resume()
    else:
        slapd.start()
    assert isinstance(await one.verify(ODD, "odd*(secret)"), Right)


async def test_after_offline_s_nobody_is_let_in_unasked(slapd: Slapd) -> None:
    one = ldap(slapd, cache_s=0.0, offline_s=0.0)
    assert isinstance(await one.verify(ANN, "ann-secret"), Right)
    slapd.stop()
    assert isinstance(await one.verify(ANN, "ann-secret"), Unavailable)
    slapd.start()


async def test_a_service_account_that_is_refused_is_the_servers_illness(server: Slapd) -> None:
    by = SEARCH.replace(READER_PASSWORD, "wrong")
    one = ldap(server, by=by)
    assert isinstance(await one.verify(ANN, "ann-secret"), Unavailable)
    assert isinstance(await one.verify(ANN, "guess"), Unavailable)


@given(st.text(max_size=20).filter(lambda text: "\0" not in text))
def test_nothing_in_a_name_means_anything(text: str) -> None:
    told = escaped(text)
    assert not set(told) & set(',+"<>;=*()# /é')
    assert (
        bytes.fromhex(
            "".join(
                part[:2] + part[2:].encode().hex() if at else part.encode().hex()
                for at, part in enumerate(told.split("\\"))
            )
        ).decode()
        == text
    )


# --- accounts ------------------------------------------------------------------------------


@pytest.fixture
def annex(slapd: Slapd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Annex:
    return Annex(tmp_path, monkeypatch, TOML + PLAIN.format(url=slapd.url, more="cache_s = 0.0"))


async def test_the_first_login_makes_an_account_by_the_template(annex: Annex) -> None:
    verdict = await annex.directory.authenticate("ann", "ann-secret", HERE)
    assert isinstance(verdict, Account)
    assert verdict.config.rate == 5.0
    assert annex.opened == ["ann"]
    profile = annex.directory.profile(ANN)
    assert profile is not None
    assert (profile.is_remote, profile.is_static) == (True, False)
    assert (profile.name, profile.email) == ("Ann Example", "ann@example.org")
    annex.restart()
    assert annex.directory.profile(ANN) == profile
    again = await annex.directory.authenticate("ann", "ann-secret", HERE)
    assert isinstance(again, Account)
    assert again.config.rate == 5.0
    assert annex.opened == []


async def test_who_may_not_gets_no_account(annex: Annex) -> None:
    for name, password, peer in (
        ("ann", "wrong", HERE),
        ("nobody", "ann-secret", HERE),
        ("user", "ann-secret", HERE),
        ("", "ann-secret", HERE),
        ("a name that is too long", "x", HERE),
    ):
        assert isinstance(await annex.directory.authenticate(name, password, peer), AuthRefused)
    assert len(annex.directory.profiles()) == 2
    # The password of the file counts for accounts of the file, whatever the server says.
    assert isinstance(await annex.directory.authenticate("user", "user", HERE), Account)


async def test_the_templates_networks_hold_from_the_first_login_on(annex: Annex) -> None:
    for _ in range(2):
        refused = await annex.directory.authenticate("ann", "ann-secret", "10.0.0.1")
        assert isinstance(refused, AuthRefused)
        assert refused.is_network


async def test_it_is_an_account_as_any_other(annex: Annex) -> None:
    await annex.directory.authenticate("ann", "ann-secret", HERE)
    changed = await annex.directory.change(ANN, {"settings": {"rate": 9}}, ADMIN)
    assert isinstance(changed, Profile)
    token = await annex.directory.new_token(ANN, ADMIN)
    assert isinstance(token, str)
    verdict = await annex.directory.authenticate_token("ann", token, HERE)
    assert isinstance(verdict, Account)
    assert verdict.config.rate == 9.0
    refused = await annex.directory.change(ANN, {"password": "mine"}, ANN)
    assert isinstance(refused, Refused)
    assert "directory server" in refused.why
    await annex.directory.ban(ANN, ADMIN, banned=True)
    closed = await annex.directory.authenticate("ann", "ann-secret", HERE)
    assert isinstance(closed, AuthRefused)
    assert closed.is_closed
    assert await annex.directory.remove(ANN, ADMIN) is None
    assert isinstance(await annex.directory.authenticate("ann", "ann-secret", HERE), Account)


async def test_an_e_mail_that_is_taken_does_not_keep_anybody_out(annex: Annex) -> None:
    await annex.directory.change(USER, {"email": "ann@example.org"}, ADMIN)
    assert isinstance(await annex.directory.authenticate("ann", "ann-secret", HERE), Account)
    assert annex.log.events.count("account.unusable") == 1


async def test_an_ill_server_is_not_held_against_the_client(annex: Annex, slapd: Slapd) -> None:
    slapd.stop()
    with trio.fail_after(5):
        for _ in range(20):
            refused = await annex.directory.authenticate("ann", "ann-secret", HERE)
            assert isinstance(refused, AuthRefused)
            assert (refused.status, refused.is_unavailable) == (Status.ESME_RSYSERR, True)
    assert annex.log.events.count("ldap.unavailable") == 1
    slapd.start()
    assert isinstance(await annex.directory.authenticate("ann", "ann-secret", HERE), Account)
    assert annex.log.events.count("ldap.available") == 1


async def test_without_the_section_nobody_of_the_server_gets_in(annex: Annex) -> None:
    await annex.directory.authenticate("ann", "ann-secret", HERE)
    annex.restart(TOML)
    refused = await annex.directory.authenticate("ann", "ann-secret", HERE)
    assert isinstance(refused, AuthRefused)
    assert annex.directory.profile(ANN) is not None


async def test_many_first_logins_at_once_make_one_account(annex: Annex) -> None:
    verdicts: list[object] = []

    async def log_in() -> None:
        verdicts.append(await annex.directory.authenticate("ann", "ann-secret", HERE))

    async with trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(log_in)
    assert all(isinstance(one, Account) for one in verdicts)
    assert len(annex.directory.profiles()) == 3


def test_an_esme_binds_and_sends(slapd: Slapd, start_gateway: StartGateway) -> None:
    gateway = start_gateway(
        TOML.split("[outlets")[0] + SIMULATOR + PLAIN.format(url=slapd.url, more="")
    )
    slapd.set_password("ann", "short")
    esme = Esme(gateway.port)
    esme.bind(name="ann", password="short")
    esme.submit()
    esme.read_until(responses=1, delivered=1)
    assert esme.responses[0].status == 0
    esme.close()


# --- configuration -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (('url = "{url}"', 'url = "http://x"'), "expected a server like"),
        (("uid={{name}}", "uid=name"), "expected a text with {name} in it"),
        (('bind_dn = "', 'search_base = "x"\nbind_dn = "'), "one of the two"),
        (('email = "mail"', 'uid = "x"'), "unknown field 'uid'"),
        (('email = "mail"', 'email = "a b"'), "expected an attribute"),
        (("rate = 5.0", 'rate = "fast"'), "ldap.account: rate: expected a number"),
        (("rate = 5.0", "speed = 5"), "speed"),
        (("rate = 5.0", 'password = "x"'), "the directory server knows the passwords"),
        (("timeout_s = 1.0", "timeout_s = 0"), "ldap.timeout_s"),
    ],
)
def test_what_is_wrong_is_told(change: tuple[str, str], why: str) -> None:
    pytest.importorskip("bonsai", reason="no bonsai (make ldap): LDAP IS NOT TESTED")
    assert change[0] in PLAIN
    toml = PLAIN.replace(*change).format(url="ldap://x", more="")
    errors = load(toml, {}, {})
    assert isinstance(errors, list)
    assert why in " ".join(map(str, errors))
