"""smpplib as a foreign oracle: each reads what the other writes, for the operations it has."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smpplib import consts, smpp
from smpplib.command import factory

from pdu import codec
from pdu.commands import Command, command_name
from pdu.fields import TABLES, COctetString, Pdu
from pdu.message_pdus import QuerySm
from pdu.tlvs import LENGTHS, Tag, Tlvs
from tests.pdu.strategies import pdus


class Client:
    """What smpplib asks of a client to make a PDU."""

    sequence = 7

    def next_sequence(self) -> int:
        return self.sequence


CLIENT = Client()
OPERATIONS = (
    Command.BIND_TRANSMITTER,
    Command.BIND_TRANSMITTER_RESP,
    Command.BIND_RECEIVER,
    Command.BIND_RECEIVER_RESP,
    Command.BIND_TRANSCEIVER,
    Command.BIND_TRANSCEIVER_RESP,
    Command.DATA_SM,
    Command.SUBMIT_SM,
    Command.SUBMIT_SM_RESP,
    Command.DELIVER_SM,
    Command.DELIVER_SM_RESP,
    Command.QUERY_SM,
    Command.QUERY_SM_RESP,
    Command.UNBIND,
    Command.UNBIND_RESP,
    Command.ENQUIRE_LINK,
    Command.ENQUIRE_LINK_RESP,
    Command.GENERIC_NACK,
    Command.ALERT_NOTIFICATION,
)
# smpplib cuts every address and every string of data_sm at the limit of submit_sm.
LIMITS = {"source_addr": 21, "destination_addr": 21, "esme_addr": 21}


def foreign(command_id: int) -> Any:
    """An empty smpplib object of the operation."""
    return factory(command_name(command_id), client=CLIENT, sequence=7)


def whole_tlvs(command_id: int) -> dict[int, str]:
    """TLVs that smpplib writes as a number of the same length as ours: tag, its name there."""
    params = foreign(command_id).params
    fields = {field.name for field in TABLES[command_id].fields}
    return {
        tag: name
        for name, tag in consts.OPTIONAL_PARAMS.items()
        if name in params
        and name not in fields
        and params[name].type is int
        and LENGTHS.get(tag, (0, 0))[0] == params[name].size
    }


def with_tlvs(command_id: int) -> st.SearchStrategy[Pdu]:
    """Objects with TLVs that both know, each at most once."""
    known = sorted(whole_tlvs(command_id))

    def replaced(drawn: tuple[Any, list[int], int]) -> Pdu:
        pdu, tags, seed = drawn
        values: Tlvs = tuple(
            (tag, (seed + tag).to_bytes(8, "big")[-LENGTHS[tag][0] :]) for tag in tags
        )
        pdu.tlvs = values
        return pdu  # type: ignore[no-any-return]  # as drawn

    tags = st.lists(st.sampled_from(known), unique=True, max_size=3) if known else st.just([])
    fitting = pdus(command_id).filter(fits)
    return st.tuples(fitting, tags, st.integers(0, 2**32)).map(replaced)


def fits(pdu: Pdu) -> bool:
    """Within what smpplib can write: it insists on the message_id of a query."""
    if isinstance(pdu, QuerySm) and not pdu.message_id:
        return False
    if getattr(pdu, "bodiless", False) or getattr(pdu, "esm_class", 0) & 0x40:
        return False
    for field in TABLES[pdu.command_id].fields:
        if isinstance(field.kind, COctetString):
            value = getattr(pdu, field.name)
            if len(value) >= LIMITS.get(field.name, field.kind.limit):
                return False
    return True


@pytest.mark.parametrize("command_id", OPERATIONS, ids=command_name)
def test_smpplib_reads_what_we_write(command_id: int) -> None:
    @settings(max_examples=15)
    @given(with_tlvs(command_id))
    def check(pdu: Any) -> None:
        theirs = smpp.parse_pdu(codec.encode(pdu, 9, 3), client=CLIENT)
        assert (theirs.command, theirs.sequence) == (command_name(command_id), 9)
        assert theirs.status == 3
        for field in TABLES[command_id].fields:
            value = getattr(pdu, field.name)
            wanted = value.encode("latin-1") if isinstance(value, str) else value
            # It stops at the end of the body and leaves what is empty there unset.
            assert (getattr(theirs, field.name) or type(wanted)()) == wanted, field.name
        for tag, value in pdu.tlvs:
            assert getattr(theirs, whole_tlvs(command_id)[tag]) == int.from_bytes(value, "big")

    check()


@pytest.mark.parametrize("command_id", OPERATIONS, ids=command_name)
def test_we_read_what_smpplib_writes(command_id: int) -> None:
    @settings(max_examples=15)
    @given(with_tlvs(command_id))
    def check(pdu: Any) -> None:
        theirs = foreign(command_id)
        theirs.status = 3
        for field in TABLES[command_id].fields:
            setattr(theirs, field.name, getattr(pdu, field.name))
        for tag, value in pdu.tlvs:
            setattr(theirs, whole_tlvs(command_id)[tag], int.from_bytes(value, "big"))
        octets = theirs.generate()
        again: Any = codec.decode(command_id, octets[16:])
        assert dict(again.tlvs) == dict(pdu.tlvs)
        again.tlvs = pdu.tlvs
        assert again == pdu
        assert octets[:16] == codec.header(command_id, 3, 7, len(octets) - 16)

    check()


def test_tlvs_are_really_compared() -> None:
    assert Tag.USER_MESSAGE_REFERENCE in whole_tlvs(Command.SUBMIT_SM)
    assert len(whole_tlvs(Command.SUBMIT_SM)) > 10
