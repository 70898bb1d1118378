"""The address of a remote app, and the keys that sign calls to it."""

from dataclasses import dataclass, field

from mymozhem.contract.signing import SharedKey, SigningKey


@dataclass(frozen=True)
class Endpoint:
    """A remote app's address and keys.

    `base_url` has no slash at its end. `keys` sign each call, the newest first; during the grace
    period of a rotation there are two of a kind. `shared` is the newest shared secret. `socket` is
    the path of a Unix socket that replaces the network. `platform_form` means that the manifest is
    in the first platform's format: calls contain its fields too, and replies may have its form.
    """

    base_url: str
    keys: tuple[SigningKey, ...] = field(repr=False)
    shared: SharedKey = field(repr=False)
    socket: str | None = None
    platform_form: bool = False
