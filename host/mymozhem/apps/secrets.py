"""Rotate the secret of a remote app."""

from dataclasses import dataclass, field
from datetime import timedelta

from mymozhem.auth.principal import Caller
from mymozhem.registry import remote_apps

from .access import require_manager
from .audit import audited
from .services import AppServices, refresh_catalog


@dataclass(frozen=True)
class RotatedSecret:
    """A new secret, never shown again; `public_key` is the newest, whether renewed or not."""

    secret: str = field(repr=False)
    public_key: str
    grace_hours: int


async def rotate_secret(
    services: AppServices, caller: Caller, app_id: str, *, grace_hours: int | None, key_pair: bool
) -> RotatedSecret:
    """Give a remote app a new secret; calls are signed with both during the grace period.

    A grace period of 0 hours ends the old secret immediately; None means the operator's setting.
    With `key_pair`, the host's key pair is renewed as well. Raises `Forbidden`, `NotFound`,
    `Conflict` APP_NOT_REMOTE.
    """
    endpoint = "POST /apps/{appId}/regenerate-secret"
    await require_manager(services, caller, app_id, endpoint)
    hours = services.settings.app_secret_grace_hours if grace_hours is None else grace_hours
    async with services.database.write(turn=app_id) as unit:
        keys = await remote_apps.renew_keys(
            unit, services.keys, app_id, grace=timedelta(hours=hours), key_pair=key_pair
        )
        await audited(unit, caller, app_id, "app.secret", graceHours=hours)
    await refresh_catalog(services)
    return RotatedSecret(keys.secret, keys.public_key, hours)
