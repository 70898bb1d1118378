"""What the rate limits count with, and how much is allowed in a minute."""

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from mymozhem.config import Settings

#: the limit of failures from all addresses together, as a multiple of that of one address
EVERYBODY = 50
#: the limit of failed sign-ins of one account from all addresses, as a multiple likewise
ACCOUNT = 5


class Counters:
    """The counters of this process, and their limits by what is counted."""

    def __init__(self, settings: Settings) -> None:
        failures = settings.failures_per_address_per_minute
        self.strategy = FixedWindowRateLimiter(MemoryStorage())
        self.person = RateLimitItemPerMinute(settings.per_user_per_minute)
        self.app = RateLimitItemPerMinute(settings.per_app_per_minute)
        self.address = RateLimitItemPerMinute(failures)
        self.account = RateLimitItemPerMinute(failures * ACCOUNT)
        self.everybody = RateLimitItemPerMinute(failures * EVERYBODY)
