"""The demo of the quiz: sample rooms, and a big evening in all three modes."""

from .evening import play
from .rooms import SAMPLES

__all__ = ["SAMPLES", "play"]
