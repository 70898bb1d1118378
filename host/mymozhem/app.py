"""The composition root: a host behind its web server."""

from contextlib import AsyncExitStack

from quart import Quart

from mymozhem.api import mount
from mymozhem.api.callback_dispatch import AllCallbacks
from mymozhem.api.dependencies import ApiDependencies
from mymozhem.api.rate_limits import Limits
from mymozhem.auth.accounts import Accounts
from mymozhem.auth.known_devices import KnownDevices
from mymozhem.auth.passwords import Passwords
from mymozhem.auth.tokens import Tokens
from mymozhem.clock import Clock, SteadyClock
from mymozhem.config import Settings
from mymozhem.registry.app_keys import SecretCheck
from mymozhem.registry.catalog import Catalog
from mymozhem.rooms.app_calls.callbacks import RoomCallbacks
from mymozhem.rooms.views.rooms import RoomReader
from mymozhem.rooms.windows import downtime
from mymozhem.users.administration import UserAdministration
from mymozhem.users.passwords import PasswordChanges
from mymozhem.users.sign_up import SignUp
from mymozhem.wiring.deliveries import callbacks_of
from mymozhem.wiring.process import open_parts

_KEY = "mymozhem.host"


def create_app(
    settings: Settings,
    *,
    clock: Clock | None = None,
    catalog: Catalog | None = None,
    run_jobs: bool = True,
) -> Quart:
    """Return a host as an ASGI application; it opens its database when it starts serving.

    The database must be at the newest schema. A given `catalog` replaces the installed plugins.
    Without `run_jobs` draws and timers wait for another process, or for a test that controls the
    clock. Raises `AccessIncomplete` if a route has no row in the table of access.
    """
    app = Quart("mymozhem", static_folder=None)
    app.config["BODY_TIMEOUT"] = settings.body_seconds
    mount.install(app, lambda: host_of(app))
    stack = AsyncExitStack()

    async def start() -> None:
        app.extensions[_KEY] = await _open(
            stack, settings, clock or SteadyClock(), catalog=catalog, run_jobs=run_jobs
        )

    async def stop() -> None:
        app.extensions.pop(_KEY, None)
        await stack.aclose()

    app.before_serving(start)
    app.after_serving(stop)
    return app


def host_of(app: Quart) -> ApiDependencies | None:
    """Return the parts of a running host; None before it starts and after it stops."""
    host: ApiDependencies | None = app.extensions.get(_KEY)
    return host


async def _open(
    stack: AsyncExitStack,
    settings: Settings,
    clock: Clock,
    *,
    catalog: Catalog | None,
    run_jobs: bool,
) -> ApiDependencies:
    """Open everything in order; the stack closes it in reverse, also after a partial start."""
    async with AsyncExitStack() as opening:
        parts = await opening.enter_async_context(open_parts(settings, clock, catalog=catalog))
        services = parts.services
        passwords = Passwords()
        opening.callback(passwords.close)
        opening.push_async_callback(services.revocations.close)
        await services.revocations.open()
        await downtime.recover(services, starting=True)
        if run_jobs:
            parts.start()
        await stack.enter_async_context(opening.pop_all())
    return ApiDependencies(
        services=services,
        tokens=Tokens(services.keys, settings, clock, revoked=services.revocations),
        accounts=Accounts(services.database, passwords),
        sign_up=SignUp(services.database, passwords, settings),
        passwords=PasswordChanges(services.database, passwords, services.sessions, settings),
        administration=UserAdministration(services.database, services.sessions),
        devices=KnownDevices(services.keys, settings, clock),
        limits=Limits(settings),
        reader=RoomReader(services),
        app_secrets=SecretCheck(services.keys),
        metrics=parts.metrics,
        callbacks=AllCallbacks([callbacks_of(services), RoomCallbacks(parts.late)]),
    )
