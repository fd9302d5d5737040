"""Bring funding rates of perpetual contracts into the store, from an exchange or a file."""
