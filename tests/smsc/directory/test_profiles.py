"""Accounts made at run time, beside those of the file."""

from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
import trio.testing

from pdu.status import Status, Vendor
from smsc.directory.accounts import Account, AuthRefused
from smsc.directory.records import fields_of
from smsc.message import AccountId
from smsc.ports import AccountStatus, Contact, Control, Directory, NewProfile, Profile, Refused
from smsc.store import keys
from tests.fakes.house import read_config
from tests.smsc.directory.rooms import ADMIN, TOML, USER, Annex

BOB, SUB = AccountId("bob"), AccountId("sub")
HERE = "127.0.0.1"


@pytest.fixture
def annex(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Annex:
    return Annex(tmp_path, monkeypatch)


async def add(annex: Annex, account: AccountId = BOB, **wishes: Any) -> Profile:
    new = NewProfile(account=account, password=wishes.pop("password", "secret"), **wishes)
    added = await annex.directory.add(new, ADMIN)
    assert isinstance(added, Profile), added
    return added


def test_it_is_the_port(annex: Annex) -> None:
    port: Directory = annex.directory  # mypy proves it
    assert [one.account for one in port.profiles()] == ["admin", "user"]


def test_accounts_of_the_file_have_profiles_with_numbers_that_stay(annex: Annex) -> None:
    before = annex.directory.profiles()
    assert [(one.status, one.is_static) for one in before] == [
        (AccountStatus.ADMIN, True),
        (AccountStatus.USER, True),
    ]
    assert len({one.uid for one in before}) == len({one.group_id for one in before}) == 2
    annex.restart()
    assert annex.directory.profiles() == before


class TestAdd:
    async def test_it_may_speak_from_then_on_and_after_a_restart(self, annex: Annex) -> None:
        added = await add(
            annex,
            profile={"name": "Bob", "email": "bob@example.org", "time_zone": "Europe/Zurich"},
            settings={"rate": 5, "networks": ["127.0.0.0/8"], "senders": ["Bob", "41*"]},
        )
        assert annex.opened == ["bob"]
        for _ in range(2):
            assert annex.directory.profile(BOB) == added
            assert annex.directory.find("Bob@Example.org") == added
            verdict = await annex.directory.authenticate("bob", "secret", HERE)
            assert isinstance(verdict, Account)
            assert (verdict.config.rate, verdict.config.senders) == (5.0, ("Bob", "41*"))
            assert isinstance(await annex.directory.authenticate("bob", "wrong", HERE), AuthRefused)
            away = await annex.directory.authenticate("bob", "secret", "10.0.0.1")
            assert isinstance(away, AuthRefused)
            assert away.is_network
            annex.restart()

    async def test_it_returns_after_the_commit(self, annex: Annex) -> None:
        annex.is_slow = True
        async with trio.open_nursery() as nursery:
            done = trio.Event()

            async def adding() -> None:
                await add(annex)
                done.set()

            nursery.start_soon(adding)
            with trio.move_on_after(5):
                while annex.store._waiting == []:  # noqa: ASYNC110 - a thread hashes
                    await trio.sleep(0.001)
            await trio.testing.wait_all_tasks_blocked()
            assert not done.is_set()
            annex.commit()
            await done.wait()

    async def test_numbers_are_never_used_again(self, annex: Annex) -> None:
        first = await add(annex)
        assert await annex.directory.remove(BOB, ADMIN) is None
        annex.restart()
        assert (await add(annex)).uid > first.uid

    @pytest.mark.parametrize(
        ("wishes", "status", "why"),
        [
            ({"account": AccountId("user")}, Vendor.SMSC_EXISTS, "there is an account user"),
            ({"account": AccountId("")}, Vendor.SMSC_INVALID, "1 to 15 ASCII"),
            ({"account": AccountId("sixteen.letters!")}, Vendor.SMSC_INVALID, "1 to 15 ASCII"),
            ({"account": AccountId("a b")}, Vendor.SMSC_INVALID, "1 to 15 ASCII"),
            ({"account": AccountId("é")}, Vendor.SMSC_INVALID, "1 to 15 ASCII"),
            ({"account": AccountId("mail:shop")}, Vendor.SMSC_INVALID, "begin with mail:"),
            ({"password": ""}, Vendor.SMSC_INVALID, "a password has 1 to 200"),
            ({"password": "x" * 201}, Vendor.SMSC_INVALID, "a password has 1 to 200"),
            ({"settings": {"rate": "5"}}, Vendor.SMSC_INVALID, "accounts.bob.rate"),
            ({"settings": {"networks": ["x"]}}, Vendor.SMSC_INVALID, "accounts.bob.networks"),
            ({"settings": {"rates": 5}}, Vendor.SMSC_INVALID, "rates"),
            ({"settings": {"password": "x"}}, Vendor.SMSC_INVALID, "only the configuration file"),
            ({"settings": {"password_file": "/etc/shadow"}}, Vendor.SMSC_INVALID, "password_file"),
            ({"settings": {"outbind": {}}}, Vendor.SMSC_INVALID, "outbind"),
            ({"profile": {"uid": 1}}, Vendor.SMSC_INVALID, "'uid'"),
            ({"profile": {"is_banned": True}}, Vendor.SMSC_INVALID, "'is_banned'"),
            ({"profile": {"nick": "x"}}, Vendor.SMSC_INVALID, "'nick'"),
            ({"profile": {"name": 5}}, Vendor.SMSC_INVALID, "name: expected"),
            ({"profile": {"name": "x" * 251}}, Vendor.SMSC_INVALID, "250 characters"),
            ({"profile": {"time_zone": "Mars"}}, Vendor.SMSC_INVALID, "time_zone"),
            ({"profile": {"email": "nobody"}}, Vendor.SMSC_INVALID, "email"),
            ({"profile": {"local_length": True}}, Vendor.SMSC_INVALID, "local_length"),
            ({"status": AccountStatus.SUBUSER}, Vendor.SMSC_INVALID, "needs a parent"),
            (
                {"status": AccountStatus.SUBUSER, "parent": AccountId("x")},
                Vendor.SMSC_INVALID,
                "needs a parent",
            ),
            ({"parent": USER}, Vendor.SMSC_INVALID, "only a subuser has a parent"),
        ],
    )
    async def test_what_cannot_be_is_refused_and_nothing_changes(
        self, annex: Annex, wishes: dict[str, Any], status: int, why: str
    ) -> None:
        before = annex.store.counts()
        refused = await annex.directory.add(
            NewProfile(**{"account": BOB, "password": "secret", **wishes}), ADMIN
        )
        assert isinstance(refused, Refused)
        assert (refused.status, why in refused.why) == (status, True), refused
        assert annex.store.counts() == before
        assert annex.directory.profile(BOB) is None
        assert BOB not in annex.directory.accounts

    async def test_an_e_mail_is_one_accounts(self, annex: Annex) -> None:
        await add(annex, profile={"email": "bob@example.org"})
        new = NewProfile(account=SUB, password="x", profile={"email": "BOB@example.org"})
        refused = await annex.directory.add(new, ADMIN)
        assert isinstance(refused, Refused)
        assert refused.status == Vendor.SMSC_EXISTS

    async def test_what_it_opens_with_is_in_the_same_commit(
        self, annex: Annex, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        batches: list[Any] = []
        commit_nowait = annex.store.commit_nowait

        def note(batch: Any, done: Any = None) -> None:
            batches.append(batch)
            commit_nowait(batch, done)

        monkeypatch.setattr(annex.store, "commit_nowait", note)
        await add(annex, settings={"credit": 2.5})
        (batch,) = batches
        assert {Control.ACCOUNT, Control.LEDGER, Control.BALANCE} <= set(batch.rows)
        annex.restart()
        balances = annex.rooms.credits.balances(BOB)
        assert balances is not None
        assert str(balances[""]) == "2.5"

    async def test_no_password_and_no_token_is_logged_or_shown(self, annex: Annex) -> None:
        await add(annex, password="Pa55word")
        token = await annex.directory.new_token(BOB, ADMIN)
        assert isinstance(token, str)
        await annex.directory.change(BOB, {"password": "0ther"}, ADMIN)
        shown = repr(annex.log.entries) + repr(annex.directory._entries)
        for secret in ("Pa55word", "0ther", token, "argon2"):
            assert secret not in shown
        assert "account.added" in annex.log.events


class TestChange:
    async def test_fields_password_and_settings(self, annex: Annex) -> None:
        await add(annex, settings={"rate": 5, "window": 7})
        changed = await annex.directory.change(
            BOB,
            {"name": "Robert", "password": "new", "settings": {"rate": None, "max_binds": 2}},
            ADMIN,
        )
        assert isinstance(changed, Profile)
        for _ in range(2):
            verdict = await annex.directory.authenticate("bob", "new", HERE)
            assert isinstance(verdict, Account)
            config = verdict.config
            assert (config.rate, config.window, config.max_binds) == (0.0, 7, 2)
            assert annex.directory.profile(BOB) == changed
            assert annex.directory.settings(BOB) == {"window": 7, "max_binds": 2}
            annex.restart()

    async def test_an_account_of_the_file_has_a_profile_that_may_change(self, annex: Annex) -> None:
        changed = await annex.directory.change(USER, {"mobile": "+4179", "footer": "hi"}, USER)
        assert isinstance(changed, Profile)
        annex.restart()
        assert annex.directory.profile(USER) == changed
        assert annex.opened == []

    @pytest.mark.parametrize(
        "changes",
        [
            {"password": "x"},
            {"settings": {"rate": 1}},
            {"status": AccountStatus.ADMIN},
        ],
    )
    async def test_what_the_file_says_is_changed_there(
        self, annex: Annex, changes: dict[str, object]
    ) -> None:
        refused = await annex.directory.change(USER, changes, ADMIN)
        assert isinstance(refused, Refused)
        assert "stands in the configuration file" in refused.why

    async def test_an_admin_is_one_everywhere(self, annex: Annex) -> None:
        await add(annex)
        await annex.directory.change(BOB, {"status": AccountStatus.ADMIN}, ADMIN)
        assert annex.directory.accounts[BOB].admin
        await annex.directory.change(BOB, {"status": AccountStatus.USER}, ADMIN)
        assert not annex.directory.accounts[BOB].admin

    async def test_who_is_not_there_cannot_change(self, annex: Annex) -> None:
        for refused in (
            await annex.directory.change(BOB, {"name": "x"}, ADMIN),
            await annex.directory.remove(BOB, ADMIN),
            await annex.directory.ban(BOB, ADMIN, banned=True),
            await annex.directory.new_token(BOB, ADMIN),
            await annex.directory.new_login_key(BOB, ADMIN),
        ):
            assert isinstance(refused, Refused)
            assert refused.status == Vendor.SMSC_UNKNOWN


class TestFamilies:
    async def test_a_subuser_has_a_parent_that_stays_as_long_as_it(self, annex: Annex) -> None:
        await add(annex)
        await add(annex, SUB, status=AccountStatus.SUBUSER, parent=BOB)
        refused = await annex.directory.remove(BOB, ADMIN)
        assert isinstance(refused, Refused)
        assert "sub" in refused.why
        refused_change = await annex.directory.change(
            BOB, {"status": AccountStatus.SUBUSER, "parent": USER}, ADMIN
        )
        assert isinstance(refused_change, Refused)
        assert await annex.directory.remove(SUB, ADMIN) is None
        assert await annex.directory.remove(BOB, ADMIN) is None

    async def test_nobody_is_the_parent_of_a_parent(self, annex: Annex) -> None:
        await add(annex, SUB, status=AccountStatus.SUBUSER, parent=USER)
        refused = await annex.directory.add(
            NewProfile(account=BOB, password="x", status=AccountStatus.SUBUSER, parent=SUB), ADMIN
        )
        assert isinstance(refused, Refused)


class TestRemove:
    async def test_it_is_gone_with_all_that_was_its_own(self, annex: Annex) -> None:
        await add(annex, settings={"credit": 5})
        annex.restart()
        await annex.rooms.contacts.put_contact(BOB, Contact(name="Ann", number="4179"))
        await annex.rooms.inbox.write(BOB, "", "hello", USER)
        assert await annex.directory.remove(BOB, ADMIN) is None
        assert annex.closed == ["bob"]
        for _ in range(2):
            refused = await annex.directory.authenticate("bob", "secret", HERE)
            assert isinstance(refused, AuthRefused)
            assert refused.status == Status.ESME_RINVSYSID
            counts = annex.store.counts()
            assert (counts["contact"], counts["inbox"], counts["account"]) == (0, 0, 2)
            annex.restart()
        lines = await annex.rooms.credits.movements(BOB)
        assert [(str(one.amount), one.why) for one in lines] == [
            ("-5", "account removed"),
            ("5", "opening balance"),
        ]

    async def test_the_file_is_where_its_accounts_end(self, annex: Annex) -> None:
        refused = await annex.directory.remove(USER, ADMIN)
        assert isinstance(refused, Refused)
        assert "configuration file" in refused.why


class TestBan:
    @pytest.mark.parametrize("account", [USER, BOB])
    async def test_a_closed_account_is_refused_until_it_is_opened(
        self, annex: Annex, account: AccountId
    ) -> None:
        await add(annex)
        password = {USER: "user", BOB: "secret"}[account]
        token = await annex.directory.new_token(account, ADMIN)
        assert isinstance(token, str)
        assert await annex.directory.ban(account, ADMIN, banned=True) is None
        assert annex.closed == [account]
        for _ in range(2):
            assert account in annex.directory.closed
            for refused in (
                await annex.directory.authenticate(account, password, HERE),
                await annex.directory.authenticate_token(account, token, HERE),
            ):
                assert isinstance(refused, AuthRefused)
                assert refused.is_closed
            wrong = await annex.directory.authenticate(account, "guess", HERE)
            assert isinstance(wrong, AuthRefused)
            assert not wrong.is_closed  # who does not know the password learns nothing
            annex.restart()
        assert await annex.directory.ban(account, ADMIN, banned=False) is None
        assert isinstance(await annex.directory.authenticate(account, password, HERE), Account)

    async def test_a_change_does_not_open_it(self, annex: Annex) -> None:
        await add(annex)
        await annex.directory.ban(BOB, ADMIN, banned=True)
        await annex.directory.change(BOB, {"settings": {"rate": 1}}, ADMIN)
        assert BOB in annex.directory.closed


class TestTokens:
    async def test_a_token_speaks_for_its_account_until_the_next_one(self, annex: Annex) -> None:
        assert annex.directory.token(USER) is None
        first = await annex.directory.new_token(USER, ADMIN)
        second = await annex.directory.new_token(USER, ADMIN)
        assert isinstance(first, str)
        assert isinstance(second, str)
        assert len(second) == 32
        int(second, 16)
        annex.restart()
        assert annex.directory.token(USER) == second
        assert isinstance(await annex.directory.authenticate_token("user", second, HERE), Account)
        for account, token in (("user", first), ("admin", second), ("user", ""), ("x", second)):
            verdict = await annex.directory.authenticate_token(account, token, HERE)
            assert isinstance(verdict, AuthRefused)

    async def test_guessing_tokens_is_slow(
        self, annex: Annex, autojump_clock: trio.testing.MockClock
    ) -> None:
        for _ in range(10):
            await annex.directory.authenticate_token("user", "guess", HERE)
        assert trio.current_time() > 5

    async def test_a_login_key_opens_once(self, annex: Annex) -> None:
        for guess, expected in ((None, True), ("guess", False)):
            key = await annex.directory.new_login_key(USER, ADMIN)
            assert isinstance(key, str)
            annex.restart()
            assert await annex.directory.use_login_key(USER, guess or key) is expected
            assert await annex.directory.use_login_key(USER, key) is False
        assert await annex.directory.use_login_key(BOB, "") is False


class TestReload:
    async def test_accounts_come_change_and_go(self, annex: Annex) -> None:
        uid = annex.directory.profile(USER)
        await add(annex)
        annex.opened.clear()
        toml = TOML.replace('password = "user"', 'password = "resu"').replace(
            "accounts.admin", "accounts.root"
        )
        told = annex.directory.reload(read(annex, toml))
        assert sorted(told) == ["admin", "root", "user"]
        assert (sorted(annex.opened), annex.closed) == (["root", "user"], ["admin"])
        assert isinstance(await annex.directory.authenticate("user", "resu", HERE), Account)
        assert isinstance(await annex.directory.authenticate("admin", "admin", HERE), AuthRefused)
        assert isinstance(await annex.directory.authenticate("bob", "secret", HERE), Account)
        assert annex.directory.profile(ADMIN) is None
        assert annex.directory.profile(USER) == uid
        assert annex.directory.reload(read(annex, toml)) == ()

    async def test_who_comes_back_is_the_same_as_before(self, annex: Annex) -> None:
        before = await annex.directory.change(ADMIN, {"name": "Root"}, ADMIN)
        annex.directory.reload(read(annex, TOML.replace("accounts.admin", "accounts.root")))
        annex.directory.reload(read(annex, TOML))
        assert annex.directory.profile(ADMIN) == before

    async def test_the_file_may_take_over_an_account_made_at_run_time(self, annex: Annex) -> None:
        made = await add(annex, profile={"name": "Bob"}, settings={"rate": 3})
        taken_over = TOML + '[accounts.bob]\npassword = "from file"\n'
        annex.directory.reload(read(annex, taken_over))
        for _ in range(2):
            profile = annex.directory.profile(BOB)
            assert profile == attrs.evolve(made, is_static=True)
            verdict = await annex.directory.authenticate("bob", "from file", HERE)
            assert isinstance(verdict, Account)
            assert verdict.config.rate == 0
            annex.restart(taken_over)

    async def test_what_accounts_inherit_reaches_those_made_at_run_time(self, annex: Annex) -> None:
        await add(annex, settings={"enquire_link_s": 7.0})
        inherited = {**annex.directory._inherited, "window": 33, "enquire_link_s": 9.0}
        annex.directory.reload(read(annex, TOML), inherited)
        config = annex.directory.accounts[BOB].config
        assert (config.window, config.enquire_link_s) == (33, 7.0)

    async def test_a_ban_outlives_it(self, annex: Annex) -> None:
        await annex.directory.ban(USER, ADMIN, banned=True)
        annex.directory.reload(read(annex, TOML.replace('"user"', '"resu"')))
        assert USER in annex.directory.closed


def read(annex: Annex, toml: str) -> Any:
    return read_config(toml, annex._tmp_path / "var").accounts


async def test_settings_that_no_longer_fit_are_told_and_left_alone(annex: Annex) -> None:
    await add(annex)
    entry = attrs.evolve(annex.directory._entries[BOB], settings={"gone": 1})
    batch = annex.store.batch()
    batch.control(Control.ACCOUNT, keys.name_key(BOB), fields_of(entry))
    annex.store.commit_nowait(batch)
    annex.restart()
    assert annex.directory.profile(BOB) is None
    assert annex.log.events.count("account.unusable") == 1
    assert annex.store.counts()["account"] == 3
