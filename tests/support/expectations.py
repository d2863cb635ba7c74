"""What a story must lead to, altered in one place at a time: the judge must notice each of them."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
from typing import Any

from handrail.demo.expected import Expected, Overdue, Told

CHANGES = ({"by": "2026-06-09"}, {"state": "superseded"}, {"who": "la:nobody"}, {"under": "N-02"})


def replaced(expected: Expected, part: str, value: Any) -> Expected:
    """Return the expectations with one part replaced."""
    return dataclasses.replace(expected, **{part: value})


def alterations(expected: Expected) -> Iterator[tuple[str, Expected]]:
    """Yield every expectation altered on its own: each date, state, recipient, rule and count, and each left out."""
    for part in ("told", "never_told"):
        told: Counter[Told] = getattr(expected, part)
        for item in told:
            for change in CHANGES:
                altered = told - Counter([item]) + Counter([dataclasses.replace(item, **change)])
                yield f"{part}: {item.case} {item.who} {change}", replaced(expected, part, altered)
            without = replaced(expected, part, told - Counter([item]))
            yield f"{part}: without {item.case} {item.who}", without
    for part in ("overdue", "late"):
        late: Counter[Overdue] = getattr(expected, part)
        for each in late:
            for altered_late in (late - Counter([each]), late + Counter([each])):
                yield f"{part}: {each} {altered_late[each]}", replaced(expected, part, altered_late)
    for place, figure in enumerate(expected.figures.are):
        others = list(expected.figures.are)
        others[place] = dataclasses.replace(figure, number=figure.number + 1)
        figures = dataclasses.replace(expected.figures, are=tuple(others))
        yield f"figure: {figure.says}", dataclasses.replace(expected, figures=figures)
    yield "quarantined", dataclasses.replace(expected, quarantined={"intake": 2})
    yield "log", dataclasses.replace(expected, log="does not verify")
    if expected.kinds is not None:
        yield "kinds", dataclasses.replace(expected, kinds=expected.kinds - {"panel"})
