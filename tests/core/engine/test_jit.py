"""Compiling on demand, in processes of their own: what is cached where, and what happens when nothing can be."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

from algotrade.backtest.kernel import follow_targets
from algotrade.engine import _jit, account, fills, sizing

ROOT = Path(inspect.getfile(_jit)).parents[2]
RUN = """
import numpy as np
from algotrade.backtest.kernel import run_kernel
from algotrade.backtest.setup import Setup
from algotrade.market.candles import candle_table
from algotrade.market.instrument import Instrument

candles = candle_table(np.arange(5) * 86_400_000, np.full((5, 5), 100.0))
targets = np.array([0.0, 1.0, 1.0, 0.0, 0.0])
result = run_kernel(candles, targets, Setup((Instrument("BTC/USD"),), "1d"), compile_from=0)
print(repr(float(result.equity_values[-1])))
"""


def run(code: str, *, cache: Path | None = None, before: str = "", **environment: str) -> str:
    """What a fresh process prints; its caches lie below `cache`."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA")}
    places = {"XDG_CACHE_HOME": str(cache), "HOME": str(cache)} if cache else {}
    answer = subprocess.run(
        [sys.executable, "-P", "-c", before + code],
        env={**clean, "PYTHONPATH": str(ROOT), **places, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


@pytest.fixture(scope="module")
def expected() -> str:
    """The account at the end, by the plain kernel."""
    return run(RUN.replace("compile_from=0", "compile_from=10**9"))


def machine_code(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*.nbc")}


def test_the_rules_of_the_kernel_are_found_through_their_callers() -> None:
    found = _jit._rules_of(follow_targets)
    assert set(found) == {
        sizing.market_fill,
        sizing.side_of_target,
        sizing.quantity_for_target,
        sizing.round_down,
        sizing.refusal_of,
        sizing.target_changed,
        fills.slipped_price,
        fills.fee_of,
        account.cash_after,
        account.position_after,
        account.equity_at,
    }
    assert len(found) == len(set(found))
    assert found.index(sizing.round_down) < found.index(sizing.quantity_for_target) < found.index(sizing.market_fill)


def test_a_marked_rule_stays_an_ordinary_function() -> None:
    assert inspect.isfunction(sizing.round_down)
    assert sizing.round_down(2.5, 1.0) == 2.0


def test_machine_code_is_kept_and_found_again(tmp_path: Path, expected: str) -> None:
    assert run(RUN, cache=tmp_path) == expected
    kept = machine_code(tmp_path)
    assert len(kept) == 1
    assert "algotrade" in next(iter(kept))
    assert run(RUN, cache=tmp_path) == expected
    assert machine_code(tmp_path) == kept


def test_a_changed_rule_is_compiled_anew(tmp_path: Path, expected: str) -> None:
    """The kernel's own file stays the same; the file of a rule that it calls changes."""
    project = tmp_path / "project"
    for source in (ROOT / "algotrade").rglob("*.py"):
        copy = project / source.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(source.read_bytes())
    assert run(RUN, cache=tmp_path, PYTHONPATH=str(project)) == expected
    rule = project / "algotrade" / "engine" / "fills.py"
    text = rule.read_text()
    assert "return quantity * price * fee_rate" in text
    rule.write_text(text.replace("return quantity * price * fee_rate", "return quantity * price * fee_rate * 2.0"))
    assert float(run(RUN, cache=tmp_path, PYTHONPATH=str(project))) < float(expected)
    assert len(machine_code(tmp_path)) == 2


def test_a_cache_chosen_by_the_user_is_kept_by_rule_too(tmp_path: Path, expected: str) -> None:
    assert run(RUN, NUMBA_CACHE_DIR=str(tmp_path)) == expected
    assert len(machine_code(tmp_path)) == 1


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path, expected: str) -> None:
    in_the_way = tmp_path / "a file, not a folder"
    in_the_way.write_text("")
    before = set(ROOT.rglob("*.nb[ci]"))
    assert run(RUN, cache=in_the_way) == expected
    assert set(ROOT.rglob("*.nb[ci]")) == before  # nor is it left beside the source


def test_a_full_disk_is_no_error(tmp_path: Path, expected: str) -> None:
    full = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
    assert run(RUN, cache=tmp_path, before=full) == expected


def test_without_numba_the_plain_kernel_does_the_work(expected: str) -> None:
    absent = "import sys; sys.modules['numba'] = None\n"
    assert run(RUN, before=absent) == expected


@pytest.mark.parametrize(("compile_from", "compiled"), [(5, True), (6, False)])
def test_numba_is_imported_only_when_there_are_bars_enough(compile_from: int, compiled: bool, expected: str) -> None:
    code = RUN.replace("compile_from=0", f"compile_from={compile_from}")
    answer = run(code + "import sys; print('numba' in sys.modules)")
    assert answer.split() == [expected, str(compiled)]
