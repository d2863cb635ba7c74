"""How a stub recipient misbehaves when it is told to: slowly, with failures, with a refusal, with nonsense, or not at all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, Literal, get_args

Mode = Literal["normal", "slow", "fail", "refuse", "hang", "busy", "garbage", "reset", "drip"]
MODES: Final[tuple[Mode, ...]] = get_args(Mode)


class BadBehaviour(ValueError):
    """The instruction cannot be followed."""


@dataclass(frozen=True)
class Behaviour:
    """What to do with the next requests: `times` of them (None: until told otherwise), `seconds` late where that applies.

    `busy` answers 429 and asks to come back after `seconds`; `garbage` answers 200 with bytes that are no receipt; `reset`
    cuts the connection; `drip` answers 200 and lets the body come so slowly that it takes `seconds`.
    """

    mode: Mode = "normal"
    seconds: float = 0.0
    times: int | None = None

    def after_one(self) -> Behaviour:
        """Return what is left of the instruction after one request."""
        if self.times is None:
            return self
        return replace(self, times=self.times - 1) if self.times > 1 else NORMAL


NORMAL: Final = Behaviour()


def read_behaviour(instruction: Any) -> Behaviour:
    """Return the behaviour that a JSON object asks for.

    Raises:
        BadBehaviour: The text says what was expected.
    """
    if not isinstance(instruction, dict) or instruction.get("mode") not in MODES:
        raise BadBehaviour(f"expected an object with mode one of {', '.join(MODES)}")
    seconds, times = instruction.get("seconds", 0), instruction.get("times")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= 3600:  # noqa: PLR2004
        raise BadBehaviour("expected seconds from 0 to 3600")
    if times is not None and (isinstance(times, bool) or not isinstance(times, int) or times < 1):
        raise BadBehaviour("expected times to be 1 or more")
    return Behaviour(instruction["mode"], float(seconds), times)
