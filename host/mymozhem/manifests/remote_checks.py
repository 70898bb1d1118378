"""Check what the manifest of a remote app must declare."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from pydantic import JsonValue

from mymozhem.contract.envelopes import MIN_REMOTE_MS
from mymozhem.contract.hooks import hooks_of

from .json_pointer import pointer
from .problems import Problem


def remote_problems(document: Mapping[str, JsonValue]) -> Iterator[Problem]:
    """Yield the problems of a remote app's address and paths; nothing for a plugin."""
    base = document.get("baseUrl")
    if not isinstance(base, str):
        return
    yield from _address(base)
    yield from _paths(document)
    yield from _timeouts(document)


def _address(base: str) -> Iterator[Problem]:
    hint = "write https:// and a host, such as https://raffle.example.com"
    message = _refusal(base)
    if message:
        yield Problem("/baseUrl", "BASE_URL", message, hint)


def _refusal(base: str) -> str:
    try:
        url = urlsplit(base)
        _ = url.port
    except ValueError:
        return "this is no address"
    if not url.hostname:
        return "this address has no host"
    if url.username is not None or url.password is not None or url.query or url.fragment:
        return "an address of an app has no user, query or fragment"
    if ".." in url.path.split("/"):
        return "an address of an app does not climb"
    if url.scheme != "https" and not _is_loopback(url):
        return "only https is safe beyond this machine"
    return ""


def _is_loopback(url: SplitResult) -> bool:
    host = url.hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _paths(document: Mapping[str, JsonValue]) -> Iterator[Problem]:
    webhooks, named = document.get("webhooks", {}), document.get("capabilities")
    if not isinstance(webhooks, dict) or not isinstance(named, list):
        return
    for position, capability in enumerate(named):
        if isinstance(capability, str) and hooks_of(capability) and capability not in webhooks:
            message = f"no webhook path answers {capability}"
            hint = f'add "{capability}": "/…" to webhooks'
            yield Problem(pointer(["capabilities", position]), "WEBHOOK_MISSING", message, hint)


def _timeouts(document: Mapping[str, JsonValue]) -> Iterator[Problem]:
    policies = document.get("policies")
    for capability, policy in policies.items() if isinstance(policies, dict) else ():
        asked = policy.get("timeout") if isinstance(policy, dict) else None
        if isinstance(asked, int | float) and asked < MIN_REMOTE_MS:
            place = pointer(["policies", capability, "timeout"])
            message = f"a remote app has {MIN_REMOTE_MS} ms at least"
            yield Problem(place, "TIMEOUT", message, "write milliseconds, 2000 to 30000")
