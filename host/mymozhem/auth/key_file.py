"""The operator's secret keys as raw bytes: read from a file, or derived from one secret."""

import base64
import binascii
import json
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mymozhem.errors import MymozhemError

KEY_BYTES = 32
FORMAT = 1
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class KeysRefused(MymozhemError):
    """The host's keys cannot be used; the host does not start without them."""

    default_code = "KEYS_REFUSED"


@dataclass(frozen=True)
class KeyMaterial:
    """Keys of 32 bytes each; the first of a list signs or seals, the others are still accepted."""

    signing: tuple[bytes, ...] = field(repr=False)
    sealing: tuple[bytes, ...] = field(repr=False)
    mac: bytes = field(repr=False)


def derive_material(secret: str) -> KeyMaterial:
    """Return the keys derived from one secret: the same in every process that has it."""
    root = secret.encode()
    return KeyMaterial(
        signing=(derive_key(root, "signing"),),
        sealing=(derive_key(root, "sealing"),),
        mac=derive_key(root, "mac"),
    )


def derive_key(root: bytes, purpose: str) -> bytes:
    """Return the 32-byte key of a root key for one purpose. Source: HKDF, RFC 5869."""
    info = f"mymozhem/{FORMAT}/{purpose}".encode()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(root)


def read_or_create(path: Path, *, private: bool) -> KeyMaterial:
    """Return the keys of a file; creates it on first use, readable by its owner only.

    Two processes that start concurrently agree on one file. With `private`, a file that others can
    read is refused. Raises `KeysRefused` for that and for a file without keys; its message contains
    no secret.
    """
    if not path.exists():
        _create(path)
    if private and path.stat().st_mode & _OTHERS:
        raise KeysRefused(f"Others can read {path}: type `chmod 600 {path}`, then start again.")
    try:
        return _parse(path.read_bytes())
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise KeysRefused(
            f"{path} does not contain the host's keys; restore it from a backup. Without it sealed "
            "draws cannot be opened."
        ) from None  # the cause may quote a key


def _parse(content: bytes) -> KeyMaterial:
    document = json.loads(content)
    if document["format"] != FORMAT:
        raise ValueError(document["format"])
    return KeyMaterial(
        signing=_decode_all(document["signing"]),
        sealing=_decode_all(document["sealing"]),
        mac=_decode(document["mac"]),
    )


def _decode_all(texts: list[str]) -> tuple[bytes, ...]:
    if not texts:
        raise ValueError(texts)
    return tuple(_decode(text) for text in texts)


def _decode(text: str) -> bytes:
    key = base64.b64decode(text, validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError(len(key))
    return key


def _create(path: Path) -> None:
    """Create the file atomically; if another process was first, its keys stay."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(_new_document())
            file.flush()
            os.fsync(file.fileno())
        _publish(draft, path)
    finally:
        draft.unlink()


def _publish(draft: Path, path: Path) -> None:
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return  # another process was first: use its keys
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # or a crash could lose the file after a draw was sealed with its key
    finally:
        os.close(folder)


def _new_document() -> str:
    document = {
        "format": FORMAT,
        "signing": [_new_key()],
        "sealing": [_new_key()],
        "mac": _new_key(),
    }
    return json.dumps(document, indent=2) + "\n"


def _new_key() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
