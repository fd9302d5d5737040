"""Settings: command-line flags, then ALGOTRADE_* variables, the project's algotrade.toml, the user's, the defaults.

Every value is checked once, here, and remembers where it came from. Unknown keys are errors at every level; secrets in
a file are refused. A key `cash` of the table [defaults] is the flag `--cash` and the variable ALGOTRADE_CASH.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import platformdirs

from algotrade.config.file import CONFIG_HINT, masked
from algotrade.config.layers import PREFIX, checked, environment_layer, file_layer, flag_layer, flatten, overlaid
from algotrade.config.values import Costs, Defaults, Live, Risk, Values
from algotrade.errors import FixConfiguration

PROJECT_FILE: Final = "algotrade.toml"


@dataclass(frozen=True)
class Settings:
    """The settings of one command.

    Attributes:
        values: every table, checked.
        origins: dotted key -> where its value came from, for the keys that are not defaults.
        project_file: the project's algotrade.toml; None if there is none.
        user_file: the user's own; None if there is none.
    """

    values: Values
    origins: Mapping[str, str]
    project_file: Path | None
    user_file: Path | None

    @property
    def defaults(self) -> Defaults:
        """[defaults]."""
        return self.values.defaults

    @property
    def costs(self) -> Costs:
        """[costs]."""
        return self.values.costs

    @property
    def risk(self) -> Risk:
        """[risk]."""
        return self.values.risk

    @property
    def live(self) -> Live:
        """[live]."""
        return self.values.live

    def ccxt_options(self, exchange: str) -> dict[str, Any]:
        """What [exchange.NAME.ccxt] says; empty where there is no such table."""
        found = self.values.exchange.get(exchange)
        return dict(found.ccxt) if found else {}

    @property
    def project_folder(self) -> Path:
        """The folder of algotrade.toml; without one, the current folder."""
        return self.project_file.parent if self.project_file else Path.cwd()

    @property
    def data_folder(self) -> Path:
        """`.algotrade` beside algotrade.toml if there is one, else the user's data folder."""
        if self.project_file:
            return self.project_file.parent / ".algotrade"
        return platformdirs.user_data_path("algotrade", appauthor=False)

    @property
    def database(self) -> str | Path:
        """URL or absolute path of the database."""
        given = self.values.store.database
        if given is None:
            return self.data_folder / "algotrade.db"
        return given if "://" in given else Path(given)

    @property
    def sessions_folder(self) -> Path:
        """Where the journals of live sessions are."""
        return self.data_folder / "sessions"

    @property
    def cache_folder(self) -> Path:
        """What can be deleted at any time."""
        return self.data_folder / "cache"

    def origin_of(self, key: str) -> str:
        """Where the value of a dotted key came from: "--cash", "ALGOTRADE_CASH", "algotrade.toml:7" or "default"."""
        return self.origins.get(key, "default")

    def listed(self) -> dict[str, Any]:
        """Every setting by its dotted key, passwords in URLs masked."""
        return {key: masked(value) for key, value in flatten(self.values.model_dump())}

    def fingerprint(self) -> str:
        """SHA-256 of everything that can change a result, hexadecimal; where the data lies cannot."""
        values = self.values.model_dump(mode="json", exclude={"store", "live", "fetch"})
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def load_settings(flags: Mapping[str, object] | None = None, config_file: Path | None = None) -> Settings:
    """Settings for a command started in the current folder.

    Args:
        flags: dotted key -> value from the command line ("store.database"); None where the flag was not given.
        config_file: read instead of the project's algotrade.toml.

    Raises:
        FixConfiguration: a file or variable with an unknown key, a bad value, bad syntax or a secret.
        FixCommand: a flag with a bad value.
    """
    project_file = find_project_file(config_file)
    user_file = _existing(platformdirs.user_config_path("algotrade", appauthor=False) / "config.toml")
    layers = [file_layer(path) for path in (user_file, project_file) if path]
    layers += [environment_layer(os.environ), flag_layer(flags or {})]
    merged: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for layer in map(checked, layers):
        merged = overlaid(merged, layer.values)
        kept = {key: at for key, at in origins.items() if not ("fetch" in layer.values and key.startswith("fetch."))}
        origins = {**kept, **layer.origins}  # a list of entries replaces the one below as a whole
    return Settings(Values.model_validate(merged), origins, project_file, user_file)


def default_settings() -> Settings:
    """The defaults alone, whatever files and variables say."""
    return Settings(Values(), {}, None, None)


def find_project_file(config_file: Path | None = None) -> Path | None:
    """--config, else $ALGOTRADE_CONFIG, else the nearest algotrade.toml upwards.

    Upwards ends at the root of the repository or the home folder; outside both only the current folder counts, so
    that nobody else's file is picked up.

    Raises:
        FixConfiguration: a file that was named does not exist.
    """
    named = config_file or Path(os.environ.get(PREFIX + "CONFIG") or "")
    if named != Path():
        path = named.expanduser().absolute()
        if not path.is_file():
            raise FixConfiguration(f"there is no configuration file {named}", hint=CONFIG_HINT)
        return path
    here = Path.cwd()
    chain = [here, *here.parents]
    ends = [at for at, folder in enumerate(chain) if (folder / ".git").exists() or folder == Path.home()]
    for folder in chain[: ends[0] + 1 if ends else 1]:
        if (folder / PROJECT_FILE).is_file():
            return folder / PROJECT_FILE
    return None


def _existing(path: Path) -> Path | None:
    return path if path.is_file() else None
