"""What descends from what, drawn with lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from guestclock.findings.finding import Branch


def tree_lines(tree: Sequence[Branch], unicode: bool = True) -> Iterator[str]:
    """The lines of a tree, each with its branch drawn before it; what is wrong has a mark."""
    tee, elbow, bar = ("├─ ", "└─ ", "│  ") if unicode else ("|- ", "`- ", "|  ")
    wrong = "✗ " if unicode else "x "
    for number, one in enumerate(tree):
        drawn = ""
        for depth in range(1, one.depth + 1):
            follows = _follows(tree, number, depth)
            if depth == one.depth:
                drawn += tee if follows else elbow
            else:
                drawn += bar if follows else "   "
        yield f"{drawn}{wrong if one.wrong else ''}{one.text}"


def _follows(tree: Sequence[Branch], number: int, depth: int) -> bool:
    """Whether another branch of that depth comes before the tree goes back above it."""
    for later in tree[number + 1 :]:
        if later.depth <= depth:
            return later.depth == depth
    return False
