"""The results of loading an app: its code, or the reasons why it may not run."""

from dataclasses import dataclass
from pathlib import Path

import pluggy

from mymozhem.manifests.model import Manifest


@dataclass(frozen=True, eq=False)
class AppCode:
    """Code of one app in this process, alone in its plugin manager, so that a call reaches only it.

    `manifest` is the code's own; the code may also serve rooms that are locked to an older version.
    """

    app_id: str
    manifest: Manifest
    plugin_manager: pluggy.PluginManager
    distribution: str
    distribution_version: str

    def serves(self, version: str) -> bool:
        """Return whether this code serves rooms that are locked to a version of the manifest."""
        return version == self.manifest.version or version in self.manifest.serves


@dataclass(frozen=True)
class Refused:
    """An enabled app that may not run, and all reasons, each a sentence for its operator."""

    app_id: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class IsolatedCode:
    """Code of one app in an isolated environment, which a worker process runs on demand.

    `folder` contains the environment; `wheel_digest` is the SHA-256 of its wheel, in lower-case
    hex. `as_root` means that the operator allows it to run as root. None of the code is in this
    process.
    """

    app_id: str
    manifest: Manifest
    distribution: str
    distribution_version: str
    wheel_digest: str
    folder: Path
    as_root: bool = False

    @property
    def name(self) -> str:
        """Return a name that identifies this environment on this host."""
        return self.folder.name

    def serves(self, version: str) -> bool:
        """Return whether this code serves rooms that are locked to a version of the manifest."""
        return version == self.manifest.version or version in self.manifest.serves
