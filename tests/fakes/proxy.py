"""A TCP proxy between two gateways: it can hold what one side says, and cut the line."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress


class Proxy:
    """Forwards connections to `port`; `hold` keeps back what the far side says until `cut`."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._passes = threading.Event()
        self._passes.set()
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._start(self._accept)

    def hold(self) -> None:
        """From now on nothing that the far side says arrives."""
        self._passes.clear()

    def cut(self) -> None:
        """End every connection; what was held never arrives. New ones pass freely."""
        with self._lock:
            sockets, self._sockets = self._sockets, []
        for sock in sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._passes.set()

    def close(self) -> None:
        self.cut()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    @staticmethod
    def _start(target: Callable[..., None], *args: socket.socket) -> None:
        threading.Thread(target=target, args=args, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self._target))
                except OSError:
                    near.close()
                    continue
                with self._lock:
                    self._sockets += [near, far]
                self._start(self._forward, near, far)

    def _forward(self, near: socket.socket, far: socket.socket) -> None:
        always = threading.Event()
        always.set()
        back = threading.Thread(target=self._pump, args=(far, near, self._passes), daemon=True)
        with near, far:
            back.start()
            self._pump(near, far, always)
            back.join()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket, passes: threading.Event) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                passes.wait()
                sink.sendall(data)
        for sock in (source, sink):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
