#!/bin/sh
# One environment for each peer: the peers pin libraries that would hold back each other's and ours.
#   bench/install_peers.sh backtesting vectorbt
set -eu
root=${ALGOTRADE_PEERS:-$(dirname "$0")/.peers}
for name in "$@"; do
    "${PYTHON:-python3}" -m venv "$root/$name"
    "$root/$name/bin/python" -m pip install --quiet "$name"
done
