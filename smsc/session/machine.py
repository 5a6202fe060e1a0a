"""HOT: one SMPP session as a sans-IO machine; the server and the upstream link both run it.

*In*: octets that were read and `now` in seconds of a monotonic clock; the owner's commands.
*Out*: events (past tense, lists per read) and octets to write.
*Never*: a socket, a task, a clock; an exception for anything a peer sent.

Second station of the flow: link → **session** → server. SMPP 3.4 §2, 5.0 §2.
Who may send what lies in `pdu.operations`; this file only moves the state along.

Invariants: every request of ours has exactly one end: an answer, a time-out, or `lost()`.
Every request of the peer is answered once: an unbind, and the loss of the position in the
stream, end the session only when the answers still owed went out.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from pdu.codec import decode, pack, peek_deliver_sm, peek_submit_sm
from pdu.commands import BINDS, RESPONSE, UNANSWERED, Command, command_name
from pdu.errors import BodyError
from pdu.framer import Framer
from pdu.operations import (
    BOUND,
    V34,
    V50,
    Role,
    SessionState,
    allowed_commands,
    answer_to_misplaced,
    normalise_version,
)
from pdu.status import Status
from smsc.session.answers import DATA_SM, Answers
from smsc.session.binds import (
    BOUND_STATE,
    encode_bind,
    encode_bind_resp,
    encode_outbind,
    read_bind,
)
from smsc.session.data_sm import message_body
from smsc.session.events import (
    Alerted,
    Answer,
    Answered,
    Asked,
    BindFailed,
    Bound,
    Delivered,
    Event,
    Refused,
    Request,
    Submitted,
    TimedOut,
    Unbound,
)
from smsc.session.timers import Moments, Timers, Verdict, judge
from smsc.session.window import UNKNOWN, Window

# The request that carries messages to each role, and the response to its own.
_MESSAGE_TO: Final = {Role.MC: int(Command.SUBMIT_SM), Role.ESME: int(Command.DELIVER_SM)}
_PEEK: Final = {Role.MC: peek_submit_sm, Role.ESME: peek_deliver_sm}
_UNBOUND: Final = frozenset({SessionState.OPEN, SessionState.OUTBOUND})
_BAD_PDUS_LIMIT: Final = 100


class Session(Answers):
    """One session, seen from `role`.

    :param window: requests of ours that may be unanswered at a time.
    :param hold: unanswered requests of the peer from which `is_full` asks to stop reading.
    :param peek: reads the bodies of messages to this end, raises BodyError; the lazy decode if None.
    """

    def __init__(
        self,
        role: Role,
        now: float,
        *,
        timers: Timers | None = None,
        window: int = 100,
        hold: int = 100,
        peek: Callable[[bytes], Any] | None = None,
    ) -> None:
        super().__init__(role, hold)
        self._peek = peek or _PEEK[role]
        self.timers = timers or Timers()
        self.window = Window(window)
        self._framer = Framer()
        self._moments = Moments(opened=now, heard=now, worked=now)
        self._pending_bind: tuple[int, int] | None = None
        self._own_bind: tuple[int, int] | None = None
        self._own_unbind: int | None = None
        self._bad_pdus = 0
        self._set_state(SessionState.OPEN)

    # --- what the owner asks -----------------------------------------------------------------

    @property
    def is_bound(self) -> bool:
        """A bind succeeded and no unbind followed."""
        return self.state in BOUND

    @property
    def room(self) -> int:
        """How many more messages the window takes now; 0 while none may be sent."""
        may_send = self._message_of_ours in self._ours and self._own_unbind is None
        return max(0, self.window.room) if may_send and self.closing is None else 0

    @property
    def outstanding(self) -> int:
        """Messages of ours without an answer."""
        return len(self.window)

    @property
    def spoke_at(self) -> float:
        """When we last asked or answered without the owner: enquire_link, responses; 0.0: never."""
        return max(self._moments.probed, self._moments.answered)

    @property
    def heard_at(self) -> float | None:
        """When the peer last said anything; None if it never did."""
        heard = self._moments.heard
        return heard if heard > self._moments.opened else None

    def take_output(self) -> bytes:
        """The octets to write now; they are handed out once."""
        data = b"".join(self._out)
        self._out.clear()
        return data

    def lost(self) -> list[Any]:
        """Contexts of requests that will never be answered: the connection is gone."""
        self.close("lost")
        self._set_state(SessionState.CLOSED)
        return self.window.take_all()

    def excuse(self, now: float) -> None:
        """We do not read: the peer's silence and its half PDU are no fault of its own."""
        self._moments.heard = now
        if self._moments.half_pdu_since is not None:
            self._moments.half_pdu_since = now

    # --- octets in ---------------------------------------------------------------------------

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Digest one read; answer what needs no owner; say what happened."""
        framer = self._framer
        frames = framer.feed(data)
        moments = self._moments
        moments.heard = now
        moments.unanswered_probes = 0
        if not framer.pending_octets:
            moments.half_pdu_since = None
        elif frames or moments.half_pdu_since is None:
            moments.half_pdu_since = now
        peek = self._peek
        requests: list[Request] = []
        answers: list[Answer] = []
        events: list[Event] = []
        window_pop, unknown = self.window.pop, UNKNOWN
        message_of_theirs, answers_to_ours = self._message_of_theirs, self._answers_to_ours
        for command_id, status, sequence_number, body in frames:
            if command_id == message_of_theirs:
                try:
                    requests.append((sequence_number, peek(body), body))
                except BodyError as error:
                    events.append(
                        self._refuse(command_id, sequence_number, error.status, error.why)
                    )
                    if self.closing is not None:
                        break
            elif command_id in answers_to_ours:
                context = window_pop(sequence_number, unknown)
                if context is not unknown:
                    answers.append((context, status, body))
            elif command_id == self._data_of_theirs:
                refused = self._take_data_sm(sequence_number, body, requests)
                if refused is not None:
                    events.append(refused)
                    if self.closing is not None:
                        break
            else:
                event = self._control(command_id, status, sequence_number, body, answers)
                message_of_theirs, answers_to_ours = self._message_of_theirs, self._answers_to_ours
                if event is not None:
                    events.append(event)
                if self.closing is not None:
                    break
        # Messages first: an unbind behind them in the same read does not take them back.
        if requests and self.throttles and self._owed - self._set_aside + len(requests) > self.hold:
            requests = self._throttle(requests)
        if requests:
            self._bad_pdus = 0
            self._owed += len(requests)
            made = Submitted if self.role is Role.MC else Delivered
            events.insert(0, made(requests))
        # And before them the answers: a receipt in the same read may speak of what they name.
        if answers:
            self._bad_pdus = 0
            events.insert(0, Answered(answers))
        if events:
            moments.worked = now
        if self._out:  # by now only what the machine itself answered
            moments.answered = now
        if framer.error is not None and self._ending is None:
            self._put(Command.GENERIC_NACK, framer.error.status, framer.error.sequence_number)
            events.append(self._end(framer.error.why))
        self._close_if_answered()
        return events

    def tick(self, now: float) -> list[Event]:
        """Look at the clock: probe, give up on answers, or ask to be closed."""
        events: list[Event] = []
        late = self.window.take_late(now, self.timers.response_s) if self.timers.response_s else []
        if late:
            events.append(TimedOut(late))
        match judge(self.timers, self._moments, now, self.state):
            case Verdict.QUIET:
                pass
            case Verdict.PROBE:
                self._moments.probed = now
                self._moments.unanswered_probes += 1
                self._put(Command.ENQUIRE_LINK, 0, self.window.next_sequence())
            case verdict:
                self.close(verdict.value)
        return events

    # --- commands of either role ---------------------------------------------------------------

    def request_many(
        self,
        bodies: Sequence[bytes],
        contexts: Iterable[Any],
        now: float,
        command_id: int | None = None,
    ) -> None:
        """Send messages: submit_sm as ESME, deliver_sm as MC, or data_sm; at most `room`."""
        if len(bodies) > self.room:
            raise RuntimeError(f"{len(bodies)} messages for a window with room for {self.room}")
        command_id = self._message_of_ours if command_id is None else command_id
        self._out += self.window.put_many(command_id, bodies, contexts, now)

    def unbind(self) -> None:
        """Ask the peer to end the session; its answer asks the driver to close."""
        if not self.is_bound:
            self.close("ended by us")
        elif self._own_unbind is None:
            self._own_unbind = self.window.next_sequence()
            self._put(Command.UNBIND, 0, self._own_unbind)

    # --- commands of an ESME -------------------------------------------------------------------

    def bind(
        self,
        command_id: int,
        *,
        system_id: str,
        password: str,
        system_type: str = "",
        interface_version: int = V34,
    ) -> None:
        """Send a bind; `Bound` or `BindFailed` follows."""
        sequence_number = self.window.next_sequence()
        self._own_bind = (command_id, sequence_number)
        self.version = normalise_version(interface_version)
        self._out.append(
            encode_bind(
                command_id, sequence_number, system_id, password, system_type, interface_version
            )
        )

    # --- commands of an MC ---------------------------------------------------------------------

    def outbind(self, system_id: str, password: str) -> None:
        """Ask the peer that we dialled to bind as a receiver.

        Only in 5.0 does the table know the state; the bind that follows tells the version.
        """
        self._out.append(encode_outbind(self.window.next_sequence(), system_id, password))
        self.version = V50
        self._set_state(SessionState.OUTBOUND)

    def accept_bind(self, system_id: str) -> None:
        """The peer is who it says; `system_id` is ours. Nothing happens if it is going already."""
        if self._pending_bind is not None and self.state in _UNBOUND:
            command_id, sequence_number = self._pending_bind
            self._pending_bind = None
            self._out.append(encode_bind_resp(command_id, sequence_number, system_id, self.version))
            self._set_state(BOUND_STATE[command_id])

    def refuse_bind(self, status: int) -> None:
        """The peer may not bind; the session stays open for another try."""
        if self._pending_bind is not None and self.state in _UNBOUND:
            command_id, sequence_number = self._pending_bind
            self._pending_bind = None
            self._put_error(command_id | RESPONSE, status, sequence_number)

    def notify(self, body: bytes) -> None:
        """Send an alert_notification, which nobody answers; nothing where it has no place."""
        if Command.ALERT_NOTIFICATION in self._ours and self.closing is None:
            sequence_number = self.window.next_sequence()
            self._out.append(pack(Command.ALERT_NOTIFICATION, 0, sequence_number, body))

    # --- helpers -------------------------------------------------------------------------------

    def _set_state(self, state: SessionState) -> None:
        """Enter a state, and work out once what the hot loop compares with."""
        self.state = state
        ours = allowed_commands(self.role, state, self.version)
        theirs = allowed_commands(self.role.peer, state, self.version)
        message_to_us = _MESSAGE_TO[self.role]
        message_to_them = _MESSAGE_TO[self.role.peer]
        self._ours = ours
        self._theirs = theirs
        self._message_of_ours = message_to_them
        self._message_response = message_to_us | RESPONSE
        # -1 is no command_id: the hot loop then hands the PDU to `_control`.
        self._message_of_theirs = message_to_us if message_to_us in theirs else -1
        self._data_of_theirs = DATA_SM if DATA_SM in theirs else -1
        self._answers_to_ours = frozenset({message_to_them | RESPONSE, DATA_SM | RESPONSE})

    def _end(self, why: str) -> Unbound:
        """No more messages; the session closes once the peer has its answers."""
        self._ending = why
        self._set_state(SessionState.UNBOUND)
        return Unbound(why)

    def _take_data_sm(
        self, sequence_number: int, body: bytes, requests: list[Request]
    ) -> Refused | None:
        """Put a data_sm among the messages, in their layout."""
        try:
            body = message_body(body)
            requests.append((sequence_number, self._peek(body), body))
        except BodyError as error:
            return self._refuse(DATA_SM, sequence_number, error.status, error.why)
        self._as_data.add(sequence_number)
        return None

    def _throttle(self, requests: list[Request]) -> list[Request]:
        """Refuse what is above the window; return the others."""
        room = max(0, self.hold - (self._owed - self._set_aside))
        refused = requests[room:]
        self._owed += len(refused)
        self.answer_many([(request[0], int(Status.ESME_RTHROTTLED), b"") for request in refused])
        return requests[:room]

    def _refuse(self, command_id: int, sequence_number: int, status: int, why: str) -> Refused:
        """Answer a PDU with an error; a peer that sends nothing else is cut off."""
        self._put_error(command_id | RESPONSE, status, sequence_number)
        return self._note_bad(command_id, status, why)

    def _note_bad(self, command_id: int, status: int, why: str) -> Refused:
        self._bad_pdus += 1
        if self._bad_pdus >= _BAD_PDUS_LIMIT:
            self.close(f"{_BAD_PDUS_LIMIT} bad PDUs in a row")
        return Refused(command_id, status, why)

    def _control(
        self, command_id: int, status: int, sequence_number: int, body: bytes, answers: list[Answer]
    ) -> Event | None:
        """Everything but the messages and their answers."""
        if command_id == Command.GENERIC_NACK:
            return self._on_generic_nack(
                status or Status.ESME_RUNKNOWNERR, sequence_number, answers
            )
        if command_id not in self._theirs:
            answer = answer_to_misplaced(command_id, self.state, self.version)
            if answer is None:
                return None
            self._put_error(answer[0], answer[1], sequence_number)
            why = f"{command_name(command_id)} has no place in state {self.state.value}"
            return self._note_bad(command_id, answer[1], why)
        if command_id == Command.ENQUIRE_LINK:
            self._put(Command.ENQUIRE_LINK_RESP, 0, sequence_number)
        elif command_id == Command.UNBIND:
            self._owed_unbind = sequence_number
            return self._end("unbound by the peer")
        elif command_id == Command.UNBIND_RESP:
            if sequence_number == self._own_unbind:
                return self._end("unbound by us")
        elif command_id in BINDS:
            return self._on_bind(command_id, sequence_number, body)
        elif command_id & ~RESPONSE in BINDS:
            return self._on_bind_resp(command_id, status, sequence_number, body)
        elif command_id == Command.ALERT_NOTIFICATION:
            return self._on_alert(command_id, body)
        elif command_id < RESPONSE and command_id not in UNANSWERED:
            return self._on_request(command_id, sequence_number, body)
        return None

    def _on_generic_nack(
        self, status: int, sequence_number: int, answers: list[Answer]
    ) -> Event | None:
        """The peer could not read a request of ours: that is its answer."""
        context = self.window.pop(sequence_number, UNKNOWN)
        if context is not UNKNOWN:
            answers.append((context, status, b""))
        elif self._own_bind is not None and self._own_bind[1] == sequence_number:
            self._own_bind = None
            return BindFailed(status)
        elif self._own_unbind == sequence_number:
            return self._end("unbound by us")
        return None

    def _on_request(self, command_id: int, sequence_number: int, body: bytes) -> Event:
        """A request about messages that only the owner can answer."""
        try:
            request = decode(command_id, body)
        except BodyError as error:
            return self._refuse(command_id, sequence_number, error.status, error.why)
        self._owed += 1
        self._bad_pdus = 0
        return Asked(command_id, sequence_number, request)

    def _on_alert(self, command_id: int, body: bytes) -> Event:
        """Nobody answers it, not even when it makes no sense."""
        try:
            alert: Any = decode(command_id, body)
        except BodyError as error:
            return self._note_bad(command_id, error.status, error.why)
        return Alerted(alert.source_addr)

    def _on_bind(self, command_id: int, sequence_number: int, body: bytes) -> Event:
        if self._pending_bind is not None:
            why = "a bind while another is being judged"
            return self._refuse(command_id, sequence_number, Status.ESME_RALYBND, why)
        try:
            asked = read_bind(command_id, body)
        except BodyError as error:
            return self._refuse(command_id, sequence_number, error.status, error.why)
        self._pending_bind = (command_id, sequence_number)
        self.version = normalise_version(asked.interface_version)
        return asked

    def _on_bind_resp(
        self, command_id: int, status: int, sequence_number: int, body: bytes
    ) -> Event | None:
        if self._own_bind is None or self._own_bind[1] != sequence_number:
            return None
        asked, _ = self._own_bind
        self._own_bind = None
        if status:
            return BindFailed(status)
        self._set_state(BOUND_STATE[asked])
        try:
            answer: Any = decode(command_id, body)
        except BodyError:
            # Some message centres answer a good bind with a body that is none.
            return Bound("")
        return Bound(answer.system_id)
