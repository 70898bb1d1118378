"""What came of loading an app: its code, or the reasons why it may not run."""

from dataclasses import dataclass

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
