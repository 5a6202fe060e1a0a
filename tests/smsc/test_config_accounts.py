"""What the configuration tells of accounts and of TLS."""

import pytest

from smsc.config import Config, load
from smsc.config_errors import Secret
from tests.smsc.test_config import bad, good


def test_accounts_take_from_the_server_what_they_do_not_say() -> None:
    config = good(
        """
[smpp]
window = 7
enquire_link_s = 5
inactivity_s = 6
response_timeout_s = 8
pdu_read_s = 9
enquire_misses = 4
[accounts.a]
password = "a"
[accounts.b]
password = "b"
window = 70
enquire_link_s = 50
inactivity_s = 60
response_timeout_s = 80
pdu_read_s = 90
enquire_misses = 40
"""
    )
    names = (
        "window", "enquire_link_s", "inactivity_s", "response_timeout_s", "pdu_read_s",
        "enquire_misses",
    )  # fmt: skip
    for account, values in (("a", [7, 5, 6, 8, 9, 4]), ("b", [70, 50, 60, 80, 90, 40])):
        assert [getattr(config.accounts[account], name) for name in names] == values


def test_everything_an_account_may_be_told() -> None:
    config = good(
        """
[accounts.a]
password = "a"
max_transmitters = 1
max_receivers = 2
max_transceivers = 3
bind_types = ["transmitter", "receiver"]
deliver_window = 5
overflow = "throttle"
rate = 10
burst = 20
rate_unit = "parts"
default_sender = "Shop"
destinations = ["41", "+4930"]
service_types = ["", "CMT"]
max_validity_s = 3600
max_priority = 2
data_coding_0 = "latin1"
[accounts.a.outbind]
host = "192.0.2.1"
port = 2775
password_env = "OUT"
""",
        OUT="secret",
    )
    account = config.accounts["a"]
    assert account.bind_types == ("transmitter", "receiver")
    assert account.destinations == ("41", "4930")
    assert account.outbind is not None
    assert account.outbind.password == Secret("secret")
    assert (account.outbind.system_id, account.outbind.port) == ("smsc", 2775)


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("bind_types = ['trx']", "accounts.a.bind_types[0]: expected one of"),
        ("destinations = ['x']", "accounts.a.destinations: expected prefixes like"),
        ("service_types = ['TOOLONG']", "accounts.a.service_types: expected service types"),
        ("default_sender = '41*'", "accounts.a.default_sender: expected a sender like"),
        ("overflow = 'drop'", "accounts.a.overflow: expected one of 'wait', 'throttle'"),
        ("data_coding_0 = 'ebcdic'", "accounts.a.data_coding_0: expected one of"),
        ("outbind = {port = 1}", "accounts.a.outbind.host: required, but missing"),
        (
            "outbind = {host = 'a', port = 1, password = 'ninechars'}",
            "accounts.a.outbind: expected a password of at most 8 ASCII characters",
        ),
        (
            "outbind = {host = 'a', port = 1, system_id = 'é'}",
            "accounts.a.outbind: expected a system_id in ASCII",
        ),
        ("outbind = {host = 'a', port = 1, key = 2}", "accounts.a.outbind.key: unknown key"),
    ],
)
def test_what_an_account_may_not_be_told(line: str, error: str) -> None:
    (told,) = bad(f'[accounts.a]\npassword = "a"\n{line}')
    assert told.startswith(error)


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        (
            'listen_tls = ["127.0.0.1:1"]',
            [
                "smpp.tls_cert: required by listen_tls, but missing",
                "smpp.tls_key: required by listen_tls, but missing",
            ],
        ),
        (
            'tls_client_certificates = "optional"',
            ['smpp.tls_ca: required by tls_client_certificates = "optional", but missing'],
        ),
        (
            'listen = ["127.0.0.1:1"]\nlisten_tls = ["127.0.0.1:1"]\ntls_cert = "a"\ntls_key = "b"',
            ["smpp.listen_tls[0]: 127.0.0.1:1 is already taken by smpp.listen[0]"],
        ),
    ],
)
def test_tls_is_told_whole(text: str, errors: list[str]) -> None:
    assert bad("[smpp]\n" + text) == errors


SECRET = "whsec_" + "a2tra2tra2tra2tra2tra2tra2tra2tr"


def test_callbacks_of_an_account() -> None:
    config = good(
        f"""
[accounts.a]
password = "a"
callback_url = "https://shop.example/sms"
callback_style = "connector"
webhook_secret = "{SECRET}"
webhook_secret_old = "{SECRET}"
[accounts.b]
password = "b"
"""
    )
    account = config.accounts["a"]
    assert account.home == ("https://shop.example/sms", "connector")
    assert account.webhook_keys == (b"k" * 24, b"k" * 24)
    assert config.accounts["b"].home == (None, "")
    assert config.accounts["b"].webhook_keys == ()


@pytest.mark.parametrize(
    "secret", ["k" * 32, "whsec_", "whsec_a2tr", "whsec_=", "whsec_" + "é" * 32]
)
def test_a_secret_that_cannot_sign_is_refused_and_not_shown(secret: str) -> None:
    errors = bad(f'[accounts.a]\npassword = "a"\nwebhook_secret = "{secret}"')
    assert errors == ['accounts.a: webhook_secret: expected "whsec_" and 24 to 64 octets in base64']


@pytest.mark.parametrize("url", ["shop.example", "ftp://h/", "http://", "http:///x", "queue:"])
def test_where_nothing_can_be_posted(url: str) -> None:
    errors = bad(f'[accounts.a]\npassword = "a"\ncallback_url = "{url}"')
    assert [one.partition(": ")[0] for one in errors] == ["accounts.a.callback_url"]


@pytest.mark.parametrize(("style", "is_good"), [("", True), ("a:1:POST", True), ("b", False)])
def test_a_callback_style_must_be_one_of_this_build(style: str, is_good: bool) -> None:
    text = f'[accounts.x]\npassword = "x"\ncallback_style = "{style}"'
    loaded = load(text, {}, {}, callback_styles=("", "a"))
    assert isinstance(loaded, Config) == is_good
    if isinstance(loaded, list):
        assert [str(one.key) for one in loaded] == ["accounts.x.callback_style"]
        assert "'', 'a'" in loaded[0].why
