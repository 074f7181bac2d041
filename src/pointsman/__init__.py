"""Pointsman: a Git-native runner for operational changes."""

__version__ = "0.1.0"
