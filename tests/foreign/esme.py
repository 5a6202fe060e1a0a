"""smpplib as an ESME that a test can ask: what came in, in order, and nothing lost."""

from typing import Any

import smpplib.client
import smpplib.consts
import smpplib.smpp

from tests.fakes.house import PATIENCE_S


class Esme(smpplib.client.Client):  # type: ignore[misc]  # smpplib has no types
    """A smpplib client that keeps every PDU it reads and answers deliver_sm as smpplib does."""

    def __init__(self, port: int) -> None:
        super().__init__("127.0.0.1", port, timeout=PATIENCE_S, allow_unknown_opt_params=True)
        self.responses: list[Any] = []
        self.delivered: list[Any] = []
        self.connect()

    def message_sent_handler(self, pdu: Any, **_: Any) -> None:
        """smpplib: a submit_sm_resp came in."""
        self.responses.append(pdu)

    def error_pdu_handler(self, pdu: Any) -> None:
        """smpplib: a response with an error status came in."""
        self.responses.append(pdu)

    def message_received_handler(self, pdu: Any, **_: Any) -> None:
        """smpplib: a deliver_sm came in, and is answered next."""
        self.delivered.append(pdu)

    def bind(self, kind: str = "transceiver", name: str = "demo", password: str = "demo") -> Any:
        return getattr(self, f"bind_{kind}")(system_id=name, password=password)

    def submit(self, text: bytes = b"hello", to: str = "41791234567", **fields: Any) -> Any:
        """Send one submit_sm; the PDU that left."""
        fields.setdefault("registered_delivery", 1)
        return self.send_message(
            source_addr_ton=5,
            source_addr="Shop",
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr=to,
            short_message=text,
            **fields,
        )

    def query(self, message_id: str, source_addr: str) -> int:
        """Ask for a message; the command_status of the answer."""
        named = {"message_id": message_id, "source_addr": source_addr}
        self.send_pdu(smpplib.smpp.make_pdu("query_sm", client=self, **named))
        while (answer := self.read_pdu()).command != "query_sm_resp":
            pass  # receipts may come first
        return int(answer.status)

    def read_until(self, *, responses: int = 0, delivered: int = 0) -> None:
        """Read and answer PDUs until so many came in, in all."""
        while len(self.responses) < responses or len(self.delivered) < delivered:
            self.read_once(auto_send_enquire_link=False)

    def close(self) -> None:
        """Cut the connection."""
        self.state = smpplib.consts.SMPP_CLIENT_STATE_OPEN
        self.disconnect()
