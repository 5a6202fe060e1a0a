"""The other client: submits over HTTP, one after the other, and writes down what it was told.

*In*: a port. *Out*: entries in the log of the client whose account it uses; receipts go to that
one's session. *Never*: a second try.
"""

import base64
import json
import threading
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from itertools import count
from typing import Final

from tests.flow.traffic import TAKEN, Letter
from tests.flow.witness import ClientLog

_PATIENCE_S: Final = 30.0
_ACCEPTED: Final = 202
_HEADERS: Final = {
    "Authorization": "Basic " + base64.b64encode(b"demo:demo").decode(),
    "Content-Type": "application/json",
}
_numbers = count(1)


class HttpWitness:
    """Works in a thread of its own until the gateway is gone, refuses, or `stop` is called."""

    def __init__(self, port: int, log: ClientLog) -> None:
        self._port = port
        self._log = log
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="http-client", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, with the request that is under way answered or broken off."""
        self._stopped.set()
        self._thread.join(_PATIENCE_S)
        assert not self._thread.is_alive()

    # --- helpers -------------------------------------------------------------------------------

    def _work(self) -> None:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE_S)
        # ValueError: the head of an answer arrived, and its body was broken off.
        with suppress(OSError, HTTPException, ValueError):
            while not self._stopped.is_set() and self._post(connection):
                pass
        connection.close()

    def _post(self, connection: HTTPConnection) -> bool:
        number = next(_numbers)
        letter = Letter(f"w{number}", b"", f"{TAKEN}{number:07d}", number % 2, 1)
        self._log.letters[letter.tag] = letter
        asked = {
            "from": "Shop",
            "to": letter.destination,
            "text": f"<{letter.tag}>",
            "receipt": bool(letter.registered_delivery),
        }
        connection.request("POST", "/v1/messages", json.dumps(asked), _HEADERS)
        response = connection.getresponse()
        answer = json.load(response)
        if response.status != _ACCEPTED:
            self._log.refused[letter.tag] = response.status
            return False
        (message,) = answer["messages"]
        self._log.acknowledged[letter.tag] = int(message["id"])
        return True
