"""Which of the stored series the options of a command mean, and what to say where that is none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from algotrade.errors import FixCommand, FixData, did_you_mean

if TYPE_CHECKING:
    from algotrade.market.candles import SeriesKey


class Wanted(NamedTuple):
    """The parts of a series' name that were given, None for those that were not, and how many lines to show of each."""

    exchange: str | None = None
    symbol: str | None = None
    timeframe: str | None = None
    origin: str | None = None
    most: int = 20

    @property
    def given(self) -> str:
        """What was given, in a few words; "" for nothing."""
        return " ".join(filter(None, self[:4]))

    def check(self) -> None:
        """Refuse an origin that there is not.

        Raises:
            FixCommand: with the nearest that there is.
        """
        from algotrade.market.candles import ORIGINS

        if self.origin is not None and self.origin not in ORIGINS:
            raise FixCommand(
                f"--origin is one of {', '.join(ORIGINS)}, given '{self.origin}'.{did_you_mean(self.origin, ORIGINS)}",
                hint="algotrade list data",
            )

    def holds(self, key: SeriesKey) -> bool:
        """Whether a series is meant."""
        return all(part in (None, own) for part, own in zip(self[:4], key, strict=True))

    def choose(self, stored: Iterable[SeriesKey]) -> list[SeriesKey]:
        """The stored series that are meant; none only where nothing was given and nothing is stored.

        Raises:
            FixCommand: there is no such origin.
            FixData: something was given that no stored series has, with the nearest that one has.
        """
        self.check()
        known = list(stored)
        chosen = [key for key in known if self.holds(key)]
        if self.given and not chosen:
            raise FixData(self.missing(known), hint="algotrade list data")
        return chosen

    def missing(self, stored: Iterable[SeriesKey]) -> str:
        """The sentence for a name that no stored series has."""
        known = list(stored)
        near = (
            did_you_mean(part, {key[place] for key in known})
            for place, part in enumerate(self[:4])
            if part is not None and all(key[place] != part for key in known)
        )
        return f"no series of {self.given} is stored.{next(filter(None, near), '')}"
