"""What `mymozhem doctor` says about the user that runs isolated apps."""

from collections.abc import Iterable, Iterator

from mymozhem.config import Settings
from mymozhem.registry.isolated.environments import interpreter
from mymozhem.registry.isolated.os_user import NoSeparateUser, NotTried, os_user_for
from mymozhem.registry.loaded_code import IsolatedCode

from .doctor_findings import Finding

_WHAT = "isolation"


def isolation_findings(
    settings: Settings, codes: Iterable[IsolatedCode], *, shared: str | None
) -> Iterator[Finding]:
    """Check which user would run each isolated app; nothing without such apps.

    `shared` is the host's own user if it cannot switch to another one.
    """
    for code in codes:
        name = f"{code.app_id} {code.manifest.version}"
        yield _shared(name, shared) if shared is not None else _separate(settings, code, name)


def _shared(name: str, user: str) -> Finding:
    says = (
        f"{name} runs as {user}, the user of the host: it could read everything that this user can "
        "read. Only a host that runs as root can separate them."
    )
    do = "Isolate only code that you trust, or run the host as root with MYMOZHEM_ISOLATED_USER."
    return Finding("warning", _WHAT, says, do)


def _separate(settings: Settings, code: IsolatedCode, name: str) -> Finding:
    python = interpreter(code.folder)
    try:
        user = os_user_for(settings.isolated_user, python, settings.data_dir, as_root=code.as_root)
    except NoSeparateUser as refused:
        return Finding("problem", _WHAT, f"{name} cannot run: {refused.message}")
    except NotTried as error:
        return Finding("warning", _WHAT, f"{name}: {error}", "Try again.")
    if user.note is not None:
        return Finding("warning", _WHAT, f"{name} runs as {user.name}: {user.note}.")
    return Finding("ok", _WHAT, f"{name} runs as {user.name}.")
