"""Who may send what: the printed table, read a second time in another shape."""

import pytest

from pdu.commands import BINDS, REQUESTS, RESPONSES, Command
from pdu.operations import (
    BOUND,
    OPERATIONS,
    Role,
    SessionState,
    allowed,
    allowed_commands,
    answer_to_misplaced,
    normalise_version,
)
from pdu.status import Status

# Requests by sender and state in 3.4, written out from the reference's table.
PRINTED = {
    (Role.ESME, "OPEN"): "bind_receiver bind_transmitter bind_transceiver",
    (Role.ESME, "BOUND_TX"): "unbind enquire_link submit_sm submit_multi data_sm query_sm"
    " cancel_sm replace_sm",
    (Role.ESME, "BOUND_RX"): "unbind enquire_link",
    (Role.ESME, "BOUND_TRX"): "unbind enquire_link submit_sm submit_multi data_sm query_sm"
    " cancel_sm replace_sm",
    (Role.MC, "OPEN"): "outbind",
    (Role.MC, "BOUND_TX"): "unbind enquire_link",
    (Role.MC, "BOUND_RX"): "unbind enquire_link data_sm deliver_sm alert_notification",
    (Role.MC, "BOUND_TRX"): "unbind enquire_link data_sm deliver_sm alert_notification",
}
ADDED_IN_50 = {
    (Role.ESME, "OPEN"): "enquire_link",
    (Role.ESME, "OUTBOUND"): "enquire_link bind_receiver bind_transceiver",
    (Role.ESME, "BOUND_TX"): "broadcast_sm query_broadcast_sm cancel_broadcast_sm",
    (Role.ESME, "BOUND_TRX"): "broadcast_sm query_broadcast_sm cancel_broadcast_sm",
    (Role.ESME, "UNBOUND"): "enquire_link",
    (Role.MC, "OPEN"): "enquire_link",
    (Role.MC, "OUTBOUND"): "enquire_link",
    (Role.MC, "UNBOUND"): "enquire_link",
}
ONLY_IN_33 = {
    (Role.ESME, "BOUND_TX"): "param_retrieve query_last_msgs query_msg_details",
    (Role.ESME, "BOUND_TRX"): "param_retrieve query_last_msgs query_msg_details",
}
NOT_IN_33 = {"bind_transceiver", "data_sm", "alert_notification"}


def named(text: str) -> set[str]:
    return set(text.split())


@pytest.mark.parametrize("version", [0x33, 0x34, 0x50])
@pytest.mark.parametrize("state", SessionState)
@pytest.mark.parametrize("role", Role)
def test_requests_are_those_of_the_printed_table(
    role: Role, state: SessionState, version: int
) -> None:
    expected = named(PRINTED.get((role, state.value), ""))
    if version == 0x50:
        expected |= named(ADDED_IN_50.get((role, state.value), ""))
    if version == 0x33:
        expected -= NOT_IN_33
        expected |= named(ONLY_IN_33.get((role, state.value), ""))
    requests = allowed_commands(role, state, version) & REQUESTS
    assert {Command(command_id).name.lower() for command_id in requests} == expected


def test_one_look_up_and_the_sets_agree() -> None:
    for role in Role:
        for state in SessionState:
            for command_id in REQUESTS | RESPONSES | {0x777, 0x80000777}:
                listed = command_id in allowed_commands(role, state)
                assert allowed(role, state, command_id) == listed


def test_whoever_may_be_asked_may_answer() -> None:
    assert allowed(Role.MC, SessionState.BOUND_TX, Command.SUBMIT_SM_RESP)
    assert not allowed(Role.ESME, SessionState.BOUND_TX, Command.SUBMIT_SM_RESP)
    assert allowed(Role.ESME, SessionState.BOUND_RX, Command.DELIVER_SM_RESP)
    assert not allowed(Role.ESME, SessionState.BOUND_TX, Command.DELIVER_SM_RESP)
    assert allowed(Role.MC, SessionState.OPEN, Command.BIND_TRANSCEIVER_RESP)
    for role in Role:
        assert allowed(role, SessionState.UNBOUND, Command.UNBIND_RESP)
        assert allowed(role, SessionState.OPEN, Command.GENERIC_NACK)
        assert not allowed_commands(role, SessionState.CLOSED)
        assert role.peer is not role


@pytest.mark.parametrize(
    ("command_id", "state", "answer"),
    [
        (Command.SUBMIT_SM, "OPEN", (Command.SUBMIT_SM_RESP, Status.ESME_RINVBNDSTS)),
        (Command.DELIVER_SM, "BOUND_TRX", (Command.DELIVER_SM_RESP, Status.ESME_RINVBNDSTS)),
        (Command.OUTBIND, "OPEN", (Command.GENERIC_NACK, Status.ESME_RINVBNDSTS)),
        (0x777, "BOUND_TRX", (Command.GENERIC_NACK, Status.ESME_RINVCMDID)),
        (0x80000777, "BOUND_TRX", None),
        (Command.SUBMIT_SM_RESP, "OPEN", None),
        (Command.BIND_RECEIVER, "UNBOUND", (Command.BIND_RECEIVER_RESP, Status.ESME_RINVBNDSTS)),
    ],
)
def test_what_is_out_of_place_has_one_answer(
    command_id: int, state: str, answer: tuple[int, int] | None
) -> None:
    assert answer_to_misplaced(command_id, SessionState[state]) == answer


def test_a_second_bind_is_told_so() -> None:
    for bind in BINDS:
        for state in BOUND:
            answer = answer_to_misplaced(bind, state)
            assert answer == (bind | 0x80000000, Status.ESME_RALYBND)


def test_odd_versions_mean_the_nearest_lower_one() -> None:
    odd = {0x00: 0x33, 0x01: 0x33, 0x33: 0x33, 0x34: 0x34, 0x40: 0x34, 0x50: 0x50, 0xFF: 0x50}
    assert {given: normalise_version(given) for given in odd} == odd


def test_every_request_has_a_row() -> None:
    assert {int(row.command) for row in OPERATIONS} == REQUESTS
