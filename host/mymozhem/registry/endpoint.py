"""Where a remote app is reached, and the keys that calls to it are signed with."""

from dataclasses import dataclass, field

from mymozhem.contract.signing import SharedKey, SigningKey


@dataclass(frozen=True)
class Endpoint:
    """A remote app's address and keys.

    `base_url` has no slash at its end. `keys` sign each call, the newest first; during the grace of
    a rotation there are two of a kind. `shared` is the newest shared secret. `socket` is the path
    of a Unix socket that takes the place of the network. `platform_form` says that the manifest is
    of the first platform's format: calls carry its fields too, and replies may have its form.
    """

    base_url: str
    keys: tuple[SigningKey, ...] = field(repr=False)
    shared: SharedKey = field(repr=False)
    socket: str | None = None
    platform_form: bool = False
