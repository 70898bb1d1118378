"""The profile of a loaded app for simulated participants, kept in a file of the data folder."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from mymozhem.contract import JsonObject
from mymozhem.testing.app_lookup import App
from mymozhem.testing.sample_inputs import SampleInputs, answers_of, settings_of

_FILE = "card.json"


@dataclass(frozen=True)
class AppProfile:
    """An app's manifest, sample settings of rooms, and sample answers of participants who join."""

    app_id: str
    manifest: JsonObject
    settings: list[JsonObject]
    answers: list[JsonObject]
    #: the steps of the first sample room that has some
    script: list[JsonObject]

    @classmethod
    def of(cls, app: App) -> Self:
        """Return the profile of an app whose manifest is valid."""
        wishes = SampleInputs()
        script = next((each.actions for each in app.samples if each.actions), ())
        steps = [each.model_dump(mode="json") for each in script]
        settings, answers = settings_of(app, wishes), answers_of(app, wishes)
        return cls(app.app_id, app.document, settings, answers, steps)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return the profile that was written last."""
        return cls(**json.loads((folder / _FILE).read_text(encoding="utf-8")))

    def write(self, folder: Path) -> None:
        """Write the profile into a folder."""
        (folder / _FILE).write_text(json.dumps(asdict(self)), encoding="utf-8")
