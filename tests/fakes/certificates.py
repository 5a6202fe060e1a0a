"""Certificates for tests, made by the `openssl` command; a test without it is skipped, loudly."""

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

_NEW = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
_SERVER = "subjectAltName=DNS:localhost,IP:127.0.0.1"
_CA = "basicConstraints=critical,CA:TRUE"


class Authority:
    """A certificate authority in a directory."""

    def __init__(self, directory: Path, name: str = "ca") -> None:
        if shutil.which("openssl") is None:
            pytest.skip("no openssl command on this machine: TLS IS NOT TESTED")
        self.directory = directory
        self.cert = directory / f"{name}.pem"
        self._key = directory / f"{name}.key"
        self._run("req", "-x509", *_NEW, "-subj", f"/CN={name}", "-keyout", self._key,
                  "-out", self.cert, "-addext", _CA)  # fmt: skip

    def issue(self, name: str) -> tuple[Path, Path]:
        """Write NAME.pem and NAME.key, over earlier ones if there are."""
        cert, key = self.directory / f"{name}.pem", self.directory / f"{name}.key"
        self._run("req", "-x509", *_NEW, "-subj", f"/CN={name}", "-keyout", key, "-out", cert,
                  "-CA", self.cert, "-CAkey", self._key, "-addext", _SERVER)  # fmt: skip
        return cert, key

    def client_context(self, name: str | None = None) -> ssl.SSLContext:
        """Of a client that trusts us, and shows the certificate `name` if there is one."""
        context = ssl.create_default_context(cafile=str(self.cert))
        if name is not None:
            context.load_cert_chain(*self.issue(name))
        return context

    @staticmethod
    def _run(*arguments: object) -> None:
        command = ["openssl", *map(str, arguments)]
        subprocess.run(command, check=True, capture_output=True)
