"""What was rewritten, refused or noted, in lines for the user."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .lower import Lowering


def reasons(found: dict[tuple[str, str], list[str]]) -> list[str]:
    """A line for each of {(operator, reason): nodes}, which names the first node."""
    lines = []
    for (what, reason), nodes in found.items():
        more = f" and {len(nodes) - 1} more" if len(nodes) > 1 else ""
        where = f" (node {nodes[0]}{more})" if nodes else ""
        lines.append(f"{what}{where}: {reason}")
    return lines


def summary(version: int, lowering: Lowering, ascend: bool) -> list[str]:
    """What was rewritten, and what will not run everywhere, as lines."""
    counts = ", ".join(f"{count} {name}" for name, count in sorted(lowering.rewritten.items()))
    total = sum(lowering.rewritten.values())
    lines = [f"MindIR version {version} to 1, {total} operators rewritten ({counts})"]
    noted = {**lowering.notes, **(lowering.wrong if ascend else {})}
    return lines + [f"note: {line}" for line in reasons(noted)]
