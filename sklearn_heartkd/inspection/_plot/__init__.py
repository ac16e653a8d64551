"""The displays of this package."""
