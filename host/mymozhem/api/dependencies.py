"""The dependencies of the routes of one host, built in the composition root."""

from dataclasses import dataclass, field

from mymozhem.auth.accounts import Accounts
from mymozhem.auth.known_devices import KnownDevices
from mymozhem.auth.tokens import Tokens
from mymozhem.observability.metrics import Metrics
from mymozhem.registry.app_keys import SecretCheck
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.views.rooms import RoomReader
from mymozhem.users.administration import UserAdministration
from mymozhem.users.passwords import PasswordChanges
from mymozhem.users.sign_up import SignUp

from .callback_dispatch import AllCallbacks, Callbacks
from .costly import CostlyPlaces
from .rate_limits import Limits


@dataclass(frozen=True)
class ApiDependencies:
    """The parts of a running host that the API needs.

    `callbacks` receives results that arrive later.
    """

    services: Services
    tokens: Tokens
    accounts: Accounts
    sign_up: SignUp
    passwords: PasswordChanges
    administration: UserAdministration
    devices: KnownDevices
    limits: Limits
    reader: RoomReader
    app_secrets: SecretCheck
    costly: CostlyPlaces = field(default_factory=CostlyPlaces)
    metrics: Metrics = field(default_factory=Metrics)
    callbacks: Callbacks = field(default_factory=AllCallbacks)
