"""The outlet kind `custom`: one function in a Python file of the operator's.

*In*: messages. *Out*: calls `send(message, number, flash, sender, username, password, account, url,
proxy)`; its result as a verdict.
*Never*: the event loop in its hands: a plain function runs in a thread, of which there are at
most `concurrency`; an async one (Trio) is cut when its time is over.

What it may return: True; a dict with "id"; False or a text, which is the error; a dict with
"error" and "class" (retryable, throttled, permanent, configuration). An exception is a retryable
error. The file is read again when it changes; while it is broken, the function that was there
goes on.
"""

import inspect
import sys
import types
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import trio

from bridges.connectors.exchange import NoAnswer, NotSent
from bridges.connectors.sender import Attempted
from bridges.connectors.service import ERROR_CLASSES, Declined, Taken, declined
from bridges.connectors.settings import Basics
from bridges.connectors.sms import Sms
from smsc.config_errors import Secret, SettingError, found
from smsc.config_fields import about
from smsc.message import OutletName

FUNCTION: Final = "send"
_LOOK_S: Final = 1.0
"""How often the file is looked at."""


def parse_file(value: object) -> Path:
    """Read the name of a Python file that defines the function; nothing of it is run."""
    if not isinstance(value, str) or not value:
        raise SettingError(f"expected a Python file, found {found(value)}")
    path = Path(value)
    try:
        code = compile(path.read_bytes(), str(path), "exec")
    except OSError as error:
        raise SettingError(f"cannot read {value!r}: {error.strerror}") from None
    except (SyntaxError, ValueError) as error:
        raise SettingError(f"{value!r} is not Python: {error}") from None
    if FUNCTION not in code.co_names:
        raise SettingError(f"{value!r} defines no function {FUNCTION}")
    return path


@attrs.frozen(kw_only=True)
class CustomConfig(Basics):
    """`[outlets.NAME]` with `kind = "custom"`."""

    file: Path = attrs.field(
        metadata=about(f"Python file that defines {FUNCTION}", parse=parse_file)
    )
    username: str = attrs.field(default="", metadata=about("given to the function"))
    password: Secret = attrs.field(default=Secret(""), metadata=about("given to the function"))
    account: str = attrs.field(default="", metadata=about("given to the function"))
    url: str = attrs.field(default="", metadata=about("given to the function"))
    proxy: Secret = attrs.field(default=Secret(""), metadata=about("given to the function"))


class CustomSender:
    """See `bridges.connectors.sender.Sender`."""

    def __init__(self, name: OutletName, config: CustomConfig, log: Any) -> None:
        self._module = f"smsc_custom_{name}"
        self._config = config
        self._log = log.bind(outlet=name)
        self._limiter = trio.CapacityLimiter(config.concurrency)
        self._function: Callable[..., Any] | None = None
        self._seen: tuple[int, int] | None = None
        self._looked_at = 0.0
        self._loading = trio.Lock()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """See `Sender`; raises ValueError if the file is broken."""
        await self._load()
        yield

    async def attempt(self, sms: Sms) -> Attempted:
        """Call the function once."""
        await self._look()
        function, config = self._function, self._config
        assert function is not None
        arguments = (
            sms.text,
            sms.plus_to,
            sms.is_flash,
            sms.plus_sender,
            config.username,
            config.password.value,
            config.account,
            config.url,
            config.proxy.value,
        )
        began = False

        def call() -> Any:
            nonlocal began
            began = True
            return function(*arguments)

        with trio.move_on_after(config.timeout_s):
            try:
                if inspect.iscoroutinefunction(function):
                    began = True
                    result = await function(*arguments)
                else:
                    result = await trio.to_thread.run_sync(
                        call, abandon_on_cancel=True, limiter=self._limiter
                    )
            except Exception as error:  # noqa: BLE001 - whatever the operator's code raises
                return declined("retryable", type(error).__name__, str(error) or "no text")
            return _verdict(result)
        if began:
            return NoAnswer(f"{FUNCTION} did not return within {config.timeout_s:g} s")
        return NotSent(f"all {config.concurrency} threads hang in {FUNCTION}")

    async def _look(self) -> None:
        """Read the file again if it changed; at most once a second."""
        now = trio.current_time()
        if now - self._looked_at < _LOOK_S or self._loading.locked():
            return
        self._looked_at = now
        if self._stamp() in {self._seen, None}:
            return
        async with self._loading:
            try:
                await self._load()
            except ValueError as error:
                self._log.error("connector.file_failed", why=str(error))
            else:
                self._log.info("connector.file_loaded")

    async def _load(self) -> None:
        self._seen = self._stamp()
        self._looked_at = trio.current_time()
        with trio.move_on_after(self._config.timeout_s):
            self._function = await trio.to_thread.run_sync(
                _load, self._config.file, self._module, abandon_on_cancel=True
            )
            return
        raise ValueError(f"{self._config.file} was not loaded within {self._config.timeout_s:g} s")

    def _stamp(self) -> tuple[int, int] | None:
        try:
            stat = self._config.file.stat()
        except OSError:
            return None  # it is being replaced; the next look finds it
        return stat.st_mtime_ns, stat.st_size


def _load(file: Path, name: str) -> Callable[..., Any]:
    """Run the file as a module of its own and return the function; raises ValueError."""
    module = types.ModuleType(name)
    module.__file__ = str(file)
    before = sys.modules.get(name)
    sys.modules[name] = module  # dataclasses and pickles look their module up there
    try:
        exec(compile(file.read_bytes(), str(file), "exec"), module.__dict__)  # noqa: S102
        function: Callable[..., Any] | None = getattr(module, FUNCTION, None)
        assert callable(function), f"it defines no function {FUNCTION}"
    except Exception as error:  # whatever the operator's file raises becomes one sentence
        if before is not None:
            sys.modules[name] = before
        else:
            del sys.modules[name]
        raise ValueError(f"{file}: {type(error).__name__}: {error}") from error
    return function


def _verdict(result: object) -> Taken | Declined:
    """What the function's result means."""
    if result is True:
        return Taken("")
    if result is False:
        return declined("retryable", "false", f"{FUNCTION} returned False")
    if isinstance(result, str):
        return declined("retryable", "error", result)
    if isinstance(result, dict) and result.get("error"):
        class_ = result.get("class", "retryable")
        if class_ not in ERROR_CLASSES:
            class_ = "retryable"
        return declined(class_, str(result.get("code", "error")), str(result["error"]))
    if isinstance(result, dict) and "id" in result:
        return Taken(str(result["id"]))
    why = f"{FUNCTION} returned {type(result).__name__}; expected True, a dict, or the error"
    return declined("retryable", "result", why)
