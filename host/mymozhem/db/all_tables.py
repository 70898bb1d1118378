"""Import every table of the host, since foreign keys name tables of other packages.

SQLAlchemy resolves those names when it first writes or joins a table. A process that has imported
only the tables it names itself fails there with `NoReferencedTableError`.
"""

from functools import cache
from importlib import import_module
from pathlib import Path

from sqlalchemy import MetaData

from .base import Base

_HOST = Path(__file__).resolve().parents[1]


@cache
def import_tables() -> MetaData:
    """Import all modules of tables of the host, and return what they declare. Idempotent.

    These are the modules `tables` of its packages, and those in packages of that name; a test
    checks that tables are declared nowhere else.
    """
    for file in sorted([*_HOST.glob("*/tables.py"), *_HOST.glob("*/tables/[!_]*.py")]):
        import_module(".".join(("mymozhem", *file.relative_to(_HOST).with_suffix("").parts)))
    return Base.metadata
