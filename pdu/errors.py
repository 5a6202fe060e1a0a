"""The two errors that octets from a peer can cause, and no third.

*In*: what was seen.
*Out*: the command_status to answer with.
*Never*: says more about the connection than that: who answers, closes or goes on is the session's.

SMPP 3.4 §3.3, §5.1.3; what to answer: the reference's table "Decode failures".
"""

from pdu.status import status_name


class FramingError(Exception):
    """The position in the stream is lost: answer generic_nack and close.

    A value of :attr:`pdu.framer.Framer.error`, never raised by the framer.

    :ivar status: what the generic_nack says, ESME_RINVCMDLEN.
    :ivar sequence_number: as read from the broken header, 0 when it had not arrived yet.
    :ivar why: one sentence for the log.
    """

    def __init__(self, status: int, sequence_number: int, why: str) -> None:
        super().__init__(f"{status_name(status)}: {why}")
        self.status = status
        self.sequence_number = sequence_number
        self.why = why


class BodyError(Exception):
    """The header is good, the body is not: answer with ``status``, the session goes on.

    :ivar status: the command_status that names the fault.
    :ivar why: one sentence for the log.
    :ivar field: the field at fault by its name in the specification, "" when no single one is.
    """

    def __init__(self, status: int, why: str, field: str = "") -> None:
        super().__init__(f"{status_name(status)}: {why}")
        self.status = status
        self.why = why
        self.field = field
