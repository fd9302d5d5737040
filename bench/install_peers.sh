#!/bin/sh
# One environment for each peer: the peers pin libraries that would hold back each other's and ours.
#   bench/install_peers.sh backtesting vectorbt nautilus_trader
set -eu
root=${ALGOTRADE_PEERS:-$(dirname "$0")/.peers}
for name in "$@"; do
    "${PYTHON:-python3}" -m venv "$root/${name%%_trader}"
    "$root/${name%%_trader}/bin/python" -m pip install --quiet "$name"
done
