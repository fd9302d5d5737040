"""Bring candles into the store: plan what to ask, page through it, prove what came, import files."""
