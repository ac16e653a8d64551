"""Displays of the metrics."""
