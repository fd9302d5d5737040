"""Judging what happened: results, metrics, round trips."""
