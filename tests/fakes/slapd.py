"""A real slapd with three entries, in a directory of its own; it can be stopped, started, stalled.

It is Debian's package `slapd`, started in the foreground on a free port of loopback with a
configuration of ours; the package's service is not touched. A machine without it, or without the
extra `ldap`, skips, loudly.
"""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

BASE = "dc=example,dc=org"
PEOPLE = f"ou=people,{BASE}"
READER, READER_PASSWORD = f"cn=reader,{BASE}", "reads"
PATIENCE_S = 20.0
_SLAPD = shutil.which("slapd", path="/usr/sbin:/usr/local/sbin:" + os.defpath)
_CONF = """include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {directory}/slapd.pid
TLSCertificateFile {directory}/server.pem
TLSCertificateKeyFile {directory}/server.key
database mdb
suffix "{base}"
rootdn "cn=root,{base}"
rootpw root
directory {directory}/data
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{reader}" read by self read by * none
"""
_LDIF = f"""dn: {BASE}
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: {READER}
objectClass: person
cn: reader
sn: reader
userPassword: {READER_PASSWORD}

dn: {PEOPLE}
objectClass: organizationalUnit
ou: people

dn: uid=ann,{PEOPLE}
objectClass: inetOrgPerson
uid: ann
cn: Ann Example
sn: Example
mail: ann@example.org
mobile: +41791234567
userPassword: ann-secret

dn: uid=o\\2cdd,{PEOPLE}
objectClass: inetOrgPerson
uid: o,dd
cn: Odd
sn: Odd
userPassword: odd*(secret)
"""


class Slapd:
    """One server."""

    def __init__(self, directory: Path, certificate: tuple[Path, Path]) -> None:
        if _SLAPD is None:
            pytest.skip("no slapd (apt-get install slapd): LDAP IS NOT TESTED")
        if importlib.util.find_spec("bonsai") is None:
            pytest.skip("no bonsai (make ldap): LDAP IS NOT TESTED")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        (directory / "data").mkdir(parents=True)
        shutil.copy(certificate[0], directory / "server.pem")
        shutil.copy(certificate[1], directory / "server.key")
        conf = _CONF.format(directory=directory, base=BASE, reader=READER)
        (directory / "slapd.conf").write_text(conf)
        (directory / "data.ldif").write_text(_LDIF)
        self._run("slapadd", "-q", "-l", str(directory / "data.ldif"))
        self.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"ldap://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and return once it answers."""
        assert self._process is None
        assert _SLAPD is not None
        with (self._directory / "slapd.log").open("ab") as log_file:
            self._process = subprocess.Popen(
                [_SLAPD, "-f", self._conf, "-h", f"{self.url}/", "-d", "0"],
                stdout=subprocess.DEVNULL,
                stderr=log_file,
            )
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                log = (self._directory / "slapd.log").read_text(errors="replace")
                assert self._process.poll() is None, log
                assert time.monotonic() < until, f"slapd did not start: {log}"
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """Kill it, if it runs."""
        if self._process is not None:
            self.resume()
            self._process.kill()
            self._process.wait(PATIENCE_S)
            self._process = None

    def stall(self) -> None:
        """It takes connections, and says nothing any more."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """It goes on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def set_password(self, uid: str, password: str) -> None:
        """As its administrator does."""
        change = (
            f"dn: uid={uid},{PEOPLE}\nchangetype: modify\nreplace: userPassword\n"
            f"userPassword: {password}\n"
        )
        root = ["-x", "-H", self.url, "-D", f"cn=root,{BASE}", "-w", "root"]
        subprocess.run(
            ["ldapmodify", *root], input=change.encode(), check=True, capture_output=True
        )

    @property
    def _conf(self) -> str:
        return str(self._directory / "slapd.conf")

    def _run(self, tool: str, *words: str) -> None:
        assert _SLAPD is not None
        done = subprocess.run(
            [str(Path(_SLAPD).parent / tool), "-f", self._conf, *words],
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")
