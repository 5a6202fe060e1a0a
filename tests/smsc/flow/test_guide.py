from typing import Any

from bridges.simulator import SimulatorConfig
from pdu.codec import peek_submit_sm
from pdu.status import Status
from routing.rewrite import text_of
from smsc.config import Config, load
from smsc.flow.guide import Guide, Guided, priced_number
from smsc.message import AccountId, Draft
from smsc.ports import Refused
from tests.fakes.log import FakeLog
from tests.flow.house import body_to

NOW_MS = 1_790_000_000_000
BASE = """
[accounts.demo]
password = "demo"
[accounts.swiss]
password = "demo"
region = "CH"
[outlets.sim]
kind = "simulator"
[outlets.other]
kind = "simulator"
"""


def make_guide(rules: str) -> tuple[Guide, FakeLog]:
    config = load(BASE + rules, {"simulator": SimulatorConfig}, {})
    assert isinstance(config, Config), config
    log = FakeLog()
    guide = Guide(
        config.routing_table(),
        log.log,
        normalisers=config.normalisers(),
        guards=config.velocity(),
    )
    return guide, log


def ask(
    guide: Guide, account: str = "demo", tags: tuple[str, ...] = (), **fields: Any
) -> tuple[Draft, Guided | Refused]:
    body = body_to(**fields)
    draft = Draft(AccountId(account), "smpp", body, tags=tags)
    peek = guide.normalise(draft, peek_submit_sm(body))
    return draft, guide.route(draft, peek, NOW_MS)


def test_a_condition_sees_the_fact_it_asks_for() -> None:
    guide, _ = make_guide(
        """
[[routes]]
outlets = ["other"]
[routes.when]
text = "(?i)code"
[[routes]]
outlets = ["sim"]
"""
    )
    plans = [
        guided.plan
        for text in (b"your CODE is 7", b"hello")
        if isinstance(guided := ask(guide, short_message=text)[1], Guided)
    ]
    assert plans == [("other",), ("sim",)]


def test_a_rule_that_rejects_says_its_own_status() -> None:
    guide, _ = make_guide('[[routes]]\n[routes.do]\nreject = "ESME_RPROHIBITED"\n')
    _, refused = ask(guide)
    assert isinstance(refused, Refused)
    assert refused.status == Status.ESME_RPROHIBITED


def test_no_rule_is_no_route() -> None:
    guide, _ = make_guide('[[routes]]\nto = ["49"]\noutlets = ["sim"]\n')
    _, refused = ask(guide)
    assert isinstance(refused, Refused)
    assert refused.status == Status.ESME_RINVDSTADR


def test_a_rule_changes_the_text_and_puts_on_tags() -> None:
    guide, _ = make_guide(
        '[[routes]]\noutlets = ["sim"]\n[routes.do]\nfooter = " STOP"\ntags = ["ad"]\n'
    )
    draft, guided = ask(guide, short_message=b"hello")
    assert isinstance(guided, Guided)
    assert text_of(draft.body, peek_submit_sm(draft.body)) == "hello STOP"
    assert draft.tags == ("ad",)
    again, _ = ask(guide, short_message=b"hello", tags=("x", "ad"))
    assert again.tags == ("x", "ad")


def test_the_price_is_that_of_the_number_that_the_client_wrote_to() -> None:
    guide, _ = make_guide(
        '[[routes]]\nto = ["41"]\noutlets = ["sim"]\n[routes.do]\nto_prefix = ["41", "0041"]\n'
        '[[routes]]\noutlets = ["sim"]\n'
    )
    for to in ("41791234567", "49301234567"):
        draft, guided = ask(guide, to=to)
        assert isinstance(guided, Guided)
        assert priced_number(draft, guided.peek or peek_submit_sm(draft.body)) == to


def test_a_rule_that_drops_leaves_no_outlet() -> None:
    guide, _ = make_guide("[[routes]]\n[routes.do]\ndrop = true\n")
    _, guided = ask(guide)
    assert isinstance(guided, Guided)
    assert guided.plan == ()


def test_national_numbers_become_international_before_the_rules_see_them() -> None:
    guide, _ = make_guide('[[routes]]\nto = ["41"]\noutlets = ["sim"]\n')
    draft, guided = ask(guide, "swiss", to="0223648000", dest_addr_ton=0)
    assert isinstance(guided, Guided)
    assert peek_submit_sm(draft.body).destination_addr == "41223648000"


def test_a_guard_blocks_above_its_limit_and_tells_once() -> None:
    guide, log = make_guide(
        """
[[routes]]
outlets = ["sim"]
[guards.flood]
limit = 2
window_s = 60
action = "block"
"""
    )
    answers = [ask(guide)[1] for _ in range(4)]
    assert [isinstance(one, Refused) for one in answers] == [False, False, True, True]
    assert len(log.named("guard.exceeded")) == 1
