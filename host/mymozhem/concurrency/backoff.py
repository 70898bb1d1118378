"""How long to wait between attempts: the one formula of all retries. Pure."""

import math
from dataclasses import dataclass
from typing import Literal

#: how waits grow: multiplied after each failure, by the first wait each, or not at all
Shape = Literal["exponential", "linear", "fixed"]


@dataclass(frozen=True)
class Backoff:
    """Waits in seconds that start with `first` and never exceed `longest`.

    Exponential waits are multiplied by `growth` after each failure. Linear waits are as many times
    `first` as there were failures. Fixed waits are all `first`.
    """

    first: float
    longest: float
    growth: float = 2.0
    shape: Shape = "exponential"

    def seconds(self, failures: int) -> float:
        """Return the seconds to wait after `failures` failures in a row, counted from 1."""
        return min(self.first * self._factor(failures), self.longest) if self.first else 0.0

    def _factor(self, failures: int) -> float:
        if self.shape == "fixed":
            return 1.0
        if self.shape == "linear":
            return float(failures)
        try:
            return float(self.growth) ** (failures - 1)
        except OverflowError:
            return math.inf
