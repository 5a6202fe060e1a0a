"""Receipts and messages that services tell of, ends that they are asked for, balances."""

from typing import Any

import orjson
import pytest
import trio
import trio.testing

from bridges.connectors.kinds import ClickatellConfig, TwilioConfig
from bridges.connectors.service import Callback
from pdu.codec import peek_deliver_sm
from pdu.status import Status
from pdu.text.coding import decode_text
from pdu.tlvs import Tag, find_tlv
from smsc.config_errors import Secret
from smsc.message import State
from smsc.ports import Sent, UpstreamReceipt
from tests.fakes.house import eventually
from tests.fakes.services.clickatell import LOGIN, FakeClassic, FakePlatform, platform_callback
from tests.fakes.services.running import NAME, driving, running
from tests.fakes.services.twilio import SID, TOKEN, FakeTwilio, form, sign
from tests.fakes.services.web import Say, serving

PATH = "/receipts/x7Kq2mN9vB4t"
CALLED: dict[str, Any] = {"receipts_path": Secret(PATH), "public_url": "https://gw.example"}
URL = f"https://gw.example{PATH}"


def classic(url: str, **settings: Any) -> ClickatellConfig:
    return ClickatellConfig(
        api="classic",
        url=url,
        api_id=LOGIN["api_id"],
        user=LOGIN["user"],
        password=Secret(LOGIN["password"]),
        **settings,
    )


async def test_a_receipt_is_answered_once_it_is_on_disk() -> None:
    async with running(FakePlatform(), **CALLED) as house:
        outlet, flow = house.outlet, house.flow
        assert (outlet.receipts_path, outlet.receipts_url) == (PATH, URL)
        assert outlet.policy.final == "receipt"
        replies = []

        async def call() -> None:
            replies.append(
                await outlet.called(Callback("POST", URL, {}, platform_callback("a", 5)))
            )

        async with trio.open_nursery() as nursery:
            nursery.start_soon(call)
            await trio.testing.wait_all_tasks_blocked()
            assert flow.receipts == [
                UpstreamReceipt(NAME, "a", State.DELIVERED, 0, 1_790_000_001_000)
            ]
            assert replies == [], "not before the commit"
            flow.release()
        assert replies[0].status == 200


@pytest.mark.parametrize(
    ("status", "reply"), [(Status.ESME_RX_T_APPN, 503), (Status.ESME_RX_R_APPN, 200)]
)
async def test_what_cannot_be_taken_now_is_asked_for_again(status: Status, reply: int) -> None:
    async with running(FakePlatform(), **CALLED) as house:
        house.flow.status = status
        async with trio.open_nursery() as nursery:
            replies = []

            async def call() -> None:
                body = platform_callback("a", 5)
                replies.append(await house.outlet.called(Callback("POST", URL, {}, body)))

            nursery.start_soon(call)
            await trio.testing.wait_all_tasks_blocked()
            house.flow.release()
        assert replies[0].status == reply


async def test_a_callback_that_is_not_understood_changes_nothing() -> None:
    async with running(FakePlatform(), **CALLED) as house:
        reply = await house.outlet.called(Callback("POST", URL, {}, b"what?"))
        assert reply.status == 400
        assert house.flow.receipts == []
        assert house.log.events.count("connector.callback_refused") == 1


