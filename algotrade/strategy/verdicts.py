"""What the checks say of a strategy, and the key under which the verdicts are kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

from algotrade.strategy.base import Strategy

EDITION: Final = (
    "algotrade.checks/2"  # a new one where the checks become stricter: kept verdicts are then worked out anew
)
NAMES: Final = ("look_ahead", "warm_up", "purity", "range")
Warmup = int | Literal["all"]


class Check(NamedTuple):
    """One verdict.

    Attributes:
        passed: None where the check could not be made.
        covered: bars at which it was made.
        total: bars at which it could be made.
        detail: one sentence: what was found, or why nothing could be.
    """

    passed: bool | None
    covered: int
    total: int
    detail: str

    @property
    def coverage(self) -> str:
        """The covered bars as a person reads them: "214 of 10,000"; empty where there is none to cover."""
        return f"{self.covered:,} of {self.total:,}" if self.total else ""


class Checks(NamedTuple):
    """The four verdicts, and the closed bars that live trading gives the strategy for each decision."""

    look_ahead: Check
    warm_up: Check
    purity: Check
    range: Check
    warmup: Warmup

    @property
    def named(self) -> dict[str, Check]:
        """The verdicts by name, in the order in which they are shown."""
        return {name: getattr(self, name) for name in NAMES}

    @property
    def failed(self) -> dict[str, Check]:
        """Those that did not pass. A check that could not be made is none of them."""
        return {name: check for name, check in self.named.items() if check.passed is False}

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON; `from_dict` reads it."""
        return {**{name: check._asdict() for name, check in self.named.items()}, "warmup": self.warmup}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Checks:
        """The verdicts that `to_dict` wrote."""
        return cls(**{name: Check(**document[name]) for name in NAMES}, warmup=document["warmup"])


def check_key(strategy: Strategy, *, code_hash: str, data_hash: str, mode: str, versions: Mapping[str, str]) -> str:
    """SHA-256, hexadecimal, of all that decides the verdicts; the same key means that they need not be made again.

    Args:
        strategy: its name, parameters, declared warm-up and sizing go in.
        code_hash: of all the strategy's code.
        data_hash: `content_hash` of the candles.
        mode: "default" or "full", and the budget if it matters: any text.
        versions: of the libraries that the verdicts may depend on, by name.
    """
    decisive = [
        EDITION,
        strategy.name(),
        code_hash,
        strategy.values,
        strategy.warmup,
        strategy.sizing,
        data_hash,
        mode,
        dict(versions),
    ]
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
