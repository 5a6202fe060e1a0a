"""A real ActiveMQ with nothing but a STOMP door, in a directory of its own; and one who reads it.

The broker is Debian's package `activemq`, started by its own console class, so that neither the
package's service nor its accounts are touched. A machine without it skips, loudly.
"""

import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import attrs
import pytest
import stomp

HOME = Path("/usr/share/activemq")
PATIENCE_S = 30.0
_BROKER = """<beans xmlns="http://www.springframework.org/schema/beans"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="http://www.springframework.org/schema/beans
    http://www.springframework.org/schema/beans/spring-beans.xsd
    http://activemq.apache.org/schema/core
    http://activemq.apache.org/schema/core/activemq-core.xsd">
  <broker xmlns="http://activemq.apache.org/schema/core" brokerName="test" useJmx="false"
    dataDirectory="{directory}/data" schedulerSupport="false">
    <persistenceAdapter>
      <kahaDB directory="{directory}/data/kahadb" journalMaxFileLength="4mb"/>
    </persistenceAdapter>
    {plugins}
    <transportConnectors>
      <transportConnector name="stomp" uri="stomp://127.0.0.1:{port}"/>
    </transportConnectors>
  </broker>
</beans>
"""
_LOGIN = """<plugins><simpleAuthenticationPlugin><users>
  <authenticationUser username="{user}" password="{password}" groups="users"/>
</users></simpleAuthenticationPlugin></plugins>"""


class ActiveMq:
    """One broker; it can be killed and started again on the same port, with what it stored."""

    def __init__(self, directory: Path, user: str = "", password: str = "") -> None:
        if not HOME.is_dir() or shutil.which("java") is None:
            pytest.skip("no ActiveMQ (apt-get install activemq): THE JMS QUEUE IS NOT TESTED")
        self.user, self.password = user, password
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        plugins = _LOGIN.format(user=user, password=password) if user else ""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "activemq.xml").write_text(
            _BROKER.format(directory=directory, port=self.port, plugins=plugins)
        )

    def start(self) -> None:
        """Return when it takes connections."""
        with (self._directory / "out.log").open("ab") as out:
            self._process = subprocess.Popen(
                [
                    *("java", "-Xmx96m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"),
                    f"-Dactivemq.home={HOME}",
                    f"-Dactivemq.base={self._directory}",
                    f"-Dactivemq.data={self._directory}/data",
                    *("-cp", f"{HOME}/lib/*:{HOME}/lib/optional/*"),
                    *("org.apache.activemq.console.Main", "start"),
                    f"xbean:file:{self._directory}/activemq.xml",
                ],
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
            )
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            assert self._process.poll() is None, self.output()
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError(f"the broker did not start: {self.output()}")

    def kill(self) -> None:
        """As a power cut: SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE_S)
            self._process = None

    def output(self) -> str:
        """What it printed, for the message of a failed test."""
        return (self._directory / "out.log").read_text(errors="replace")[-3000:]

    def reader(self, queue: str, selector: str = "") -> "Reader":
        """Somebody who reads a queue; `selector` is JMS's, over headers and properties."""
        return Reader(self, queue, selector)


@attrs.define
class Heard:
    """One message, as the broker sends it."""

    headers: dict[str, str]
    body: str


class Reader(stomp.ConnectionListener):  # type: ignore[misc]  # the library has no types
    """Keeps what it reads; acknowledges each as it comes."""

    def __init__(self, broker: ActiveMq, queue: str, selector: str) -> None:
        self.heard: list[Heard] = []
        self._connection = stomp.Connection12(
            [("127.0.0.1", broker.port)], try_loopback_connect=False, prefer_localhost=False
        )
        self._connection.set_listener("reader", self)
        login = {"username": broker.user, "passcode": broker.password} if broker.user else {}
        self._connection.connect(wait=True, **login)
        headers = {"selector": selector} if selector else {}
        self._connection.subscribe(f"/queue/{queue}", id="1", ack="auto", headers=headers)

    def on_message(self, frame: Any) -> None:
        """One more."""
        self.heard.append(Heard(dict(frame.headers), frame.body))

    def close(self) -> None:
        """Stop reading."""
        if self._connection.is_connected():
            self._connection.disconnect(receipt="bye")
