"""Version 1 of the API: one module for each resource."""

from mymozhem.api.routes import Route, Routes

from . import (
    admin,
    admin_breakers,
    admin_deliveries,
    admin_health,
    app_versions,
    apps,
    auth,
    auth_sessions,
    callbacks,
    draws,
    list_downloads,
    metrics,
    notifications,
    participants,
    prizes,
    remote_apps,
    room_exports,
    room_versions,
    rooms,
    settings_import,
    system,
    users,
    window_results,
    windows,
    winners,
)

#: in the order in which they are documented
GROUPS: tuple[Routes, ...] = (
    auth.routes,
    auth_sessions.routes,
    users.routes,
    rooms.routes,
    settings_import.routes,
    room_exports.routes,
    room_versions.routes,
    participants.routes,
    prizes.routes,
    winners.routes,
    draws.routes,
    windows.routes,
    window_results.routes,
    apps.routes,
    app_versions.routes,
    remote_apps.routes,
    callbacks.routes,
    list_downloads.routes,
    notifications.routes,
    admin.routes,
    admin_breakers.routes,
    admin_deliveries.routes,
    admin_health.routes,
    system.routes,
    metrics.routes,
)
ROUTES: tuple[Route, ...] = tuple(route for group in GROUPS for route in group.routes)
TAGS = {group.tag: group.about for group in GROUPS}
