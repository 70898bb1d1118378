"""Verification of an access token against bare `jwt.decode`, and against one session look-up.

The bare decode checks signature, issuer, audience and times with the library's own clock. The
look-up is what a design with sessions in the database does for each request: one row of 10,000 by
the hash of its token, through SQLAlchemy on SQLite. A token is seen first once, and then at every
request of its owner for fifteen minutes: both are measured.
"""

import asyncio
import hashlib
import secrets
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

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
from mymozhem.db.unit_of_work import Database

from .figures import Figure, at_most, best

ROUNDS = 10
CALLS = 200
SESSIONS = 10_000
LOOK_UPS = 200
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

    acts = (bare, verified(first), verified(later))
    decode, cold, warm = best(*(partial(_often, act) for act in acts), rounds=ROUNDS)
    return tuple(span / CALLS / len(texts) * 1e6 for span in (decode, cold, warm))


def _often(act: Callable[[], None]) -> None:
    for _ in range(CALLS):
        act()


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
    chosen = hashes[:: SESSIONS // LOOK_UPS]
    started = time.perf_counter()
    for each in chosen:
        async with database.read() as session:
            query = select(SessionRow.user_id).where(SessionRow.token_hash == each)
            await session.scalar(query)
    return (time.perf_counter() - started) / len(chosen) * 1e6


def measure() -> Iterable[Figure]:
    """Measure a token's first verification and its later ones, and what they take the place of."""
    decode, cold, warm = token_rounds()
    with tempfile.TemporaryDirectory() as folder:
        session = asyncio.run(look_up_rounds(folder))
    what = "token verification"
    yield at_most(f"{what}, first time", TARGET_DECODE, bare=decode, ours=cold, unit="µs")
    yield at_most(f"{what}, later", TARGET_DECODE, bare=decode, ours=warm, unit="µs")
    yield Figure(
        "token verification against a session look-up",
        f"{session:.0f} µs",
        f"{warm:.2f} µs",
        f"{session / warm:.0f} × faster",
        f"≥ {TARGET_LOOK_UP:.0f} × faster",
        session / warm >= TARGET_LOOK_UP,
    )
