"""Private helpers that several subpackages share; nothing here is public."""
