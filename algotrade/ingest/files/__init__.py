"""Candles and trades in files: read, judged whole, then stored; written out and put back."""
