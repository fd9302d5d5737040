"""Make a ccxt client from a name and the options of algotrade.toml, refusing what could cost money."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import ccxt.async_support as ccxt

from algotrade.errors import FixCommand, FixConfiguration, NotAllowed, did_you_mean

RETRIES_ORDERS: Final = "maxretriesonfailure"  # also ...Delay; ccxt would send a lost order again
PRINTS_SECRETS: Final = "verbose"


def ccxt_names() -> list[str]:
    """Every exchange that ccxt knows, sorted."""
    return sorted(ccxt.exchanges)


def make_client(name: str, options: Mapping[str, Any]) -> Any:
    """A client of ccxt's async kind; it opens no connection before its first request.

    Args:
        name: ccxt's id, "kraken".
        options: arguments of ccxt's constructor: urls, proxies, timeout, options, ...

    Raises:
        FixCommand: ccxt knows no such exchange.
        FixConfiguration: an option is unknown to ccxt, of the wrong kind, or repeats orders.
        NotAllowed: an option is a credential.
    """
    if name not in ccxt.exchanges:
        raise FixCommand(
            f"ccxt knows no exchange '{name}'.{did_you_mean(name, ccxt.exchanges)}", hint="algotrade list exchanges"
        )
    kind = getattr(ccxt, name)
    if options:
        check_options(name, options, kind())
    client = kind(dict(options))
    client.enableLastJsonResponse = True  # the proof that an empty answer is one
    _refuse_other_than_json(client)
    _forget_default_fees(client, options)
    return client


def check_options(name: str, options: Mapping[str, Any], example: Any) -> None:
    """Say which option is wrong, by comparison with a client made without any."""
    table = f"[exchange.{name}.ccxt]"
    for key in _keys(options):
        if key.casefold().startswith(RETRIES_ORDERS):
            raise FixConfiguration(f"{table} {key} is refused: it would send an order again whose answer was lost")
    known = [key for key in dir(example) if not key.startswith("_") and not callable(getattr(example, key))]
    for key, value in options.items():
        if key in example.requiredCredentials:
            raise NotAllowed(
                f"{table} {key} is refused: market data needs no credentials, and a file is no place for them"
            )
        if key == PRINTS_SECRETS:
            raise FixConfiguration(f"{table} {key} is refused: it prints whole requests, secrets included")
        if key not in known:
            raise FixConfiguration(f"{table} {key} is no option of ccxt.{did_you_mean(key, known)}")
        if isinstance(getattr(example, key), dict) and not isinstance(value, Mapping):
            raise FixConfiguration(f"{table} {key} must be a table, given {value!r}")
    api = options.get("urls", {}).get("api", {})
    if isinstance(example.urls.get("api"), dict) and not isinstance(api, Mapping):
        raise FixConfiguration(f"{table} urls.api must be a table with {', '.join(example.urls['api'])}, given {api!r}")


def host_of(client: Any) -> str:
    """The host that the client asks for market data, "api.kraken.com"; empty where ccxt does not say."""
    api = client.urls.get("api")
    urls = [api] if isinstance(api, str) else list(_texts(api.get("public", api) if api else {}))
    if not urls:
        return ""
    return urlsplit(urls[0].replace("{hostname}", client.hostname or "")).hostname or ""


def _refuse_other_than_json(client: Any) -> None:
    """Let a page of text be an error: ccxt's classes read its letters as if they were rows."""
    judge_status = client.handle_http_status_code

    def judge(*answer: Any) -> None:
        judge_status(*answer)
        if client.last_json_response is None:
            raise ccxt.BadResponse("it is no JSON")

    client.handle_http_status_code = judge


def _forget_default_fees(client: Any, options: Mapping[str, Any]) -> None:
    """Keep ccxt from filling in fees that the exchange did not give: its table can be years old, and too cheap."""
    given = options.get("fees", {}).get("trading", {})
    trading = client.fees.get("trading", {})
    for side in ("taker", "maker"):
        if side in trading and side not in given:
            trading[side] = None


def _keys(options: Mapping[str, Any]) -> Iterator[str]:
    for key, value in options.items():
        yield key
        if isinstance(value, Mapping):
            yield from _keys(value)


def _texts(urls: Any) -> Iterator[str]:
    if isinstance(urls, str):
        yield urls
    elif isinstance(urls, Mapping):
        for value in urls.values():
            yield from _texts(value)
