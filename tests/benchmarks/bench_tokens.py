"""Verification of an access token against bare `jwt.decode`, and against one session look-up.

The bare decode checks signature, issuer, audience and times with the library's own clock. The
look-up is what a design with sessions in the database does for each request: one row of 10,000 by
the hash of its token, through SQLAlchemy on SQLite. A token is seen first once, and then at every
request of its owner for fifteen minutes: both are measured. All are run several times in turn and
the fastest of each counts. Run it with `python tests/benchmarks/bench_tokens.py`.
"""

import asyncio
import hashlib
import secrets
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass

import jwt
from sqlalchemy import String, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from mymozhem.auth.key_file import derive_material
from mymozhem.auth.keys import Keys
from mymozhem.auth.tokens import AUDIENCE, Tokens
from mymozhem.clock import SystemClock
from mymozhem.config import Settings
from mymozhem.contract import PersonKind
from mymozhem.db.engine import create_engine
from mymozhem.db.uow import Database

ROUNDS = 7
CALLS = 1_000
SESSIONS = 10_000
TARGET_DECODE = 1.2
TARGET_LOOK_UP = 10.0


class Own(DeclarativeBase):
    """Tables of the old design, apart from the host's."""


class SessionRow(Own):
    """Who holds which token."""

    __tablename__ = "bench_sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(48))


@dataclass(frozen=True)
class Somebody:
    """A person with an account."""

    id: str = "usr_0190f3f2a1b07c3d8e4f5a6b7c8d9e0f"
    kind: PersonKind = PersonKind.REGISTERED


def microseconds(act: Callable[[], object], calls: int) -> float:
    """Return how long one call takes, from so many."""
    started = time.perf_counter()
    for _ in range(calls):
        act()
    return (time.perf_counter() - started) / calls * 1e6


def token_rounds() -> tuple[float, float, float]:
    """Return microseconds of a bare decode, of a token's first and of its later verifications."""
    keys = Keys(derive_material(secrets.token_urlsafe(32)))
    # Room for no token at all, so that each call is a first one.
    first = Tokens(keys, Settings(), SystemClock(), remember=1)
    later = Tokens(keys, Settings(), SystemClock())
    texts = [first.issue(Somebody()).access_token for _ in range(2)]
    kid, _ = keys.signer
    public = keys.accepted[kid]

    def bare() -> None:
        for text in texts:
            jwt.decode(text, public, algorithms=["EdDSA"], audience=AUDIENCE, issuer=AUDIENCE)

    def verified(tokens: Tokens) -> Callable[[], None]:
        return lambda: [tokens.verify(text) for text in texts] and None

    rounds = [
        tuple(microseconds(act, CALLS // 2) / 2 for act in (bare, verified(first), verified(later)))
        for _ in range(ROUNDS)
    ]
    decode, cold, warm = (min(times) for times in zip(*rounds, strict=True))
    return decode, cold, warm


async def look_up_rounds(folder: str) -> float:
    """Return microseconds of one session look-up in the database."""
    url = f"sqlite:///{folder}/bench.sqlite3"
    hashes = [hashlib.sha256(str(n).encode()).hexdigest() for n in range(SESSIONS)]
    engine = create_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(Own.metadata.create_all)
        rows = [{"token_hash": each, "user_id": f"usr_{each[:32]}"} for each in hashes]
        await connection.execute(insert(SessionRow), rows)
    await engine.dispose()
    database = Database(url, clock=SystemClock())
    await database.open()
    try:
        return min([await look_up(database, hashes) for _ in range(ROUNDS)])
    finally:
        await database.close()


async def look_up(database: Database, hashes: list[str]) -> float:
    """Return microseconds of one look-up, from several hundred different ones."""
    chosen = hashes[:: SESSIONS // (CALLS // 2)]
    started = time.perf_counter()
    for each in chosen:
        async with database.read() as session:
            query = select(SessionRow.user_id).where(SessionRow.token_hash == each)
            await session.scalar(query)
    return (time.perf_counter() - started) / len(chosen) * 1e6


def main() -> None:
    """Measure, and print the ratios beside their targets."""
    decode, cold, warm = token_rounds()
    with tempfile.TemporaryDirectory() as folder:
        session = asyncio.run(look_up_rounds(folder))
    lines = (
        f"bare decode {decode:.0f} µs, session look-up {session:.0f} µs",
        f"verification {cold:.0f} µs the first time, {warm:.1f} µs later",
        f"first ÷ bare decode: {cold / decode:.2f} (target: at most {TARGET_DECODE})",
        f"later ÷ bare decode: {warm / decode:.3f} (target: at most {TARGET_DECODE})",
        f"session look-up ÷ later: {session / warm:.0f} (target: at least {TARGET_LOOK_UP:.0f})",
        f"session look-up ÷ first: {session / cold:.1f}",
    )
    print("\n".join(lines))  # noqa: T201 (what a benchmark is for)


if __name__ == "__main__":
    main()
