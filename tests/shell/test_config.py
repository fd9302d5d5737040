from __future__ import annotations

import os
from pathlib import Path

import pytest

from algotrade.config import default_settings, find_project_file, load_settings
from algotrade.engine.risk import Limits
from algotrade.errors import AlgotradeError, FixCommand, FixConfiguration, NotAllowed
from algotrade.exchange.opening import exchange_names, names_without_loading


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder to stand in, a home of its own, and no ALGOTRADE_ variable."""
    for name in [name for name in os.environ if name.startswith("ALGOTRADE_")]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    folder = tmp_path / "project"
    (folder / "strategies").mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def write(folder: Path, text: str, name: str = "algotrade.toml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def message_of(text: str, folder: Path) -> str:
    write(folder, text)
    with pytest.raises(AlgotradeError) as caught:
        load_settings()
    assert caught.value.hint == "algotrade config show --defaults"
    return caught.value.message


def test_without_any_source_every_value_is_a_default(project: Path) -> None:
    settings = load_settings()
    assert settings.values == default_settings().values
    assert settings.defaults.cash == 10_000
    assert settings.origin_of("defaults.cash") == "default"


def test_flag_beats_variable_beats_project_beats_user(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(
        project.parent / "home" / "config" / "algotrade",
        "[defaults]\ncash = 1\nfee = 0.1\nslippage = 0.1\nsymbol = 'A/B'\n",
        "config.toml",
    )
    write(project, "[defaults]\ncash = 2\nfee = 0.2\nslippage = 0.2\n")
    monkeypatch.setenv("ALGOTRADE_CASH", "3")
    monkeypatch.setenv("ALGOTRADE_FEE", "0.3")
    settings = load_settings({"defaults.cash": 4.0, "defaults.fee": None})
    defaults = settings.defaults
    assert (defaults.cash, defaults.fee, defaults.slippage, defaults.symbol) == (4.0, 0.3, 0.2, "A/B")
    assert settings.origin_of("defaults.cash") == "--cash"
    assert settings.origin_of("defaults.fee") == "ALGOTRADE_FEE"
    assert settings.origin_of("defaults.slippage") == "algotrade.toml:4"
    assert settings.origin_of("defaults.symbol").endswith("config/algotrade/config.toml:5")
    assert settings.origin_of("defaults.strategy") == "default"


def test_tables_of_an_exchange_are_merged_key_by_key(project: Path) -> None:
    write(
        project.parent / "home" / "config" / "algotrade",
        "[exchange.kraken.ccxt]\ntimeout = 5000\nhttpsProxy = 'http://proxy:3128'\n",
        "config.toml",
    )
    write(project, "[exchange.kraken.ccxt]\ntimeout = 9000\n[exchange.kraken.ccxt.options]\nadjust = true\n")
    settings = load_settings()
    assert settings.ccxt_options("kraken") == {
        "timeout": 9000,
        "httpsProxy": "http://proxy:3128",
        "options": {"adjust": True},
    }
    assert settings.ccxt_options("bitstamp") == {}
    assert settings.origin_of("exchange.kraken.ccxt.options.adjust") == "algotrade.toml:4"


def test_an_empty_variable_is_no_value(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALGOTRADE_CASH", "")
    assert load_settings().defaults.cash == 10_000


def test_variables_of_the_other_tables_carry_the_table(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALGOTRADE_RISK_MAX_ORDERS_PER_DAY", "20")
    monkeypatch.setenv("ALGOTRADE_LIVE_POLL_SECONDS", "0.5")
    settings = load_settings()
    assert (settings.risk.max_orders_per_day, settings.live.poll_seconds) == (20, 0.5)


def test_every_limit_of_the_engine_is_a_key_of_risk_and_a_variable(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {f"risk.{limit}" for limit in Limits._fields}
    assert {key for key in load_settings().listed() if key.startswith("risk.")} == keys
    for limit in Limits._fields:
        monkeypatch.setenv(f"ALGOTRADE_RISK_{limit.upper()}", "0.2" if limit == "max_drawdown" else "3")
    read = Limits(**load_settings().risk.model_dump())
    assert read == Limits(**dict.fromkeys(Limits._fields, 3))._replace(max_drawdown=0.2)


def test_a_variable_of_somebody_else_is_left_alone(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALGOTRADE_SHARED_DATA", "/data")
    assert load_settings().values == default_settings().values


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("ALGOTRADE_CSH", "5", "unknown environment variable ALGOTRADE_CSH. Did you mean 'ALGOTRADE_CASH'?"),
        ("ALGOTRADE_CASH", "much", "cash = 'much' in [defaults] (ALGOTRADE_CASH): must be a valid number"),
        ("ALGOTRADE_CASH", "nan", "(ALGOTRADE_CASH): must be"),
        ("ALGOTRADE_FEE", "26", "fee = '26' in [defaults] (ALGOTRADE_FEE): must be less than 1"),
        ("ALGOTRADE_CONFIG", "missing.toml", "there is no configuration file missing.toml"),
    ],
)
def test_a_bad_variable_is_named(
    project: Path, monkeypatch: pytest.MonkeyPatch, variable: str, text: str, message: str
) -> None:
    monkeypatch.setenv(variable, text)
    with pytest.raises(FixConfiguration) as caught:
        load_settings()
    assert message in caught.value.message


def test_a_bad_flag_is_a_usage_error(project: Path) -> None:
    with pytest.raises(FixCommand, match=r"--cash -5\.0: must be greater than 0"):
        load_settings({"defaults.cash": -5.0})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[defaults]\ncash = 1\n\nsymbl = 'BTC/USD'\n",
            "unknown key 'symbl' in [defaults] (algotrade.toml:4). Did you mean 'symbol'?",
        ),
        ("[defualts]\ncash = 1\n", "unknown key 'defualts' (algotrade.toml:2). Did you mean 'defaults'?"),
        ("cash = 1\n", "unknown key 'cash' (algotrade.toml:1). It belongs under [defaults]"),
        (
            "[exchange.kraken]\ncxt = {}\n",
            "unknown key 'cxt' in [exchange.kraken] (algotrade.toml:2). Did you mean 'ccxt'?",
        ),
        ("[defaults]\ncash = '5'\n", "cash = '5' in [defaults] (algotrade.toml:2): must be a valid number"),
        ("[defaults]\ncash = true\n", "cash = True in [defaults] (algotrade.toml:2): must be a valid number"),
        ("[defaults]\ncash = inf\n", "cash = inf in [defaults] (algotrade.toml:2): must be a finite number"),
        ("[risk]\nmax_orders_per_day = 0\n", "max_orders_per_day = 0 in [risk] (algotrade.toml:2): must be greater"),
        (
            "[risk]\nmax_orders_per_minute = 0\n",
            "max_orders_per_minute = 0 in [risk] (algotrade.toml:2): must",
        ),
        (
            "[risk]\nmax_open_positions = 1.5\n",
            "max_open_positions = 1.5 in [risk] (algotrade.toml:2): must be",
        ),
        ("[risk]\ncooldown_bars = 0\n", "cooldown_bars = 0 in [risk] (algotrade.toml:2): must be greater"),
        ("[risk]\nlock_bars = -1\n", "lock_bars = -1 in [risk] (algotrade.toml:2): must be greater"),
        ("[risk]\nmax_drawdown = 0.0\n", "max_drawdown = 0.0 in [risk] (algotrade.toml:2): must be greater than 0"),
        ("[risk]\nmax_drawdown = 1.0\n", "max_drawdown = 1.0 in [risk] (algotrade.toml:2): must be less than 1"),
        ("[risk]\nmax_drawdown = nan\n", "max_drawdown = nan in [risk] (algotrade.toml:2): must be"),
        (
            "[risk]\ncooldown_bar = 3\n",
            "unknown key 'cooldown_bar' in [risk] (algotrade.toml:2). Did you mean 'cooldown_bars'?",
        ),
        (
            "[risk]\nmax_consecutive_loss = 3\n",
            "unknown key 'max_consecutive_loss' in [risk] (algotrade.toml:2). Did you mean 'max_consecutive_losses'?",
        ),
        ("max_drawdown = 0.2\n", "unknown key 'max_drawdown' (algotrade.toml:1). It belongs under [risk]"),
        (
            "[defaults]\ntimeframe = '1y'\n",
            "timeframe = '1y' in [defaults] (algotrade.toml:2): '1y' is not a timeframe",
        ),
        ("defaults = 3\n", "(algotrade.toml:1)"),
    ],
)
def test_a_bad_key_or_value_is_named_with_file_and_line(project: Path, text: str, message: str) -> None:
    assert message in message_of(text, project)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cash = 10,000\n", "algotrade.toml line 1, column 10: cash = 10,000 - write 10000 or 10_000"),
        (
            "[defaults]\nsymbol = BTC/USD # the pair\n",
            'algotrade.toml line 2, column 10: symbol = BTC/USD # the pair - write "BTC/USD" in quotes',
        ),
        ("[defaults\ncash = 1\n", "algotrade.toml line 1, column 10: [defaults - Expected ']'"),
        ("cash = 1\ncash = 2\n", "algotrade.toml line 2, column 9: cash = 2 - Cannot overwrite a value"),
    ],
)
def test_a_syntax_error_shows_line_column_and_what_to_write(project: Path, text: str, message: str) -> None:
    assert message_of(text, project).startswith(message)


def test_a_file_that_is_not_text_is_said_to_be_so(project: Path) -> None:
    (project / "algotrade.toml").write_bytes(b"cash = \xff\xfe")
    with pytest.raises(FixConfiguration, match="not UTF-8"):
        load_settings()


@pytest.mark.parametrize(
    "text",
    [
        "[exchange.kraken.ccxt]\napiKey = 'canary-value'\n",
        "[exchange.kraken.ccxt]\nsecret = 'canary-value'\n",
        "[exchange.kraken.ccxt.options]\n'api-secret' = 'canary-value'\n",
        "[exchange.kraken.ccxt.headers]\nAuthorization = 'canary-value'\n",
        "password = 'canary-value'\n",
        "[store]\ndatabase = 'postgresql://me:canary-value@host/db'\n",
        "[store]\ndatabase = 'postgresql://me:a/canary-value@host/db'\n",
        "[store]\ndatabase = 'postgresql://me@host/db?password=canary-value'\n",
    ],
)
def test_a_secret_in_a_file_is_refused_and_never_repeated(project: Path, text: str) -> None:
    write(project, text)
    with pytest.raises(NotAllowed) as caught:
        load_settings()
    assert "canary-value" not in caught.value.message


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:canary@host/db", "postgresql://me:***@host/db"),
        ("postgresql://me:a@canary@host/db", "postgresql://me:***@host/db"),
        ("postgresql://me:a/canary ?'x@host/db", "postgresql://me:***@host/db"),
        (
            "postgresql://me@host:5432/db?sslmode=require&password=canary",
            "postgresql://me@host:5432/db?sslmode=require&password=***",
        ),
        ("postgresql://me:canary", "postgresql://me:***"),
        ("postgresql://host:5432/db", "postgresql://host:5432/db"),
        ("postgresql://host:/db", "postgresql://host:/db"),
    ],
)
def test_a_password_in_a_url_is_masked_where_settings_are_listed(
    project: Path, monkeypatch: pytest.MonkeyPatch, url: str, shown: str
) -> None:
    monkeypatch.setenv("ALGOTRADE_DATABASE_URL", url)
    settings = load_settings()
    assert settings.database == url
    assert settings.listed()["store.database"] == shown


def test_of_both_variables_of_the_database_the_one_for_urls_wins(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALGOTRADE_DATABASE_URL", "postgresql://me@host/db")
    monkeypatch.setenv("ALGOTRADE_DATABASE", "/data/mine.db")
    settings = load_settings()
    assert settings.database == "postgresql://me@host/db"
    assert settings.origin_of("store.database") == "ALGOTRADE_DATABASE_URL"
    assert load_settings({"store.database": "/other.db"}).database == Path("/other.db")
    monkeypatch.setenv("ALGOTRADE_DATABASE_URL", "")
    assert load_settings().database == Path("/data/mine.db")


def test_a_line_that_is_no_toml_is_shown_without_its_password(project: Path) -> None:
    message = message_of("[store]\ndatabase = postgresql://me:canary@host/db\n", project)
    assert "postgresql://me:***@host/db" in message
    assert "canary" not in message


def test_a_huge_value_is_shown_by_its_beginning(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    huge = f"postgresql://me:canary@host/db?{'x=1&' * 5000}"
    monkeypatch.setenv("ALGOTRADE_DATABASE_URL", huge)
    for flags in ({}, {"store.database": huge}):
        with pytest.raises(AlgotradeError) as caught:
            load_settings(flags)
        assert len(caught.value.message) < 250
        assert "canary" not in caught.value.message


def test_the_project_file_is_found_upwards_to_the_root_of_the_repository(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(project, "")
    monkeypatch.chdir(project / "strategies")
    assert find_project_file() is None, "outside a repository only the current folder counts"
    (project / ".git").mkdir()
    assert find_project_file() == path
    (project / "strategies" / ".git").mkdir()
    assert find_project_file() is None, "the search ends at the root of the repository"


def test_a_named_file_replaces_the_projects(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, "[defaults]\ncash = 1\n")
    other = write(project, "[defaults]\ncash = 2\n", "other.toml")
    monkeypatch.setenv("ALGOTRADE_CONFIG", str(other))
    assert load_settings().defaults.cash == 2
    assert load_settings(config_file=project / "algotrade.toml").defaults.cash == 1


def test_data_lies_beside_the_project_file_or_in_the_users_folder(project: Path) -> None:
    assert load_settings().database == project.parent / "home" / "data" / "algotrade" / "algotrade.db"
    write(project, "")
    settings = load_settings()
    assert settings.database == project / ".algotrade" / "algotrade.db"
    assert settings.sessions_folder == project / ".algotrade" / "sessions"


def test_a_relative_database_belongs_to_the_file_that_says_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / ".git").mkdir()
    write(project, "[store]\ndatabase = 'data/mine.db'\n")
    monkeypatch.chdir(project / "strategies")
    assert load_settings().database == project / "data" / "mine.db"
    flag = load_settings({"store.database": "here.db"})
    assert flag.database == project / "strategies" / "here.db"


def test_a_database_may_lie_deep(project: Path) -> None:
    deep = "/".join(["folder"] * 40)
    (project / "algotrade.toml").write_text(f'[store]\ndatabase = "{deep}/a.db"\n')
    assert load_settings().database == project / deep / "a.db"


def test_the_fingerprint_changes_with_what_can_change_a_result_only(project: Path) -> None:
    plain = load_settings().fingerprint()
    assert load_settings({"store.database": "elsewhere.db"}).fingerprint() == plain
    assert load_settings({"defaults.cash": 5.0}).fingerprint() != plain


def test_settings_cannot_be_changed(project: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().defaults.cash = 5.0


def test_a_table_for_an_exchange_that_there_is_not_is_refused(project: Path) -> None:
    (project / "algotrade.toml").write_text("[exchange.krakn.ccxt]\ntimeout = 1000\n")
    with pytest.raises(FixConfiguration, match=r"there is no exchange 'krakn'\. Did you mean 'kraken'"):
        load_settings()


def test_the_exchanges_are_known_without_loading_them() -> None:
    assert names_without_loading() == exchange_names()
