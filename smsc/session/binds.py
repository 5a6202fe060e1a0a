"""The three binds: what differs between them, and their PDUs.

*In*: who binds to whom, or the body of a bind. *Out*: whole PDUs, `BindRequested`.
*Never*: a verdict about a password.

SMPP 3.4 §4.1.
"""

from typing import Any, Final

from pdu.codec import decode, encode
from pdu.commands import Command
from pdu.operations import V34, SessionState, normalise_version
from pdu.reference import Habits
from pdu.session_pdus import (
    BindReceiver,
    BindReceiverResp,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    BindTransmitterResp,
    Outbind,
)
from pdu.tlvs import Tag
from smsc.session.events import BindRequested

BOUND_STATE: Final = {
    int(Command.BIND_TRANSMITTER): SessionState.BOUND_TX,
    int(Command.BIND_RECEIVER): SessionState.BOUND_RX,
    int(Command.BIND_TRANSCEIVER): SessionState.BOUND_TRX,
}
_REQUEST: Final = {
    int(Command.BIND_TRANSMITTER): BindTransmitter,
    int(Command.BIND_RECEIVER): BindReceiver,
    int(Command.BIND_TRANSCEIVER): BindTransceiver,
}
_ANSWER: Final = {
    int(Command.BIND_TRANSMITTER): BindTransmitterResp,
    int(Command.BIND_RECEIVER): BindReceiverResp,
    int(Command.BIND_TRANSCEIVER): BindTransceiverResp,
}
# ESMEs with passwords longer than the specification's 8 characters are common.
_HABITS: Final = Habits(password_limit_octets=65)


def encode_bind(
    command_id: int,
    sequence_number: int,
    system_id: str,
    password: str,
    system_type: str,
    interface_version: int = V34,
) -> bytes:
    """A bind of ours.

    :raises ValueError: a field is longer than its place on the wire.
    """
    request = _REQUEST[command_id](
        system_id=system_id,
        password=password,
        system_type=system_type,
        interface_version=interface_version,
    )
    return encode(request, sequence_number)


def encode_bind_resp(command_id: int, sequence_number: int, system_id: str, version: int) -> bytes:
    """The good answer to a bind; `version` is the peer's: TLVs began with 3.4.

    sc_interface_version is the version that the session keeps to, which is the peer's.
    """
    tlvs: tuple[tuple[int, bytes], ...] = ()
    if version >= V34:
        tlvs = ((int(Tag.SC_INTERFACE_VERSION), bytes((normalise_version(version),))),)
    return encode(_ANSWER[command_id](system_id=system_id, tlvs=tlvs), sequence_number)


def encode_outbind(sequence_number: int, system_id: str, password: str) -> bytes:
    """Our outbind: please bind to us as a receiver.

    :raises ValueError: a field is longer than its place on the wire.
    """
    return encode(Outbind(system_id=system_id, password=password), sequence_number)


def read_bind(command_id: int, body: bytes) -> BindRequested:
    """A bind of the peer.

    :raises BodyError: with the status to answer.
    """
    bind: Any = decode(command_id, body, habits=_HABITS)
    return BindRequested(
        command_id, bind.system_id, bind.password, bind.system_type, bind.interface_version
    )
