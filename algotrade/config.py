"""Settings: command-line flags, then ALGOTRADE_* variables, the project's algotrade.toml, the user's, the defaults.

Every value is checked once, here, and remembers where it came from. Unknown keys are errors at every level; secrets in
a file are refused. A key `cash` of the table [defaults] is the flag `--cash` and the variable ALGOTRADE_CASH.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import platformdirs
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from algotrade.config_file import CONFIG_HINT, key_line, read_toml, refuse_secrets
from algotrade.errors import FixCommand, FixConfiguration, did_you_mean
from algotrade.market.timeframe import timeframe_ms

PROJECT_FILE: Final = "algotrade.toml"
PREFIX: Final = "ALGOTRADE_"
UNPREFIXED: Final = ("defaults", "store")  # their keys are ALGOTRADE_<KEY>; the others' ALGOTRADE_<TABLE>_<KEY>
STRICT: Final = ConfigDict(frozen=True, extra="forbid", strict=True)


def _is_timeframe(text: str) -> str:
    try:
        timeframe_ms(text)
    except FixCommand as error:
        raise ValueError(error.message) from None
    return text


Name = Annotated[str, Field(min_length=1, max_length=100)]
Amount = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Rate = Annotated[float, Field(ge=0, lt=1)]
Timeframe = Annotated[str, AfterValidator(_is_timeframe)]


class Defaults(BaseModel):
    """[defaults]: what a command takes when its flag is not given.

    Attributes:
        exchange: None lets the command choose: kraken, or the one that has the data.
        symbol: ccxt's unified symbol.
        timeframe: None means 1d for backtests and 1m for live trading.
        strategy: a name that `algotrade list strategies` knows.
        cash: at the start, quote units.
        fee: fraction of the notional; None means the market's own taker fee, 0.004 where that is unknown.
        slippage: fraction of the price.
    """

    model_config = STRICT
    exchange: Name | None = None
    symbol: Name = "BTC/USD"
    timeframe: Timeframe | None = None
    strategy: Name = "sma_cross"
    cash: Amount = 10_000.0
    fee: Rate | None = None
    slippage: Rate = 0.0


class Risk(BaseModel):
    """[risk]: limits on orders, in quote units (orders a day: a count); None means no limit."""

    model_config = STRICT
    max_order_notional: Amount | None = None
    max_position_notional: Amount | None = None
    max_orders_per_day: Annotated[int, Field(gt=0)] | None = None
    max_daily_loss: Amount | None = None


class Store(BaseModel):
    """[store]: where the database is, a path or a URL; None means in the data folder."""

    model_config = STRICT
    database: Name | None = None


class Live(BaseModel):
    """[live]: how often the exchange is asked for new candles, seconds."""

    model_config = STRICT
    poll_seconds: Annotated[float, Field(ge=0.05, le=3600)] = 5.0


class ExchangeOptions(BaseModel):
    """[exchange.NAME]: `ccxt` is handed to ccxt as it is (urls, proxies, timeout, options)."""

    model_config = STRICT
    ccxt: dict[str, Any] = {}


class Values(BaseModel):
    """All tables of algotrade.toml."""

    model_config = STRICT
    defaults: Defaults = Defaults()
    exchange: dict[Name, ExchangeOptions] = {}
    risk: Risk = Risk()
    store: Store = Store()
    live: Live = Live()


SECTIONS: Final[Mapping[str, type[BaseModel]]] = {
    "defaults": Defaults,
    "risk": Risk,
    "store": Store,
    "live": Live,
}


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
        return {key: masked(value) for key, value in _flatten(self.values.model_dump())}

    def fingerprint(self) -> str:
        """SHA-256 of everything that can change a result, hexadecimal; where the data lies cannot."""
        values = self.values.model_dump(mode="json", exclude={"store", "live"})
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


class _Layer(NamedTuple):
    """One source of values: nested values, where each dotted key stands, and the error that a bad value is."""

    values: dict[str, Any]
    origins: Mapping[str, str]
    error: type[FixCommand | FixConfiguration] = FixConfiguration


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
    layers = [_file_layer(path) for path in (user_file, project_file) if path]
    layers += [_environment_layer(os.environ), _flag_layer(flags or {})]
    merged: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for layer in layers:
        _checked(layer)
        merged = _overlaid(merged, layer.values)
        origins.update(layer.origins)
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


def masked(value: Any) -> Any:
    """The value with the password of a URL replaced by ***."""
    return re.sub(r"(://[^:/@\s]*:)[^@\s]+@", r"\1***@", value) if isinstance(value, str) else value


def _file_layer(path: Path) -> _Layer:
    text, values = read_toml(path)
    shown = _shown(path)
    refuse_secrets(values, shown)
    origins = {key: f"{shown}{key_line(text, key)}" for key, _ in _flatten(values)}
    return _Layer(_anchored(values, path.parent), origins)


def _environment_layer(environment: Mapping[str, str]) -> _Layer:
    names = {
        _variable(section, key): (section, key) for section, model in SECTIONS.items() for key in model.model_fields
    }
    texts: dict[str, dict[str, str]] = {}
    origins: dict[str, str] = {}
    for variable, text in environment.items():
        if variable.startswith(PREFIX) and variable not in names:
            _refuse_misspelt(variable, names)
        elif variable in names and text:
            section, key = names[variable]
            texts.setdefault(section, {})[key] = text
            origins[f"{section}.{key}"] = variable
    try:
        values = Values.model_validate_strings(texts).model_dump(exclude_unset=True)
    except ValidationError as error:
        raise _sentence(error, _Layer(texts, origins)) from None
    return _Layer(_anchored(values, Path.cwd()), origins)


def _flag_layer(flags: Mapping[str, object]) -> _Layer:
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for dotted, value in flags.items():
        if value is not None:
            section, key = dotted.split(".")
            values.setdefault(section, {})[key] = value
            origins[dotted] = f"--{key.replace('_', '-')}"
    return _Layer(_anchored(values, Path.cwd()), origins, FixCommand)


def _anchored(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The values with a database path made absolute: it is relative to the folder of the file that says it."""
    match values:
        case {"store": {"database": str(location), **others}} if location and "://" not in location:
            return {**values, "store": {**others, "database": str((folder / Path(location).expanduser()).absolute())}}
    return values


