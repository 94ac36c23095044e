"""Turning the pages of the administrators' lists."""

from commands.actions import admin_list_action
from commands.messages import Paging, Part

PAGE_SIZE = 8
"""Rows on a page."""


def first_row(offset: int, total: int) -> int:
    """Where the page begins: the last one, if there are fewer rows than when its button was drawn."""
    return min(offset, max(0, total - 1) // PAGE_SIZE * PAGE_SIZE)


def paging(which: str, offset: int, total: int) -> list[Part]:
    """The way to the pages before and after; nothing where one page holds everything. `which` list it is."""
    if total <= PAGE_SIZE:
        return []
    following = offset + PAGE_SIZE
    label = f"{offset + 1}–{min(following, total)} of {total}"
    previous = admin_list_action(which, max(0, offset - PAGE_SIZE)) if offset else None
    return [Paging(label, previous, admin_list_action(which, following) if following < total else None)]
