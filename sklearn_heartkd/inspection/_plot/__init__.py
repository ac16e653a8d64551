"""Displays: what the functions of this package and the models found, drawn."""
