"""`[mail]`: what is read, what is told of mistakes, what `smsc check` shows."""

from pathlib import Path

import pytest

from smsc.config import Config, load
from smsc.config_mail import is_address
from smsc.config_report import describe
from smsc.gateway.changes import fixed
from tests.fakes.certificates import Authority

SECTION = '[mail]\nhost = "mail.example.org"\nsender = "sms@example.org"\n'


def read(toml: str, environ: dict[str, str] | None = None) -> Config:
    config = load(toml, {}, environ or {})
    assert isinstance(config, Config), config
    return config


def test_defaults() -> None:
    mail = read(SECTION).mail
    assert mail is not None
    assert (mail.port, mail.security, mail.ca_file, mail.timeout_s) == (587, "starttls", None, 30)
    assert mail.domain == "example.org"
    assert read("").mail is None


def test_the_password_is_a_secret_like_others(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("hush\n")
    for line in ('password = "hush"', f'password_file = "{file}"', 'password_env = "MAIL"'):
        config = read(SECTION + f'user = "gw"\n{line}\n', {"MAIL": "hush"})
        assert config.mail is not None
        assert config.mail.password.value == "hush"
        assert "hush" not in repr(config) + describe(config)


@pytest.mark.parametrize(
    ("more", "shown"),
    [
        ("", "mail  mail.example.org:587, starttls, from sms@example.org"),
        (
            'port = 25\nsecurity = "none"\n',
            "mail  mail.example.org:25, NO TLS, from sms@example.org",
        ),
        (
            'port = 465\nsecurity = "tls"\nuser = "gw"\npassword = "hush"\n',
            "mail  mail.example.org:465, tls, logs in as gw, from sms@example.org",
        ),
    ],
)
def test_what_check_shows(more: str, shown: str) -> None:
    assert shown in describe(read(SECTION + more))


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ("[mail]\n", ["mail.host: required", "mail.sender: required"]),
        (SECTION + "port = 0\n", ["mail.port: expected a whole number from 1 to 65535"]),
        (SECTION + 'security = "ssl"\n', ["mail.security: expected one of"]),
        (SECTION + "timeout_s = 0\n", ["mail.timeout_s: expected a number from 0.1 to 600"]),
        (SECTION + 'user = "gw"\n', ["mail: expected user and password, or neither of them"]),
        (SECTION + 'password = "x"\n', ["mail: expected user and password"]),
        (SECTION + 'user = "gw"\npassword = "hüsh"\n', ["mail: expected user and password in"]),
        (SECTION + 'user = "gw"\npassword_env = "NO"\n', ["mail.password_env: the environment"]),
        (SECTION + 'ca_file = "/nowhere/ca.pem"\n', ["mail.ca_file: cannot take certificates"]),
        (SECTION + "ca_file = 5\n", ["mail.ca_file: expected a file"]),
        (SECTION + 'from = "x"\n', ["mail.from: unknown key"]),
        ('[mail]\nhost = "a b"\nsender = "x"\n', ["mail.host: expected a host", "mail.sender: "]),
        ('[mail]\nhost = "h:25"\nsender = "Shop <a@b>"\n', ["mail.host: ", "mail.sender: "]),
        ("mail = 5\n", ["mail: expected a table"]),
    ],
)
def test_every_mistake_is_named(toml: str, told: list[str]) -> None:
    errors = load(toml, {}, {})
    assert isinstance(errors, list)
    assert len(errors) == len(told)
    for sentence, error in zip(told, sorted(map(str, errors)), strict=True):
        assert error.startswith(sentence)
    assert "hüsh" not in str(errors)


def test_a_file_of_certificates_is_looked_into(tmp_path: Path) -> None:
    ca = Authority(tmp_path).cert
    mail = read(SECTION + f'ca_file = "{ca}"\n').mail
    assert mail is not None
    assert mail.ca_file == ca
    ca.write_text("nothing of the kind")
    errors = load(SECTION + f'ca_file = "{ca}"\n', {}, {})
    assert isinstance(errors, list)
    assert "it holds no certificate" in str(errors[0])


def test_a_reload_takes_every_change_of_it() -> None:
    without, with_it = read(""), read(SECTION)
    other = read(SECTION + 'port = 25\nsecurity = "none"\n')
    for old in (without, with_it, other):
        for new in (without, with_it, other):
            assert fixed(old, new) == []


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("shop@example.org", True),
        ("o'hara+sms@localhost", True),
        ("a@b.c-d.example", True),
        ("shop", False),
        ("@example.org", False),
        ("shop@", False),
        ("shop@-example.org", False),
        ("shop@example..org", False),
        ("a@b@c", False),
        ("a@b, c@d", False),
        ("Shop <a@b>", False),
        ("a@b\n", False),
        ("a@b\r\nRCPT TO:<c@d>", False),
        ('"a b"@c', False),
        ("a@[127.0.0.1]", False),
        ("ü@b", False),
        ("a@" + "x" * 254, False),
    ],
)
def test_an_address(text: str, is_one: bool) -> None:
    assert is_address(text) is is_one