async def test_a_bug_in_a_callback_ends_that_request_only(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(FakePlatform(), **CALLED) as house:
        service = house.outlet.sender.service  # type: ignore[attr-defined]
        monkeypatch.setattr(type(service), "called", lambda *_: 1 / 0)
        reply = await house.outlet.called(Callback("POST", URL, {}, b""))
        assert reply.status == 400
        assert house.log.events.count("connector.callback_broke") == 1
        assert type(await house.outcome()) is Sent


async def test_a_message_that_cannot_be_one_ends_that_request_only() -> None:
    async with serving(FakeTwilio()) as web:
        config = TwilioConfig(url=web.url, account_sid=SID, auth_token=Secret(TOKEN), **CALLED)
        async with driving("twilio", config, web) as house:
            fields = {"MessageSid": "SM1", "From": "+4179" * 20, "To": "12345", "Body": "x"}
            headers = {"x-twilio-signature": sign(URL, fields)}
            reply = await house.outlet.called(Callback("POST", URL, headers, form(fields)))
            assert reply.status == 400
            assert house.flow.messages == []
            assert PATH not in str(house.log.entries)


async def test_before_it_runs_a_connector_takes_no_callback() -> None:
    async with running(FakePlatform(), **CALLED) as house:
        house.life.cancel()
        await eventually(lambda: not house.outlet.is_running)
        reply = await house.outlet.called(Callback("POST", URL, {}, platform_callback("a", 5)))
        assert reply.status == 503


@pytest.mark.parametrize("text", ["hé", "long " * 100])
async def test_a_message_of_a_handset_becomes_one_deliver_sm(text: str) -> None:
    async with serving(FakeTwilio()) as web:
        config = TwilioConfig(url=web.url, account_sid=SID, auth_token=Secret(TOKEN), **CALLED)
        async with driving("twilio", config, web) as house:
            fields = {"MessageSid": "SM1", "From": "+41791234567", "To": "12345", "Body": text}
            headers = {"x-twilio-signature": sign(URL, fields)}
            async with trio.open_nursery() as nursery:
                callback = Callback("POST", URL, headers, form(fields))
                nursery.start_soon(house.outlet.called, callback)
                await trio.testing.wait_all_tasks_blocked()
                house.flow.release()
            (mobile,) = house.flow.messages
            peek = peek_deliver_sm(mobile.body)
            assert (peek.source_addr, peek.destination_addr) == ("41791234567", "12345")
            data = mobile.body[peek.text_at : peek.text_at + peek.sm_length]
            data = data or find_tlv(mobile.body, peek.tlvs_at, Tag.MESSAGE_PAYLOAD) or b""
            assert decode_text(data, peek.data_coding) == text


async def test_a_service_that_does_not_tell_is_asked_until_the_end() -> None:
    fake = FakeClassic()
    async with serving(fake) as web:
        config = classic(web.url, poll_s=0.02)
        async with driving("clickatell", config, web) as house:
            assert house.outlet.policy.final == "receipt"
            sent = await house.outcome()
            assert isinstance(sent, Sent)
            await eventually(lambda: any(seen.path == "/http/querymsg" for seen in web.seen))
            await eventually(lambda: house.flow.receipts != [])
            house.flow.release()  # on its way: asked again
            assert house.flow.receipts[0].state is State.ENROUTE
            fake.statuses[sent.upstream_id] = "004"

            def has_ended() -> bool:
                house.flow.release()
                return bool(house.fact("polled_for") == 0)

            await eventually(has_ended)
            assert house.flow.receipts[-1] == UpstreamReceipt(
                NAME, sent.upstream_id, State.DELIVERED
            )


async def test_a_receipt_by_callback_ends_the_asking() -> None:
    async with serving(FakeClassic()) as web:
        config = classic(web.url, poll_s=3600, **CALLED)
        async with driving("clickatell", config, web) as house:
            sent = await house.outcome()
            assert isinstance(sent, Sent)
            assert house.fact("polled_for") == 1
            async with trio.open_nursery() as nursery:
                url = f"{URL}?apiMsgId={sent.upstream_id}&status=004"
                nursery.start_soon(house.outlet.called, Callback("GET", url, {}, b""))
                await trio.testing.wait_all_tasks_blocked()
                house.flow.release()
            assert house.fact("polled_for") == 0


async def test_messages_of_an_earlier_life_are_asked_for_too() -> None:
    fake = FakeClassic(statuses={"old": "005"})
    async with (
        serving(fake) as web,
        driving("clickatell", classic(web.url, poll_s=0.01), web) as house,
    ):
        house.outlet.remind(("old", ""))
        await eventually(lambda: house.flow.receipts != [])
        assert house.flow.receipts[0] == UpstreamReceipt(NAME, "old", State.UNDELIVERABLE, 5)


async def test_a_poll_that_fails_is_repeated() -> None:
    answers = [Say(500), Say(200, b"ERR: 001, no"), Say(200, b"??")]
    fake = FakeClassic(statuses={"old": "004"})

    async with (
        serving(lambda seen: answers.pop(0) if answers else fake(seen)) as web,
        driving("clickatell", classic(web.url, poll_s=0.01), web) as house,
    ):
        house.outlet.remind(("old",))
        await eventually(lambda: house.flow.receipts != [])
        assert len(web.seen) == 4
        assert house.log.events.count("connector.poll_failed") == 1


async def test_the_balance_is_shown_and_a_low_one_told_once() -> None:
    async with running(FakePlatform(), balance_s=0.01, balance_low=50.0) as house:
        await eventually(lambda: len(house.web.seen) > 2)
        assert house.fact("balance") == 41.5
        assert len(house.log.named("connector.balance_low")) == 1
        assert orjson.dumps(house.outlet.statistics())
