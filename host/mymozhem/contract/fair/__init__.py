"""Verifiable selection: draw winners so that anybody can compute them again.

Pure functions over frozen values; nothing here knows a room, a clock or a database. `chain` fixes
the secrets, `vrs` and `rfc3797` are the algorithms, `selection` chooses between them, `record` is
what the host publishes, and `verification` checks it.
"""

from mymozhem.contract.fair.chain import (
    CHAIN_LENGTH,
    anchor,
    link,
    link_matches,
    new_secret,
)
from mymozhem.contract.fair.errors import (
    ChainExhausted,
    DrawTooLarge,
    FairnessError,
    InvalidPublicInput,
    NotComputable,
    UnreadableRecord,
)
from mymozhem.contract.fair.model import (
    MAX_RESERVES,
    Algorithm,
    AppVersion,
    Each,
    Entries,
    Pick,
    PrizeCount,
    PublicSource,
    Reserve,
    Rule,
    Selection,
)
from mymozhem.contract.fair.record import (
    FORMAT,
    Chain,
    Guarantee,
    Record,
    Reference,
    Times,
    record_digest,
    sealed,
)
from mymozhem.contract.fair.selection import (
    MAX_ENTRIES,
    MAX_RESERVES_IN_ALL,
    MAX_TICKETS,
    MAX_TICKETS_PER_PRIZE,
    check_limits,
    public_texts,
    select,
    select_all,
)
from mymozhem.contract.fair.verification import (
    Check,
    Published,
    Verdict,
    Verification,
    verify,
)
from mymozhem.contract.fair.vrs import app_seed, position, seed_key

from .printable import printable
from .public_values import (
    HexFormat,
    NumbersFormat,
    PublicValue,
    ValueFormat,
    canonical_value,
    public_text,
    unformatted_value,
)
from .record_checks import recompute
from .record_file import MAX_RECORD_BYTES, read_record

__all__ = [
    "CHAIN_LENGTH",
    "FORMAT",
    "MAX_ENTRIES",
    "MAX_RECORD_BYTES",
    "MAX_RESERVES",
    "MAX_RESERVES_IN_ALL",
    "MAX_TICKETS",
    "MAX_TICKETS_PER_PRIZE",
    "Algorithm",
    "AppVersion",
    "Chain",
    "ChainExhausted",
    "Check",
    "DrawTooLarge",
    "Each",
    "Entries",
    "FairnessError",
    "Guarantee",
    "HexFormat",
    "InvalidPublicInput",
    "NotComputable",
    "NumbersFormat",
    "Pick",
    "PrizeCount",
    "PublicSource",
    "PublicValue",
    "Published",
    "Record",
    "Reference",
    "Reserve",
    "Rule",
    "Selection",
    "Times",
    "UnreadableRecord",
    "ValueFormat",
    "Verdict",
    "Verification",
    "anchor",
    "app_seed",
    "canonical_value",
    "check_limits",
    "link",
    "link_matches",
    "new_secret",
    "position",
    "printable",
    "public_text",
    "public_texts",
    "read_record",
    "recompute",
    "record_digest",
    "sealed",
    "seed_key",
    "select",
    "select_all",
    "unformatted_value",
    "verify",
]
