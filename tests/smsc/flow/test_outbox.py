"""An outlet that raises: who is to blame, and who is not."""

from collections.abc import Sequence

from smsc.config_flow import OutletFlowConfig
from smsc.flow.outbox import POISON_LIMIT, Outbox
from smsc.message import AccountId, Message, MessageId, Progress, State
from smsc.ports import Outgoing
from tests.flow.house import A, FakeOutlet, Log, body_to

BAD = MessageId(13)


def outgoing(*ids: int) -> list[Outgoing]:
    """Messages to hand over."""
    return [
        Outgoing(
            Message(
                MessageId(id_),
                AccountId("demo"),
                "smpp",
                1,
                0,
                9,
                0,
                0,
                None,
                None,
                None,
                (),
                body_to(),
            ),
            Progress(State.QUEUED, A),
        )
        for id_ in ids
    ]


class Choosy(FakeOutlet):
    """Raises when it meets what it cannot bear, and has then taken nothing."""

    cannot_bear: frozenset[int] = frozenset({BAD})

    def send(self, batch: Sequence[Outgoing]) -> None:
        if self.cannot_bear & {one.message.id for one in batch}:
            raise ZeroDivisionError("thirteen")
        self.taken += batch


def outbox() -> tuple[Choosy, Outbox]:
    """An outlet with its outbox."""
    outlet = Choosy(A, window=100)
    return outlet, Outbox(outlet, OutletFlowConfig(), Log())


def test_the_others_of_the_batch_are_sent_once() -> None:
    outlet, box = outbox()
    crashes = box.send(outgoing(1, BAD, 2))
    assert [(id_, type(error)) for id_, error in crashes] == [(BAD, ZeroDivisionError)]
    assert [one.message.id for one in outlet.taken] == [1, 2]
    assert box.crashes == 1


def test_it_is_poison_when_it_crashes_again_and_again_beside_others_that_do_not() -> None:
    _, box = outbox()
    for _ in range(POISON_LIMIT):
        assert not box.is_poison(BAD)
        box.send(outgoing(BAD, 1))
    assert box.is_poison(BAD)
    box.forget(BAD)
    assert not box.is_poison(BAD)


def test_an_outlet_that_raises_for_all_kills_no_message() -> None:
    outlet, box = outbox()
    outlet.cannot_bear = frozenset({1, 2, 3})
    for _ in range(20):
        assert len(box.send(outgoing(1, 2, 3))) == 3
    assert not any(box.is_poison(MessageId(id_)) for id_ in (1, 2, 3))