def _variable(section: str, key: str) -> str:
    return f"{PREFIX}{'' if section in UNPREFIXED else section.upper() + '_'}{key.upper()}"


def _refuse_misspelt(variable: str, names: Mapping[str, object]) -> None:
    """A variable that is nearly one of ours is a slip; one that is not is somebody else's."""
    near = did_you_mean(variable.removeprefix(PREFIX), [name.removeprefix(PREFIX) for name in names])
    if near and variable != PREFIX + "CONFIG":
        raise FixConfiguration(
            f"unknown environment variable {variable}.{near.replace(chr(39), chr(39) + PREFIX, 1)}", hint=CONFIG_HINT
        )


def _checked(layer: _Layer) -> None:
    try:
        Values.model_validate(layer.values)
    except ValidationError as error:
        raise _sentence(error, layer) from None


def _sentence(error: ValidationError, layer: _Layer) -> FixCommand | FixConfiguration:
    """The first thing wrong in a layer, in our words: which key, where it stands, what it should be."""
    first = error.errors(include_url=False)[0]
    place = [str(part) for part in first["loc"]]
    dotted = ".".join(place)
    origin = next((at for key, at in layer.origins.items() if f"{key}.".startswith(f"{dotted}.")), "")
    table = f" in [{'.'.join(place[:-1])}]" if len(place) > 1 else ""
    where = f"{table} ({origin})" if origin else table
    if first["type"] == "extra_forbidden":
        return layer.error(f"unknown key '{place[-1]}'{where}.{_nearest_key(place)}", hint=CONFIG_HINT)
    wanted = first["msg"].replace("Input should be", "must be").removeprefix("Value error, ")
    return layer.error(f"{place[-1]} = {masked(first['input'])!r}{where}: {wanted}", hint=CONFIG_HINT)


def _nearest_key(place: list[str]) -> str:
    *tables, key = place
    if tables:
        model = ExchangeOptions if tables[0] == "exchange" else SECTIONS[tables[0]]
        return did_you_mean(key, model.model_fields)
    homes = [section for section, model in SECTIONS.items() if key in model.model_fields]
    return f" It belongs under [{homes[0]}]" if homes else did_you_mean(key, Values.model_fields)


def _flatten(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and (value or not above):
            yield from _flatten(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _overlaid(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Both tables as one, values of `above` winning, tables merged."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = _overlaid(under, value) if isinstance(under, Mapping) and isinstance(value, Mapping) else value
    return merged


def _existing(path: Path) -> Path | None:
    return path if path.is_file() else None


def _shown(path: Path) -> Path:
    """As short as it is clear: relative to the current folder where it lies inside."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
