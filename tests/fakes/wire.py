"""PDUs as octets, and sessions in a known state, for the tests of the machine."""

from typing import Any

from pdu.codec import encode_body, pack
from pdu.commands import RESPONSE, Command
from pdu.framer import Framer
from pdu.message_pdus import DeliverSm, SubmitSm
from pdu.operations import Role
from pdu.session_pdus import BindReceiver, BindTransceiver, BindTransmitter
from smsc.session.events import (
    Alerted,
    Answered,
    Asked,
    BindRequested,
    Delivered,
    Event,
    Submitted,
    TimedOut,
)
from smsc.session.machine import Session

C = Command
Pdu = tuple[int, int, int, bytes]
"""command_id, command_status, sequence_number, body."""

SUBMIT = encode_body(SubmitSm(source_addr="Shop", destination_addr="4179", short_message=b"hi"))
DELIVER = encode_body(DeliverSm(source_addr="4179", destination_addr="12345", short_message=b"yo"))
BAD_SUBMIT = SUBMIT[:-1]
"""sm_length says more than there is."""

BINDS = {
    C.BIND_TRANSMITTER: BindTransmitter,
    C.BIND_RECEIVER: BindReceiver,
    C.BIND_TRANSCEIVER: BindTransceiver,
}


def pdu(command_id: int, sequence_number: int = 1, body: bytes = b"", status: int = 0) -> bytes:
    return pack(command_id, status, sequence_number, body)


def bind(
    command_id: int = C.BIND_TRANSCEIVER, sequence_number: int = 1, version: int = 0x34
) -> bytes:
    request = BINDS[Command(command_id)](
        system_id="demo", password="pw", interface_version=version, system_type="t"
    )
    return pdu(command_id, sequence_number, encode_body(request))


def frames(octets: bytes) -> list[Pdu]:
    framer = Framer()
    found = framer.feed(octets)
    assert framer.error is None
    assert not framer.pending_octets
    return found


def heads(octets: bytes) -> list[tuple[int, int, int]]:
    """(command_id, command_status, sequence_number) of each PDU."""
    return [frame[:3] for frame in frames(octets)]


def flat(events: list[Event]) -> list[tuple[Any, ...]]:
    """One tuple a fact, however reads were cut."""
    facts: list[tuple[Any, ...]] = []
    for event in events:
        match event:
            case Submitted(requests) | Delivered(requests):
                facts += [("message", number, body) for number, _, body in requests]
            case Answered(answers):
                facts += [("answered", context, status) for context, status, _ in answers]
            case TimedOut(contexts):
                facts += [("timed out", context) for context in contexts]
            case BindRequested(command_id, system_id, password):
                facts.append(("bind", command_id, system_id, password))
            case Alerted(source_addr):
                facts.append(("alerted", source_addr))
            case Asked(command_id, sequence_number, request):
                facts.append(("asked", command_id, sequence_number, request))
            case _:
                facts.append((type(event).__name__.lower(),))
    return facts


def mc(**settings: Any) -> Session:
    return Session(Role.MC, 0.0, **settings)


def mc_bound(kind: int = C.BIND_TRANSCEIVER, version: int = 0x34, **settings: Any) -> Session:
    session = mc(**settings)
    session.receive(bind(kind, version=version), 0.0)
    session.accept_bind("smsc")
    assert session.is_bound
    session.take_output()
    return session


def esme(kind: int = C.BIND_TRANSCEIVER, **settings: Any) -> Session:
    """It sent its bind as sequence_number 1."""
    session = Session(Role.ESME, 0.0, **settings)
    session.bind(kind, system_id="demo", password="pw")
    session.take_output()
    return session


def esme_bound(kind: int = C.BIND_TRANSCEIVER, **settings: Any) -> Session:
    session = esme(kind, **settings)
    session.receive(pdu(kind | RESPONSE, 1, b"smsc\0"), 0.0)
    assert session.is_bound
    return session
