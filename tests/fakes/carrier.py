"""A carrier played by the test: takes the bind, and answers submit_sm when it is told to."""

import socket
import threading
from contextlib import suppress

from pdu.codec import pack
from pdu.commands import RESPONSE, Command
from pdu.framer import Framer


class SilentCarrier:
    """Listens on `port`; `submitted` is set when the first submit_sm is here."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.submitted = threading.Event()
        self.may_answer = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self.may_answer.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        framer = Framer()
        with suppress(OSError):
            sock, _ = self._listener.accept()
            with sock:
                while data := sock.recv(65536):
                    for command_id, _, sequence_number, _ in framer.feed(data):
                        if command_id == Command.SUBMIT_SM:
                            self.submitted.set()
                            self.may_answer.wait()
                        if command_id < RESPONSE:
                            body = b"" if command_id == Command.UNBIND else b"17\0"
                            sock.sendall(pack(command_id | RESPONSE, 0, sequence_number, body))
