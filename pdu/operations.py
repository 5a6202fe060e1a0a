"""Who may send what, when: one table of operation × role × session state × version.

*In*: the sender's role, the state of the session, a command_id.
*Out*: allowed or not, and what to answer when not.
*Never*: moves a session from state to state: that is the session machine's.

SMPP 3.4 §2.2, §2.3 (its printed table leaves TRX out of some rows; everyone allows it),
5.0 §2.3, §2.4. A missing entry *is* the protocol error.
"""

from enum import Enum
from typing import Final, NamedTuple

from pdu.commands import BINDS, RESPONSE, UNANSWERED, Command, is_response, response_of
from pdu.status import Status


class SessionState(Enum):
    """Where a session stands; the two ends agree on it."""

    OPEN = "OPEN"
    OUTBOUND = "OUTBOUND"
    BOUND_TX = "BOUND_TX"
    BOUND_RX = "BOUND_RX"
    BOUND_TRX = "BOUND_TRX"
    UNBOUND = "UNBOUND"
    CLOSED = "CLOSED"


class Role(Enum):
    """The two ends: ESME (client) and MC (message centre)."""

    ESME = "ESME"
    MC = "MC"

    @property
    def peer(self) -> "Role":
        """The other end."""
        return Role.MC if self is Role.ESME else Role.ESME


V33: Final = 0x33
V34: Final = 0x34
V50: Final = 0x50

_S = SessionState
_NONE: Final[frozenset[SessionState]] = frozenset()
_OPEN: Final = frozenset({_S.OPEN})
_OUTBOUND: Final = frozenset({_S.OUTBOUND})
_SENDING: Final = frozenset({_S.BOUND_TX, _S.BOUND_TRX})
_RECEIVING: Final = frozenset({_S.BOUND_RX, _S.BOUND_TRX})
BOUND: Final = _SENDING | _RECEIVING
_ALL: Final = frozenset(_S) - {_S.CLOSED}


class Operation(NamedTuple):
    """One row: requests of ``command`` by ``sender`` in these states, in versions since … until."""

    command: Command
    sender: Role
    states: frozenset[SessionState]
    states_v50: frozenset[SessionState]
    since: int
    until: int = V50


_E, _M, _C = Role.ESME, Role.MC, Command

OPERATIONS: Final = (
    Operation(_C.BIND_RECEIVER, _E, _OPEN, _OUTBOUND, V33),
    Operation(_C.BIND_TRANSMITTER, _E, _OPEN, _NONE, V33),
    Operation(_C.BIND_TRANSCEIVER, _E, _OPEN, _OUTBOUND, V34),
    Operation(_C.OUTBIND, _M, _OPEN, _NONE, V33),
    Operation(_C.UNBIND, _E, BOUND, _NONE, V33),
    Operation(_C.UNBIND, _M, BOUND, _NONE, V33),
    Operation(_C.ENQUIRE_LINK, _E, BOUND, _ALL, V33),
    Operation(_C.ENQUIRE_LINK, _M, BOUND, _ALL, V33),
    Operation(_C.SUBMIT_SM, _E, _SENDING, _NONE, V33),
    Operation(_C.SUBMIT_MULTI, _E, _SENDING, _NONE, V33),
    Operation(_C.DATA_SM, _E, _SENDING, _NONE, V34),
    Operation(_C.DATA_SM, _M, _RECEIVING, _NONE, V34),
    Operation(_C.DELIVER_SM, _M, _RECEIVING, _NONE, V33),
    Operation(_C.QUERY_SM, _E, _SENDING, _NONE, V33),
    Operation(_C.CANCEL_SM, _E, _SENDING, _NONE, V33),
    Operation(_C.REPLACE_SM, _E, _SENDING, _NONE, V33),
    Operation(_C.PARAM_RETRIEVE, _E, _SENDING, _NONE, V33, V33),
    Operation(_C.QUERY_LAST_MSGS, _E, _SENDING, _NONE, V33, V33),
    Operation(_C.QUERY_MSG_DETAILS, _E, _SENDING, _NONE, V33, V33),
    Operation(_C.ALERT_NOTIFICATION, _M, _RECEIVING, _NONE, V34),
    Operation(_C.BROADCAST_SM, _E, _NONE, _SENDING, V50),
    Operation(_C.QUERY_BROADCAST_SM, _E, _NONE, _SENDING, V50),
    Operation(_C.CANCEL_BROADCAST_SM, _E, _NONE, _SENDING, V50),
)


def normalise_version(interface_version: int) -> int:
    """The version whose rules a bind's interface_version means: 0x33, 0x34 or 0x50.

    Odd values are seen (0x00, 0x01, 0x40): below 0x34 is 3.3, up to 0x4F 3.4, then 5.0.
    """
    if interface_version < V34:
        return V33
    return V34 if interface_version < V50 else V50


_LIVES: Final = {int(row.command): (row.since, row.until) for row in OPERATIONS}


def is_known_in(version: int, command_id: int) -> bool:
    """Does the version have this request? What is no request of any is known in none."""
    since, until = _LIVES.get(command_id, (V50 + 1, V50))
    return since <= normalise_version(version) <= until


def _permits(row: Operation, state: SessionState, version: int) -> bool:
    if not row.since <= version <= row.until:
        return False
    return state in row.states or (version >= V50 and state in row.states_v50)


def _collect(sender: Role, state: SessionState, version: int) -> frozenset[int]:
    allowed: set[int] = set()
    for row in OPERATIONS:
        # The answer to unbind is due after the state has moved on.
        moved_on = row.command is Command.UNBIND and state is SessionState.UNBOUND
        permitted = _permits(row, state, version)
        if permitted and row.sender is sender:
            allowed.add(int(row.command))
        answered = row.command not in UNANSWERED
        if row.sender is not sender and answered and (permitted or moved_on):
            allowed.add(row.command | RESPONSE)
    if state is not SessionState.CLOSED:
        allowed.add(int(Command.GENERIC_NACK))
    return frozenset(allowed)


_ALLOWED: Final = {
    (sender, state, version): _collect(sender, state, version)
    for sender in Role
    for state in SessionState
    for version in (V33, V34, V50)
}


def allowed_commands(sender_role: Role, state: SessionState, version: int = V50) -> frozenset[int]:
    """Every command_id, requests and responses, that this end may send now.

    :param version: interface_version of the bind; the default 5.0 is the most lenient
        (enquire_link before the bind, broadcast operations).
    """
    return _ALLOWED[sender_role, state, normalise_version(version)]


def allowed(sender_role: Role, state: SessionState, command_id: int, version: int = V50) -> bool:
    """Whether this end may send this PDU now; see :func:`allowed_commands`."""
    return command_id in _ALLOWED[sender_role, state, normalise_version(version)]


def answer_to_misplaced(
    command_id: int, state: SessionState, version: int = V50
) -> tuple[int, int] | None:
    """What to answer a PDU that :func:`allowed` forbids: (response command_id, command_status).

    None for responses: they are never answered.
    A request that the version does not know gets generic_nack ESME_RINVCMDID; a bind on a bound session its own
    response with ESME_RALYBND; all else ESME_RINVBNDSTS, in a generic_nack where the operation
    has no response.
    """
    if is_response(command_id):
        return None
    if not is_known_in(version, command_id) and command_id not in BINDS:
        return int(Command.GENERIC_NACK), Status.ESME_RINVCMDID
    response_id = response_of(command_id)
    if command_id in BINDS and state in BOUND:
        return response_id, Status.ESME_RALYBND
    return response_id, Status.ESME_RINVBNDSTS
