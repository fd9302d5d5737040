from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest

from algotrade.config import load_settings
from algotrade.discover import (
    Source,
    find_strategy,
    list_strategies,
    load_file,
    parse_parameters,
    strategy_from_source,
    strategy_sources,
)
from algotrade.errors import AlgotradeError, FixCommand, FixStrategy, NotAllowed
from algotrade.sources import code_hash, file_name_of, source_of

STRATEGY = '''
from algotrade import SignalStrategy, param

class {name}(SignalStrategy):
    """{idea}"""
    fast: int = param(10, low=2, high=100)
    share: float = 0.5
    trade: bool = True

    def generate_signals(self, candles):
        return candles.assign(signal=0.0)
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a folder for strategies, and nothing else around it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "strategies").mkdir()
    return tmp_path / "strategies"


def write(folder: Path, file: str, *names: str, idea: str = "An idea.") -> Path:
    path = folder / file
    path.write_text("\n".join(STRATEGY.format(name=name, idea=idea) for name in names))
    return path


def sources() -> list[Source]:
    return strategy_sources(load_settings())


def error_of(name: str) -> AlgotradeError:
    with pytest.raises(AlgotradeError) as caught:
        find_strategy(name, sources())
    return caught.value


@pytest.mark.parametrize("name", ["my_idea", "MyIdea", "a_file"])
def test_a_strategy_is_found_by_its_name_its_class_and_its_file(folder: Path, name: str) -> None:
    write(folder, "a_file.py", "MyIdea")
    assert find_strategy(name, sources()).__name__ == "MyIdea"


def test_a_file_is_found_by_its_path_and_its_class_by_name(folder: Path) -> None:
    path = write(folder, "two.py", "First", "Second")
    assert find_strategy(f"{path}:Second", ()).__name__ == "Second"
    assert find_strategy("strategies/two.py:first", ()).__name__ == "First"


def test_the_shipped_ones_are_found_from_anywhere(folder: Path) -> None:
    found = find_strategy("sma_cross", sources())
    assert set(found.parameters) == {"fast", "slow"}


def test_a_strategy_of_the_project_comes_before_a_shipped_one(folder: Path) -> None:
    write(folder, "sma_cross.py", "SmaCross", idea="Mine.")
    assert find_strategy("sma_cross", sources()).idea() == "Mine."
    assert [info.origin for info in list_strategies(sources()) if info.name == "sma_cross"] == ["project"]


def test_strategies_beside_the_project_file_are_found_from_a_folder_below(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, "my_idea.py", "MyIdea")
    (folder.parent / "algotrade.toml").write_text("")
    (folder.parent / ".git").mkdir()
    below = folder.parent / "notes"
    below.mkdir()
    monkeypatch.chdir(below)
    assert find_strategy("my_idea", sources()).__name__ == "MyIdea"


def test_looking_for_a_name_runs_no_other_file(folder: Path) -> None:
    write(folder, "wanted.py", "Wanted")
    (folder / "other.py").write_text("raise RuntimeError('run')")
    assert find_strategy("wanted", sources()).__name__ == "Wanted"


def test_an_unknown_name_answers_with_the_nearest(folder: Path) -> None:
    error = error_of("sma_crss")
    assert isinstance(error, FixCommand)
    assert error.message == "there is no strategy 'sma_crss'. Did you mean 'sma_cross'?"
    assert error.hint == "algotrade list strategies"


@pytest.mark.parametrize("name", ["https://example.org/x.py", "file:///x.py", "git+ssh://x"])
def test_an_address_is_refused(folder: Path, name: str) -> None:
    assert isinstance(error_of(name), NotAllowed)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a/" + "b" * 10_000, "/dev/null", "missing.py", "strategies", "a/\0"]
)
def test_a_path_to_nothing_is_a_usage_error(folder: Path, name: str) -> None:
    assert isinstance(error_of(name), FixCommand)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\nclass MyIdea(:\n    pass\n", "my_idea.py line 2: invalid syntax: class MyIdea(:"),
        ("import nothing_like_it\n", "my_idea.py line 1: import nothing_like_it: raised ModuleNotFoundError"),
        ("def f():\n    return 1 / 0\n\nf()\n", "my_idea.py line 2: return 1 / 0: raised ZeroDivisionError"),
        ("raise SystemExit(3)\n", "my_idea.py line 1: raise SystemExit(3): raised SystemExit: 3"),
        (
            "from algotrade import Strategy\nclass MyIdea(Strategy):\n    cash: int = 3\n",
            "my_idea.py line 2: class MyIdea(Strategy): MyIdea.cash: every strategy has a 'cash'",
        ),
        ("class MyIdea(int, str):\n    x = 1\n", "my_idea.py line 1: class MyIdea(int, str): raised TypeError"),
        ("x = 1\n", "defines no strategy: a class that extends SignalStrategy"),
    ],
)
def test_a_file_that_cannot_be_used_shows_its_line(folder: Path, text: str, message: str) -> None:
    (folder / "my_idea.py").write_text(text)
    error = error_of("my_idea")
    assert isinstance(error, FixStrategy)
    assert message in error.message


def test_a_file_with_nul_or_foreign_bytes_is_a_bad_strategy(folder: Path) -> None:
    for content in (b"x = '\0'\n", b"x = '\xff'\n"):
        (folder / "my_idea.py").write_bytes(content)
        assert isinstance(error_of("my_idea"), FixStrategy)


def test_several_strategies_in_a_file_are_told_apart(folder: Path) -> None:
    path = write(folder, "two.py", "First", "Second")
    error = error_of(str(path))
    assert "defines several strategies: First, Second" in error.message
    assert error.hint == f"algotrade backtest --strategy {path}:First"
    assert "Did you mean 'Second'?" in error_of(f"{path}:Secnd").message


def test_a_name_that_two_files_define_is_ambiguous(folder: Path) -> None:
    write(folder, "one.py", "Same")
    write(folder, "two.py", "Same")
    assert "'same' is defined in" in error_of("same").message


def test_the_list_names_idea_parameters_and_origin_and_survives_a_broken_file(folder: Path) -> None:
    write(folder, "my_idea.py", "MyIdea", idea="Buy low.")
    (folder / "broken.py").write_text("1 / 0\n")
    infos = {info.name: info for info in list_strategies(sources())}
    assert infos["my_idea"].idea == "Buy low."
    assert infos["my_idea"].parameters["fast"].high == 100
    assert "ZeroDivisionError" in infos["broken"].error
    assert infos["sma_cross"].origin == "shipped"


def test_a_base_that_decides_nothing_is_neither_listed_nor_chosen(folder: Path) -> None:
    bases = "from algotrade import Strategy\nclass Root(SignalStrategy): pass\nclass Bare(Strategy): pass\n"
    path = write(folder, "with_bases.py", "Mine")
    path.write_text(f"from algotrade import SignalStrategy\n{bases}{path.read_text()}")
    assert {"mine", "root", "bare"} & {info.name for info in list_strategies(sources())} == {"mine"}
    assert find_strategy(str(path), sources()).__name__ == "Mine"
    assert find_strategy(f"{path}:Root", sources()).__name__ == "Root"


def test_parameters_are_read_in_their_own_type(folder: Path) -> None:
    cls = find_strategy(str(write(folder, "a.py", "MyIdea")), ())
    assert parse_parameters(cls, ["fast=12", "share=0.25", "trade=no"]) == {"fast": 12, "share": 0.25, "trade": False}
    assert parse_parameters(cls, []) == {}


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["fst=12"], "my_idea has no parameter 'fst' (it has: fast, share, trade). Did you mean 'fast'?"),
        (["fast=ten"], "parameter fast must be a whole number, given 'ten'"),
        (["fast=1.5"], "parameter fast must be a whole number, given '1.5'"),
        (["fast=1"], "parameter fast must lie between 2 and 100, given 1"),
        (["fast=101"], "parameter fast must lie between 2 and 100, given 101"),
        (["fast"], "a parameter is given as name=value, given 'fast'"),
        (["fast=5", "fast=6"], "parameter fast is given twice"),
        (["share=nan"], "parameter share must be"),
        (["trade=maybe"], "parameter trade must be true or false, given 'maybe'"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused(folder: Path, texts: list[str], message: str) -> None:
    cls = find_strategy(str(write(folder, "a.py", "MyIdea")), ())
    with pytest.raises(FixCommand) as caught:
        parse_parameters(cls, texts)
    assert message in caught.value.message
    assert caught.value.hint == "algotrade list strategies"


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """An installed package that offers `bought = bought_strategy:Bought`."""
    site = folder.parent / "site"
    (site / "bought-1.0.dist-info").mkdir(parents=True)
    (site / "bought-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: bought\nVersion: 1.0\n")
    (site / "bought-1.0.dist-info" / "entry_points.txt").write_text(
        "[algotrade.strategies]\nbought = bought_strategy:Bought\nsma_cross = bought_strategy:Bought\n"
    )
    (site / "bought_strategy.py").write_text(code)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, "bought_strategy", raising=False)


def test_an_installed_package_offers_strategies_but_never_instead_of_a_shipped_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(folder, monkeypatch, STRATEGY.format(name="Bought", idea="Theirs."))
    assert find_strategy("bought", sources()).idea() == "Theirs."
    assert find_strategy("sma_cross", sources()).__name__ == "SmaCross"
    assert [info.origin for info in list_strategies(sources()) if info.name == "bought"] == ["installed"]


@pytest.mark.parametrize(
    ("code", "message"), [("1 / 0\n", "raised ZeroDivisionError"), ("Bought = 3\n", "is no strategy")]
)
def test_a_broken_package_is_a_bad_strategy(
    folder: Path, monkeypatch: pytest.MonkeyPatch, code: str, message: str
) -> None:
    install(folder, monkeypatch, code)
    error = error_of("bought")
    assert isinstance(error, FixStrategy)
    assert message in error.message
    assert {info.name: bool(info.error) for info in list_strategies(sources())}["bought"]


def test_a_kept_source_whose_helper_is_gone_says_which() -> None:
    source = "import helper_that_is_gone\n" + STRATEGY.format(name="Kept", idea="")
    kept = {"source": source, "file": "kept.py", "class": "Kept", "name": "kept", "parameters": {}}
    with pytest.raises(
        FixStrategy, match=r"kept imports what is not kept with it .*: No module .*'helper_that_is_gone'"
    ):
        strategy_from_source(kept)


def kept_strategy(source: str, file: str = "kept.py") -> dict[str, object]:
    return {"source": source, "file": file, "class": "Kept", "name": "kept", "parameters": {}}


def test_a_kept_source_runs_without_a_file_and_keeps_its_text_and_hash(tmp_path: Path) -> None:
    source = "\ufeff# \u00e4\r\n" + STRATEGY.format(name="Kept", idea="").replace("\n", "\r\n")
    written = tmp_path / "own.py"
    written.write_bytes(source.encode())
    before = set(Path(tempfile.gettempdir()).iterdir())
    strategy = strategy_from_source(kept_strategy(source))
    assert set(Path(tempfile.gettempdir()).iterdir()) == before
    assert source_of(strategy) == source
    assert file_name_of(strategy) == "kept.py"
    assert code_hash(strategy) == code_hash(load_file(written)[0]())


def test_a_kept_source_that_fails_is_told_by_its_line() -> None:
    with pytest.raises(FixStrategy, match=r"kept.py line 2: 1 / 0: raised ZeroDivisionError"):
        strategy_from_source(kept_strategy("x = 1\n1 / 0\n"))


def test_the_file_name_of_a_kept_source_is_no_path() -> None:
    source = STRATEGY.format(name="Kept", idea="")
    assert file_name_of(strategy_from_source(kept_strategy(source, "../../etc/kept.py"))) == "kept.py"
