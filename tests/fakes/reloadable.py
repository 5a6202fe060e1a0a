"""A whole gateway whose configuration file a test writes anew."""

from pathlib import Path

from smsc.app import ConfigFile
from smsc.config import Config, load
from smsc.config_errors import ConfigError
from smsc.gateway.reloading import NotReloaded, Reloaded
from tests.fakes.house import DIALECT_KINDS, OUTLET_KINDS, RunningGateway

HEAD = """
[node]
data_dir = "{dir}/var"
[smpp]
listen = ["127.0.0.1:0"]
"""


class ReloadableGateway(RunningGateway):
    """As `RunningGateway`, from a file in `directory`."""

    def __init__(self, directory: Path, toml: str, head: str = HEAD) -> None:
        self.directory = directory
        self.path = directory / "smsc.toml"
        self._head = head
        self.write(toml)
        config = self._read()
        assert isinstance(config, Config), config
        super().__init__(config, ConfigFile(self.path, self._read))

    def write(self, toml: str, head: str | None = None) -> None:
        """Another configuration, which nobody reads yet."""
        text = (head or self._head).format(dir=self.directory) + toml
        self.path.write_text(text)

    def reload(self, toml: str | None = None, head: str | None = None) -> Reloaded | NotReloaded:
        """Write another configuration, if given, and have it read."""
        if toml is not None:
            self.write(toml, head)
        reloader = self.gateway.reloader
        assert reloader is not None
        return self.await_(lambda: reloader.reload("test"))

    def take(self, toml: str, head: str | None = None) -> Reloaded:
        """As `reload`; it must be taken over, and no outlet be about to go any more."""
        done = self.reload(toml, head)
        assert isinstance(done, Reloaded), done
        self.await_(self.gateway.keeper.settled)
        return done

    def _read(self) -> Config | list[ConfigError]:
        return load(self.path, OUTLET_KINDS, {}, DIALECT_KINDS)
