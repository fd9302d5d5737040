"""Figures as text. Inside the program everything is a fraction, a float or milliseconds; here alone they get units.

Every function is pure and total: None and NaN, which mean "not defined", read "n/a".
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

NOT_AVAILABLE: Final = "n/a"
HUGE: Final = 1e15  # from here on digits say nothing; an exponent does
DAY_S: Final = 86_400
HIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # controls, invisible, half characters, breaks


def plain(text: object) -> str:
    """Text from outside, made harmless for a terminal: no escape, control, direction or invisible character."""
    spaced = str(text).translate({ord("\n"): " ", ord("\r"): " ", ord("\t"): " "})
    return "".join(character for character in spaced if unicodedata.category(character) not in HIDDEN_CATEGORIES)


def number(value: float | None, digits: int = 2, *, signed: bool = False) -> str:
    """Grouped digits with a fixed count of decimals: "1,234.50"; never "-0.00"."""
    if value is None or math.isnan(value):
        return NOT_AVAILABLE
    if math.isinf(value):
        return "infinite" if value > 0 else "-infinite"
    if abs(value) >= HUGE:
        return f"{value:+.3e}" if signed else f"{value:.3e}"
    if not float(f"{value:.{digits}f}"):
        return f"{0:.{digits}f}"
    return f"{value:+,.{digits}f}" if signed else f"{value:,.{digits}f}"


def percent(fraction: float | None, digits: int = 2, *, signed: bool = False) -> str:
    """A fraction as percent: 0.1234 reads "12.34%"."""
    if fraction is None or not math.isfinite(fraction):
        return number(fraction)
    return f"{number(fraction * 100, digits, signed=signed)}%"


def percent_figure(fraction: float | None) -> str:
    """A fraction as percent without the sign, one decimal: for a dense table whose title says percent."""
    return percent(fraction, 1).removesuffix("%")


def rate(fraction: float | None) -> str:
    """A fee or slippage rate as percent with as many decimals as it has, up to six: 0.00025 reads "0.025%"."""
    if fraction is None or not math.isfinite(fraction):
        return number(fraction)
    digits = next((count for count in range(2, 6) if math.isclose(fraction, round(fraction, count + 2))), 6)
    return percent(fraction, digits)


def money(value: float | None, currency: str = "", *, signed: bool = False) -> str:
    """An amount of quote currency: "10,000.00 USD"; below a cent four significant digits, eight decimals at most."""
    tiny = value is not None and 5e-9 <= abs(value) < 0.01
    digits = min(8, _decimals(value, significant=4)) if value is not None and tiny else 2
    text = number(value, digits, signed=signed)
    return f"{text} {plain(currency)}" if currency and text != NOT_AVAILABLE else text


def price(value: float | None) -> str:
    """A price with digits by its size: "43,210.50", "1.0834", "0.000012340", "1.2340e-13"."""
    if value is None or not math.isfinite(value) or value == 0 or abs(value) >= 100:
        return number(value)
    if abs(value) < 1e-10:
        return f"{value:.4e}"
    return number(value, 4 if abs(value) >= 1 else _decimals(value, significant=5))


def quantity(value: float | None) -> str:
    """Base units, eight significant digits at most and no trailing zeros: "0.23140000" reads "0.2314"."""
    if value is None or not math.isfinite(value) or value == 0:
        return "0" if value == 0 else number(value)
    if abs(value) < 1e-8:
        return f"{value:.4g}"
    whole_digits = max(0, math.floor(math.log10(abs(value))) + 1)
    text = number(value, max(0, 8 - whole_digits))
    return text.rstrip("0").rstrip(".") if "." in text else text


def change(before: float, after: float) -> str:
    """A value and what became of it: "42,123.5 -> 63,185.25"; all digits where fewer would look the same."""
    then, now = quantity(before), quantity(after)
    return f"{then} -> {now}" if then != now else f"{before!r} -> {after!r}"


def count(value: float | None) -> str:
    """A whole number, grouped: "2,557"."""
    return number(value, 0)


def duration(seconds: float | None) -> str:
    """A span of time in its two largest units: "0.4 s", "3 min 20 s", "2 h 05 min", "3 d 04 h"."""
    if seconds is None or not math.isfinite(seconds):
        return NOT_AVAILABLE
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < DAY_S:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // DAY_S:,} d {whole % DAY_S // 3600:02d} h"


def countdown(seconds: float | None) -> str:
    """What is left, as a clock that does not change its width: "00:42", "1:02:03"; never below zero."""
    if seconds is None or not math.isfinite(seconds):
        return NOT_AVAILABLE
    whole = max(0, math.ceil(seconds))
    minutes = f"{whole % 3600 // 60:02d}:{whole % 60:02d}"
    return f"{whole // 3600}:{minutes}" if whole >= 3600 else minutes


def time(value: int | str | None) -> str:
    """A time in UTC, short: "2024-01-31 04:00", with seconds only where there are any.

    Args:
        value: milliseconds since the epoch, or ISO 8601 as documents carry it; text that is neither is shown as it is.
    """
    if value is None:
        return NOT_AVAILABLE
    try:
        moment = _moment(value)
    except (ValueError, OverflowError):
        return plain(value)
    return moment.strftime("%Y-%m-%d %H:%M:%S" if moment.second else "%Y-%m-%d %H:%M")


def minute(time_ms: int | None) -> str:
    """A moment, milliseconds, to the minute that it lies in: "2024-01-31 04:00"."""
    return NOT_AVAILABLE if time_ms is None else _moment(time_ms).strftime("%Y-%m-%d %H:%M")


def is_time(text: str) -> bool:
    """Whether it is a full time as documents carry it, "2024-01-31T04:00:00Z"."""
    if len(text) < len("2024-01-31T04:00:00Z") or not text.endswith("Z"):
        return False
    try:
        _moment(text)
    except ValueError:
        return False
    return True


def times(values: Iterable[int | str | None]) -> list[str]:
    """A column of times in one form: dates alone where every one is a midnight."""
    texts = [time(value) for value in values]
    if all(text == NOT_AVAILABLE or text.endswith(" 00:00") for text in texts):
        return [text.removesuffix(" 00:00") for text in texts]
    return texts


def span(start: int | str | None, end: int | str | None) -> str:
    """From the first to the last bar: "2018-01-01 to 2024-12-31"."""
    first, last = times([start, end])
    return f"{first} to {last}"


def parameters(values: Mapping[str, Any]) -> str:
    """Strategy parameters as they are typed: "fast=10 slow=20"."""
    return " ".join(f"{plain(name)}={plain(value)}" for name, value in values.items())


def kinds(counts: Mapping[str, int]) -> str:
    """How many of which kind, the largest number first: "26 exchange down, 2 no trades"."""
    return ", ".join(f"{count(number)} {kind}" for kind, number in sorted(counts.items(), key=lambda item: -item[1]))


def _decimals(value: float, significant: int) -> int:
    """Decimals that show `significant` digits of a value between zero and one."""
    return max(2, significant - 1 - math.floor(math.log10(abs(value))))


def _moment(value: int | str) -> datetime:
    if isinstance(value, str):
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return datetime.fromtimestamp(value / 1000, UTC)
