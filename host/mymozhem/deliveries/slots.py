"""Share the slots of a relay among apps, so that a slow app never takes all of them."""

from collections import Counter
from collections.abc import Iterable

#: slots that one app may have per free slot, so that another app always finds some
FOR_EACH_FREE = 3

#: the maximum number of slots of one app; its other calls in progress need capacity, too
MOST = 12


class Slots:
    """The slots of a relay at one moment; `taken` names the app of each used slot."""

    def __init__(self, width: int, taken: Iterable[str]) -> None:
        self._by_app = Counter(taken)
        self.free = width - self._by_app.total()

    def full(self) -> list[str]:
        """Return the apps that may have no more slots now."""
        return sorted(app_id for app_id in self._by_app if not self._may_have_more(app_id))

    def take(self, app_id: str) -> bool:
        """Take a slot for an app; return False if it may have none now."""
        if not self._may_have_more(app_id):
            return False
        self._by_app[app_id] += 1
        self.free -= 1
        return True

    def _may_have_more(self, app_id: str) -> bool:
        return self._by_app[app_id] < min(MOST, FOR_EACH_FREE * self.free)
