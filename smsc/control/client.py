"""Asks the gateway that runs on a data directory.

*In*: the directory, a verb, arguments. *Out*: `Answer`, or `NoGateway` with a sentence.
*Never*: waits for longer than `timeout_s`; starts a gateway.
"""

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import attrs

from smsc.control.socket_path import socket_path
from smsc.control.verbs import Answer, Declined, Told

TIMEOUT_S: Final = 60.0
_READ: Final = 64 * 1024


@attrs.frozen
class NoGateway:
    """Nobody answers there."""

    why: str
    is_nobody_there: bool = False
    """Nobody even listens: what is asked may be asked of the store."""


def ask(
    data_dir: Path,
    verb: str,
    arguments: Mapping[str, Any] = MappingProxyType({}),
    timeout_s: float = TIMEOUT_S,
) -> Answer | NoGateway:
    """Ask one thing and wait for the answer."""
    line = json.dumps({"verb": verb, "arguments": {**arguments}}).encode() + b"\n"
    told = b""
    is_there = False
    try:
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock,
            socket_path(data_dir) as path,
        ):
            sock.settimeout(timeout_s)
            sock.connect(path)
            is_there = True
            sock.sendall(line)
            while not told.endswith(b"\n"):
                octets = sock.recv(_READ)
                if not octets:
                    return NoGateway(f"the gateway on {data_dir} ended before it answered")
                told += octets
    except TimeoutError:
        return NoGateway(f"the gateway on {data_dir} gave no answer within {timeout_s:g} s")
    except PermissionError:
        return NoGateway(f"the gateway on {data_dir} belongs to another user")
    except OSError:
        if is_there:
            return NoGateway(f"the gateway on {data_dir} ended before it answered")
        why = f"no gateway runs on {data_dir}; say which with --config or --data-dir"
        return NoGateway(why, is_nobody_there=True)
    answer = json.loads(told)
    return Told(answer["value"]) if answer["ok"] else Declined(tuple(answer["why"]))
