"""What came of loading an app: its code, or the reasons why it may not run."""

from dataclasses import dataclass
from pathlib import Path

import pluggy

from mymozhem.manifests.model import Manifest


@dataclass(frozen=True, eq=False)
class AppCode:
    """Code of one app in this process, alone in its plugin manager, so that a call reaches it only.

    `manifest` is the code's own; rooms that are locked to an older version may be served too.
    """

    app_id: str
    manifest: Manifest
    plugin_manager: pluggy.PluginManager
    distribution: str
    distribution_version: str

    def serves(self, version: str) -> bool:
        """Tell whether this code answers for rooms locked to a version of the manifest."""
        return version == self.manifest.version or version in self.manifest.serves


@dataclass(frozen=True)
class Refused:
    """An enabled app that may not run, and every reason, each a sentence for its operator."""

    app_id: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class IsolatedCode:
    """Code of one app in an environment of its own, which a worker process runs on demand.

    `folder` holds the environment; `wheel_digest` is the SHA-256 of the wheel that is in it, in
    lower-case hex. Nothing of the code is in this process.
    """

    app_id: str
    manifest: Manifest
    distribution: str
    distribution_version: str
    wheel_digest: str
    folder: Path

    @property
    def name(self) -> str:
        """Return what tells this environment from all others of the host."""
        return self.folder.name

    def serves(self, version: str) -> bool:
        """Tell whether this code answers for rooms locked to a version of the manifest."""
        return version == self.manifest.version or version in self.manifest.serves
