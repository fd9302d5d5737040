"""Where prices come from: any exchange that ccxt knows, and a simulated one that needs no network."""
