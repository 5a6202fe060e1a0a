"""node-smpp (npm `smpp`), driven line by line: a client we did not write, in another language.

Installed once with `npm ci` from the lock file beside it into the user's cache. Where npm is
missing the tests are skipped, and say so; where it fails they fail.
"""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import pytest

PATIENCE_S = 10.0
_INSTALL_S = 100.0
_SOURCE = Path(__file__).parent / "node"


def install() -> Path:
    """The directory where node finds node-smpp."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("NO NPM ON THIS MACHINE: node-smpp IS NOT TESTED")
    lock = (_SOURCE / "package-lock.json").read_bytes()
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "smsc-tests"
    place = caches / f"node-smpp-{hashlib.sha256(lock).hexdigest()[:16]}"
    if place.exists():
        return place
    caches.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=caches) as new:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(_SOURCE / name, new)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(
            command, cwd=new, capture_output=True, text=True, timeout=_INSTALL_S, check=False
        )
        assert done.returncode == 0, f"npm could not install node-smpp:\n{done.stderr}"
        Path(new, "node_modules").rename(Path(new, "keep"))
        try:
            Path(new, "keep").rename(place)
        except OSError:
            assert place.exists()  # another run was quicker
    return place


class NodeEsme:
    """One process, one connection."""

    def __init__(self, port: int, **options: Any) -> None:
        self.requests: list[dict[str, Any]] = []
        self.errors: list[str] = []
        self.is_closed = False
        self._lines: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self._process = subprocess.Popen(
            ["node", str(_SOURCE / "peer.js")],
            env={**os.environ, "NODE_PATH": str(install())},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        scheme = options.pop("scheme", "smpp")
        self._tell(url=f"{scheme}://127.0.0.1:{port}", **options)
        assert self._next("connected")

    def send(self, command: str, **fields: Any) -> dict[str, Any]:
        """Send a request; its response."""
        self._tell(command=command, fields=fields)
        response: dict[str, Any] = self._next("response")
        return response

    def bind(
        self, kind: str = "transceiver", name: str = "demo", password: str = "demo", **more: Any
    ) -> dict[str, Any]:
        return self.send(f"bind_{kind}", system_id=name, password=password, **more)

    def request(self) -> dict[str, Any]:
        """The next request of the message centre, which is answered already."""
        if not self.requests:
            self.requests.append(self._next("request"))
        return self.requests.pop(0)

    def answer_with(self, status: int | None) -> None:
        """Answer requests with this from now on; None: not at all."""
        self._tell(answer=status)

    def wait_closed(self) -> None:
        """Return when the connection is over."""
        if not self.is_closed:
            self._next("closed")

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    # --- helpers -------------------------------------------------------------------------------

    def _tell(self, **what: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(json.loads(line))
        self._lines.put(None)

    def _next(self, wanted: str) -> Any:
        """What comes under that name; other things are kept."""
        while True:
            try:
                told = self._lines.get(timeout=PATIENCE_S)
            except Empty:
                raise AssertionError(f"node-smpp: no {wanted}; errors: {self.errors}") from None
            assert told is not None, f"node ended before {wanted}"
            ((name, value),) = told.items()
            if name == "closed":
                self.is_closed = True
            if name == "error":
                self.errors.append(value)
            if name == wanted:
                return value
            if name == "request":
                self.requests.append(value)
