"""What ccxt raises, in our words. The only place that knows ccxt's errors."""

from __future__ import annotations

from typing import Final, NamedTuple

import ccxt

from algotrade.errors import (
    AlgotradeError,
    AskLess,
    AwaitMaintenance,
    CheckConnection,
    FixCommand,
    FixConfiguration,
    NotAllowed,
    TryLater,
)

LONGEST_QUOTE: Final = 160  # characters of an exchange's answer that go into a sentence


class Meaning(NamedTuple):
    """What a class of ccxt's errors means to a person: our class, and the sentence's beginning."""

    raised: type[Exception]
    error: type[AlgotradeError]
    sentence: str


# The first match counts, so the special stands before the general. What ccxt cannot name more closely than "the
# exchange said no" is often a passing trouble under a code that ccxt does not list: to be tried later.
MEANINGS: Final = (
    Meaning(ccxt.RateLimitExceeded, AskLess, "{where} asks for fewer requests"),
    Meaning(ccxt.DDoSProtection, AskLess, "{where} asks for fewer requests"),
    Meaning(ccxt.OnMaintenance, AwaitMaintenance, "{where} is under maintenance"),
    Meaning(ccxt.BadSymbol, FixCommand, "{where} does not know the symbol"),
    Meaning(ccxt.BadRequest, FixCommand, "{where} does not understand the request"),
    Meaning(ccxt.ArgumentsRequired, FixCommand, "{where} does not understand the request"),
    Meaning(ccxt.NotSupported, FixCommand, "{where} does not offer that"),
    Meaning(ccxt.InvalidProxySettings, FixConfiguration, "The proxy settings for {where} contradict each other"),
    Meaning(ccxt.AuthenticationError, NotAllowed, "{where} denies access"),
    Meaning(ccxt.RestrictedLocation, NotAllowed, "{where} denies access from here"),
    Meaning(ccxt.BadResponse, CheckConnection, "{where} gave an answer that makes no sense"),
    Meaning(ccxt.OperationFailed, CheckConnection, "Cannot reach {where}"),
    Meaning(ccxt.BaseError, TryLater, "{where} refused"),
)


def translate(error: Exception, where: str) -> AlgotradeError:
    """Our error for one that rose inside a call of ccxt.

    Args:
        error: what ccxt raised, or what its parsing raised over an answer of another shape than it expects.
        where: the exchange and its host, "kraken (api.kraken.com)".
    """
    for raised, ours, sentence in MEANINGS:
        if isinstance(error, raised):
            return ours(f"{sentence.format(where=where)}: {_reason(error)}")
    if isinstance(error, OSError):
        return unreachable(where, _quote(str(error)))
    return nonsense(where, f"{type(error).__name__} while reading it")


def unreachable(where: str, reason: str) -> CheckConnection:
    """The error for no answer at all."""
    return CheckConnection(f"Cannot reach {where}: {reason}")


def nonsense(where: str, reason: str) -> CheckConnection:
    """The error for an answer of the wrong shape, which must never pass for "no data"."""
    return CheckConnection(f"{where} gave an answer that makes no sense: {reason}")


def _reason(error: Exception) -> str:
    """What lies behind: the network's own words where there are any, else the exchange's."""
    cause = error.__cause__
    said = (cause.strerror or str(cause)) if isinstance(cause, OSError) else ""
    return _quote(said or str(error)) or type(error).__name__


def _quote(text: str) -> str:
    """Foreign text for a sentence of ours: one line, printable characters only, cut short."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= LONGEST_QUOTE else f"{line[:LONGEST_QUOTE]}..."
