"""What an account's contract says of its messages."""

from typing import Any

import pytest

from pdu.codec import decode, encode_body, peek_submit_sm
from pdu.commands import Command
from pdu.message_pdus import SubmitSm
from pdu.status import Status
from pdu.tlvs import Tag
from smsc.config_accounts import AccountConfig, sender_allowed
from smsc.directory.passwords import StoredPassword
from smsc.flow.terms import terms_of
from smsc.message import AccountId, Draft
from smsc.ports import Refused

DEMO = AccountId("demo")


def apply(settings: dict[str, Any], source: str = "smpp", **fields: Any) -> Any:
    """The message as it goes on, or the refusal."""
    account = AccountConfig(password=StoredPassword("x"), **settings)
    fields = {"service_type": "CMT", "source_addr": "Shop", "destination_addr": "4179"} | fields
    body = encode_body(SubmitSm(**fields))
    terms = terms_of({DEMO: account})[DEMO]
    applied = terms.apply(Draft(DEMO, source, body), peek_submit_sm(body))
    if isinstance(applied, Refused):
        return applied
    changed, peek = applied
    message = decode(Command.SUBMIT_SM, changed)
    assert peek.text_at == peek_submit_sm(changed).text_at
    assert (peek.source_addr, peek.priority_flag) == (message.source_addr, message.priority_flag)  # type: ignore[attr-defined]
    return message


def test_an_account_without_terms_costs_nothing() -> None:
    assert terms_of({DEMO: AccountConfig(password=StoredPassword("x"))}) == {}


@pytest.mark.parametrize(
    ("settings", "fields", "status"),
    [
        ({"service_types": ("", "USSD")}, {}, Status.ESME_RINVSERTYP),
    ],
)
def test_what_is_refused(settings: dict[str, Any], fields: dict[str, Any], status: Status) -> None:
    refused = apply(settings, **fields)
    assert isinstance(refused, Refused)
    assert refused.status == status


def test_a_priority_above_the_ceiling_is_lowered_in_what_goes_on() -> None:
    fields: dict[str, Any] = {"source_addr": "", "short_message": b"x"}
    assert apply({"max_priority": 1}, priority_flag=3, **fields).priority_flag == 1
    assert apply({"max_priority": 1}, priority_flag=1, **fields).priority_flag == 1


@pytest.mark.parametrize(
    ("sender", "ton_npi"), [("Bank", (5, 0)), ("+41791234567", (1, 1)), ("12345", (3, 0))]
)
def test_a_sender_for_messages_that_name_none(sender: str, ton_npi: tuple[int, int]) -> None:
    tlvs = ((int(Tag.USER_MESSAGE_REFERENCE), b"\0\7"),)
    message = apply({"default_sender": sender}, source_addr="", short_message=b"hi", tlvs=tlvs)
    assert message.source_addr == sender.removeprefix("+")
    assert (message.source_addr_ton, message.source_addr_npi) == ton_npi
    assert (message.destination_addr, message.short_message) == ("4179", b"hi")
    assert tuple(message.tlvs) == tlvs
    assert apply({"default_sender": sender}).source_addr == "Shop"


def test_the_default_sender_is_allowed_whatever_the_list_says() -> None:
    account = AccountConfig(password=StoredPassword("x"), senders=("Shop",), default_sender="Bank")
    assert [sender_allowed(account, one) for one in ("Bank", "Shop", "Other")] == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(("meaning", "data_coding"), [("latin1", 3), ("ascii", 1), ("ucs2", 8)])
def test_data_coding_0_gets_its_meaning_and_the_text_stays(meaning: str, data_coding: int) -> None:
    message = apply({"data_coding_0": meaning}, short_message=b"gr\xfc\xdf")
    assert (message.data_coding, message.short_message) == (data_coding, b"gr\xfc\xdf")
    assert apply({"data_coding_0": meaning}, data_coding=4).data_coding == 4
    # Dialects of ours mean GSM-7.
    assert apply({"data_coding_0": meaning, "max_priority": 1}, source="rest").data_coding == 0


@pytest.mark.parametrize(
    ("url", "expected"),
    [(None, ("https://home/", "connector")), ("https://own/", ("https://own/", "kannel:3"))],
)
def test_a_message_without_a_callback_gets_that_of_its_account(
    url: str | None, expected: tuple[str, str]
) -> None:
    account = AccountConfig(
        password=StoredPassword("x"), callback_url="https://home/", callback_style="connector"
    )
    body = encode_body(SubmitSm(destination_addr="4179"))
    draft = Draft(DEMO, "smpp", body, callback_url=url, callback_style="kannel:3" if url else "")
    terms_of({DEMO: account})[DEMO].apply(draft, peek_submit_sm(body))
    assert (draft.callback_url, draft.callback_style) == expected
