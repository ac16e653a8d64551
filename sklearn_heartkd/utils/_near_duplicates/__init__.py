"""Search for recordings that are copies of each other or cuts of one longer recording."""

from sklearn_heartkd.utils._near_duplicates._search import (
    NearDuplicates,
    connected_groups,
    find_near_duplicates,
)

__all__ = ["NearDuplicates", "connected_groups", "find_near_duplicates"]
