"""What the remaining lists, `new`, `schedule` and `config` print."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import JsonValue

from algotrade.schemas.conditions import Market
from algotrade.schemas.vocabulary import NAME, Count, Declared, Number, Scalar, Symbol, Time, Timeframe, said


class ListedExchange(Declared):
    """An exchange."""

    exchange: str = said("its name, as --exchange takes it")
    simulated: bool = said("it is the demo exchange")


class ListedExchanges(Declared):
    """Exchanges: what `list exchanges` prints."""

    schema_: Annotated[Literal["algotrade.list_exchanges/1"], NAME]
    exchanges: list[ListedExchange] = said("by name")


class ListedMarkets(Declared):
    """Markets of an exchange: what `list markets` prints."""

    schema_: Annotated[Literal["algotrade.list_markets/1"], NAME]
    markets: list[Market] = said("by symbol")


class ListedTimeframe(Declared):
    """A length of bars."""

    timeframe: Timeframe = said("as --timeframe takes it")


class ListedTimeframes(Declared):
    """Lengths of bars: what `list timeframes` prints."""

    schema_: Annotated[Literal["algotrade.list_timeframes/1"], NAME]
    timeframes: list[ListedTimeframe] = said("the shortest first")


class Parameter(Declared):
    """A parameter of a strategy."""

    default: Scalar = said("its value unless told otherwise, in the strategy's own unit")
    low: Number = said("smallest value allowed, in the same unit; null for no bound")
    high: Number = said("largest value allowed, in the same unit; null for no bound")
    kind: Literal["bool", "int", "float", "str"] = said("its type")


class ListedStrategy(Declared):
    """A strategy."""

    strategy: str = said("its name, as --strategy takes it")
    parameters: dict[str, Parameter] = said("by name")
    idea: str = said("its first sentence, or why it cannot be used")
    origin: Literal["project", "shipped", "installed"] = said("whose it is")
    path: str = said("of its file")
    usable: bool = said("it can be run")


class ListedStrategies(Declared):
    """Strategies: what `list strategies` prints."""

    schema_: Annotated[Literal["algotrade.list_strategies/1"], NAME]
    strategies: list[ListedStrategy] = said("by name")


class ListedRun(Declared):
    """A kept run."""

    run: str = said("its id")
    created: Time = said("when it was made")
    kind: Literal["backtest"] = said("what made it")
    symbol: Symbol = said("the market")
    timeframe: Timeframe = said("length of a bar")
    strategy: str = said("what decided")
    final_equity: Number = said("at the last close, quote units")
    simulated: bool = said("the market is the demo exchange")
    revised: Count = said("bars of the run that were revised since")


class ListedRuns(Declared):
    """Kept runs: what `list runs` prints."""

    schema_: Annotated[Literal["algotrade.list_runs/1"], NAME]
    runs: list[ListedRun] = said("the newest first")


class ListedSchema(Declared):
    """A schema."""

    schema_: str = said(
        "name and version, as the objects say it", alias="schema", pattern="^algotrade[.][a-z_]+/[0-9]+$"
    )
    path: str = said("of its file")


class ListedSchemas(Declared):
    """The schemas of what --json prints: what `list schemas` prints."""

    schema_: Annotated[Literal["algotrade.list_schemas/1"], NAME]
    schemas: list[ListedSchema] = said("by name")


class NewStrategy(Declared):
    """A strategy that was begun: what `new strategy` prints."""

    schema_: Annotated[Literal["algotrade.new_strategy/1"], NAME]
    strategy: str = said("its name, as --strategy takes it")
    files: list[str] = said("paths that were written")
    next: str = said("the command to type next")


class NewProject(Declared):
    """A project that was begun: what `new project` prints."""

    schema_: Annotated[Literal["algotrade.new_project/1"], NAME]
    folder: str = said("absolute")
    files: list[str] = said("paths that were written")
    kept: list[str] = said("paths that were there before and are left as they are")
    next: list[str] = said("the commands to type next")
    systemd: list[str] = said("the commands that start the systemd timer")


class Schedule(Declared):
    """What runs a fetch again and again: what `schedule fetch` prints."""

    schema_: Annotated[Literal["algotrade.schedule/1"], NAME]
    folder: str = said("where it runs, absolute")
    command: list[str] = said("the program, absolute, and its arguments")
    cron: str = said("a line of a crontab")
    service: str = said("text of a systemd service")
    timer: str = said("text of a systemd timer")


class Setting(Declared):
    """A setting in force."""

    setting: str = said("dotted key of algotrade.toml")
    value: JsonValue = said("null if it is not set")
    origin: str = said("where it came from: default, a file and line, a variable, a flag")


class Places(Declared):
    """Where things lie; null where there is none."""

    project_file: str | None = said("of this project", alias="project file")
    user_file: str | None = said("of this person", alias="user file")
    database: str | None = said("path or URL, its password masked")
    sessions: str | None = said("folder of the journals")


class Configuration(Declared):
    """The settings in force: what `config show` prints."""

    schema_: Annotated[Literal["algotrade.config/1"], NAME]
    settings: list[Setting] = said("every one")
    places: Places = said("where things lie")
