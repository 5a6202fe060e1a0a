"""Passwords of accounts: clear text or argon2 hash, checked once at full price.

*In*: what the configuration stores and what a client gave.
*Out*: yes or no. `is_cheap()` says beforehand whether the answer takes microseconds or the
tens of milliseconds and megabytes of argon2; then the caller goes to a thread, one at a time.
*Never*: logs, keeps or compares a password as such; it keeps keyed digests under a key that
dies with the process.
"""

import base64
import hashlib
import hmac
import os

import attrs
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerifyMismatchError

REMEMBERED = 100_000
"""Hashes with a known password; beyond it the oldest is forgotten and costs argon2 again."""


@attrs.frozen
class StoredPassword:
    """What an account must prove."""

    text: str = attrs.field(repr=False)
    is_hash: bool = False
    """True: `text` is an argon2 hash in its usual `$argon2id$…` form."""


def is_argon2_hash(text: str) -> bool:
    """True when `text` is a hash that `PasswordChecker` can verify."""
    *_, salt, digest = ["", "", *text.split("$")]
    try:
        extract_parameters(text)
        # extract_parameters looks at the numbers only; argon2 wants at least these lengths.
        return len(_unpadded(salt)) >= 8 and len(_unpadded(digest)) >= 4
    except (InvalidHashError, ValueError):
        return False


def _unpadded(text: str) -> bytes:
    if "=" in text:
        raise ValueError("argon2 writes base64 without padding")
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


def hash_password(clear: str) -> StoredPassword:
    """Hash for the configuration file; takes tens of milliseconds."""
    return StoredPassword(PasswordHasher().hash(_octets(clear)), is_hash=True)


class PasswordChecker:
    """Verifies passwords and remembers the right one of each hash.

    Once the right password of a hash is known, every other one is known to be wrong: both
    answers are cheap from then on. Wrong guesses before that pay for argon2 each time, so the
    caller bounds how many run at once.
    """

    __slots__ = ("_hasher", "_key", "_right")

    def __init__(self) -> None:
        self._key = os.urandom(32)
        self._hasher = PasswordHasher()
        self._right: dict[str, bytes] = {}

    def is_cheap(self, stored: StoredPassword) -> bool:
        """True when `verify` answers within microseconds, so it may run in the event loop."""
        return not stored.is_hash or stored.text in self._right

    def verify(self, stored: StoredPassword, given: str) -> bool:
        """Tell whether `given` is the password; safe to call from one thread at a time.

        Raises argon2's VerificationError when it cannot tell: no memory, or a broken hash
        (the configuration checks that).
        """
        digest = self._digest(given)
        if not stored.is_hash:
            return hmac.compare_digest(digest, self._digest(stored.text))
        right = self._right.get(stored.text)
        if right is not None:
            return hmac.compare_digest(digest, right)
        try:
            self._hasher.verify(stored.text, _octets(given))
        except VerifyMismatchError:
            return False
        while len(self._right) >= REMEMBERED:
            del self._right[next(iter(self._right))]
        self._right[stored.text] = digest
        return True

    def _digest(self, password: str) -> bytes:
        # Equal lengths whatever was given, so that the comparison does not tell the length.
        return hmac.digest(self._key, _octets(password), hashlib.sha256)


def _octets(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")  # any string a client manages to send
