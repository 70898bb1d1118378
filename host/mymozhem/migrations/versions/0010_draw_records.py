"""records of draws are stored when the draw ends, and outlive it.

Revision 0010, after 0009; 2026-12-01.

The records of draws that ended before are written here, from the rows of draws and rooms: those of
revealed draws exactly as they were served until now, so that their digests stay the same, and
those of draws that were voided after their commit, which had none.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import rfc8785
import sqlalchemy as sa
from alembic import op

from mymozhem.contract.canonical_json import digest
from mymozhem.db import base

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

PART_BYTES = 1 << 20

ENDED = """
SELECT draws.id AS draw, rooms.id AS room, draws.status, draws.link_index, draws.link,
    draws.entries_digest, draws.rule_digest, draws.decided_by, draws.void_reason,
    rooms.draw_anchor, rooms.created_at, draws.committed_at, draws.drawn_at, draws.revealed_at,
    draws.voided_at,
    (SELECT count(*) FROM draws AS earlier WHERE earlier.room_id = draws.room_id
        AND earlier.status = 'VOIDED' AND earlier.link_index < draws.link_index) AS voided_before
FROM draws JOIN rooms ON rooms.id = draws.room_id
WHERE draws.link_index IS NOT NULL AND draws.link IS NOT NULL
    AND draws.status IN ('REVEALED', 'VOIDED')
ORDER BY draws.id
"""
LARGE = """
SELECT CAST(entries AS TEXT) AS entries, CAST(rule AS TEXT) AS rule,
    CAST(public_inputs AS TEXT) AS public_inputs, CAST(picks AS TEXT) AS picks,
    CAST(reserves AS TEXT) AS reserves
FROM draws WHERE id = :draw
"""
TIMES = ("created_at", "committed_at", "drawn_at", "revealed_at", "voided_at")


def upgrade() -> None:
    records = op.create_table(
        "draw_records",
        sa.Column("draw_id", sa.String(length=48), nullable=False),
        sa.Column("room_id", sa.String(length=48), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "REQUESTED",
                "COMMITTED",
                "DRAWN",
                "REVEALED",
                "VOIDED",
                name="draw_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("published_at", base.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("draw_id", name=op.f("pk_draw_records")),
    )
    parts = op.create_table(
        "draw_record_parts",
        sa.Column("draw_id", sa.String(length=48), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["draw_id"],
            ["draw_records.draw_id"],
            name=op.f("fk_draw_record_parts_draw_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("draw_id", "number", name=op.f("pk_draw_record_parts")),
    )
    connection = op.get_bind()
    columns = dict.fromkeys(TIMES, base.UtcDateTime())
    ended = connection.execute(sa.text(ENDED).columns(**columns)).mappings().all()
    for draw in ended:
        large = connection.execute(sa.text(LARGE), {"draw": draw["draw"]}).mappings().one()
        if large["entries"] is None or large["rule"] is None:
            continue
        document = _record(draw, large)
        sealed = {**document, "recordDigest": digest(document)}
        content = rfc8785.dumps(sealed)
        row = {
            "draw_id": draw["draw"],
            "room_id": draw["room"],
            "status": draw["status"],
            "digest": sealed["recordDigest"],
            "size": len(content),
            "published_at": draw["revealed_at"] or draw["voided_at"],
        }
        connection.execute(sa.insert(records), row)
        for number, part in enumerate(_parts(content)):
            row = {"draw_id": draw["draw"], "number": number, "content": part}
            connection.execute(sa.insert(parts), row)


def downgrade() -> None:
    op.drop_table("draw_record_parts")
    op.drop_table("draw_records")


def _record(draw: sa.RowMapping, large: sa.RowMapping) -> dict[str, Any]:
    rule = json.loads(large["rule"])
    voided = draw["status"] == "VOIDED"
    times = {
        "anchored": draw["created_at"],
        "committed": draw["committed_at"],
        "drawn": draw["drawn_at"],
        "revealed": draw["revealed_at"],
        "voided": draw["voided_at"],
    }
    document = {
        "format": "mymozhem-draw-1",
        "room": draw["room"],
        "draw": draw["draw"],
        "chain": {
            "anchor": draw["draw_anchor"],
            "index": draw["link_index"],
            "link": draw["link"],
        },
        "entries": json.loads(large["entries"]),
        "entriesDigest": draw["entries_digest"],
        "rule": rule,
        "ruleDigest": draw["rule_digest"],
        "publicInputs": json.loads(large["public_inputs"] or "[]"),
        "picks": [] if voided else json.loads(large["picks"] or "[]"),
        "guarantee": "beacon" if rule.get("publicSources") else "committed",
        "verifiable": rule["algorithm"] != "app" or draw["decided_by"] == "platform",
        "at": {name: _iso(moment) for name, moment in times.items() if moment is not None},
    }
    if voided:
        document |= {
            "status": "voided",
            "reason": draw["void_reason"],
            "voidedDraws": draw["voided_before"],
        }
    elif rule.get("reserves"):
        document["reserves"] = json.loads(large["reserves"] or "[]")
    return document


def _iso(moment: datetime) -> str:
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def _parts(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), PART_BYTES):
        yield content[start : start + PART_BYTES]
