"""Where every request goes that is neither a message nor about the session.

*In*: decoded requests with who asks. *Out*: one answer for each: command_status and body.
*Never*: a session, a socket; an answer before the disk says what it says.

Station of the flow: server → **desk** → intake | commands. SMPP 3.4 §4.5, §4.8 to §4.10, 5.0 §4.4.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Final

import attrs

from pdu.address import Address
from pdu.broadcast_pdus import BroadcastSm, CancelBroadcastSm, QueryBroadcastSm
from pdu.codec import encode_body
from pdu.fields import Pdu
from pdu.message_pdus import CancelSm, QuerySm, QuerySmResp, ReplaceSm, SubmitMulti
from pdu.operations import V50
from pdu.retired_pdus import ParamRetrieve, QueryLastMsgs, QueryMsgDetails
from pdu.semantics import check
from pdu.status import Status
from pdu.tlvs import Tag, tlv_value
from smsc.flow.commands import Commands
from smsc.flow.rewriting import Change
from smsc.message import AccountId, MessageId
from smsc.operations.message_states import combined, final_date, shown_state
from smsc.operations.multi import drafts_of, response_of
from smsc.operations.old_queries import MOST_LAST_MESSAGES, details, last_messages
from smsc.ports import Admission, Refused, Submit

Done = Callable[[int, bytes], None]
"""Gets command_status and body of the response."""

_HIGHEST_ERROR: Final = 0xFF
_ROK: Final = int(Status.ESME_ROK)


@attrs.frozen
class Asker:
    """Who asks, and in which version."""

    account: AccountId
    version: int


class Desk:
    """Answers requests; the answer may come at once or after a commit.

    :ivar newest: the ids of an account's newest messages from a source, so many at most.
    """

    def __init__(
        self,
        intake: Submit,
        commands: Commands,
        lists: Mapping[str, Sequence[Address]],
        now_ms: Callable[[], int],
    ) -> None:
        self._intake = intake
        self._commands = commands
        self.lists = lists
        self._now_ms = now_ms
        self.newest: Callable[[AccountId, Container[str], int], Sequence[MessageId]] = lambda *_: ()

    def ask(self, asker: Asker, request: Pdu, done: Done) -> None:
        """Answer one request through `done`, exactly once."""
        fault = check(request, self._now_ms())
        if fault is not None:
            done(int(fault.status), b"")
            return
        match request:
            case SubmitMulti():
                self._submit_multi(asker, request, done)
            case QuerySm():
                self._query(asker, request, done)
            case CancelSm():
                self._cancel(asker, request, done)
            case ReplaceSm():
                self._replace(asker, request, done)
            case QueryMsgDetails():
                self._details(asker, request, done)
            case QueryLastMsgs():
                self._last(asker, request, done)
            case ParamRetrieve():
                # 3.3 leaves the names to each message centre, and this one has none.
                done(int(Status.ESME_RPROHIBITED), b"")
            case BroadcastSm() | QueryBroadcastSm() | CancelBroadcastSm():
                # The operation is of the session's version, but no outlet reaches a cell.
                done(int(Status.ESME_RPROHIBITED), b"")
            case _:
                raise TypeError(f"{type(request).__name__} is nothing to ask of a message centre")

    # --- helpers -------------------------------------------------------------------------------

    def _submit_multi(self, asker: Asker, request: SubmitMulti, done: Done) -> None:
        made = drafts_of(request, asker.account, self.lists, v50=asker.version >= V50)
        if isinstance(made, Refused):
            done(made.status, b"")
            return

        def stored(answers: list[Admission]) -> None:
            done(*response_of(made, answers))

        self._intake.submit_many_nowait(made.drafts, stored)

    def _query(self, asker: Asker, request: QuerySm, done: Done) -> None:
        reports = self._commands.query(asker.account, request.message_id, request.source_addr)
        if not reports:
            done(int(Status.ESME_RQUERYFAIL), b"")
            return
        progress = combined(reports)
        response = QuerySmResp(
            message_id=request.message_id,
            final_date=final_date(progress),
            message_state=shown_state(progress.state, asker.version),
            error_code=min(progress.error, _HIGHEST_ERROR),
        )
        done(_ROK, encode_body(response))

    def _details(self, asker: Asker, request: QueryMsgDetails, done: Done) -> None:
        reports = self._commands.query(asker.account, request.message_id, request.source_addr)
        if not reports:
            done(int(Status.ESME_RQUERYFAIL), b"")
            return
        done(_ROK, encode_body(details(request.message_id, request.sm_length, reports)))

    def _last(self, asker: Asker, request: QueryLastMsgs, done: Done) -> None:
        if not 1 <= request.no_of_msgs <= MOST_LAST_MESSAGES:
            done(int(Status.ESME_RQUERYFAIL), b"")
            return
        sources = self._commands.senders(asker.account, request.source_addr)
        ids = self.newest(asker.account, sources, request.no_of_msgs)
        done(_ROK, encode_body(last_messages(ids)))

    def _cancel(self, asker: Asker, request: CancelSm, done: Done) -> None:
        def cancelled(count: int) -> None:
            done(_ROK if count else int(Status.ESME_RCANCELFAIL), b"")

        if request.message_id:
            self._commands.cancel(
                asker.account,
                request.message_id,
                request.source_addr,
                request.destination_addr,
                cancelled,
            )
        else:
            self._commands.cancel_all(
                asker.account,
                request.source_addr,
                request.destination_addr,
                request.service_type,
                cancelled,
            )

    def _replace(self, asker: Asker, request: ReplaceSm, done: Done) -> None:
        change = Change(
            schedule_delivery_time=request.schedule_delivery_time,
            validity_period=request.validity_period,
            registered_delivery=request.registered_delivery,
            sm_default_msg_id=request.sm_default_msg_id,
            short_message=request.short_message,
            # The TLV came to replace_sm with 5.0; before that it means nothing here.
            message_payload=tlv_value(request.tlvs, Tag.MESSAGE_PAYLOAD)
            if asker.version >= V50
            else None,
        )

        def replaced(refused: Refused | None) -> None:
            done(refused.status if refused is not None else _ROK, b"")

        self._commands.replace(
            asker.account, request.message_id, request.source_addr, change, replaced
        )
