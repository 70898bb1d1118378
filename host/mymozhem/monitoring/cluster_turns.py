"""Tasks that one process does for all; the first process to ask when a task is due does it."""

from datetime import timedelta

from sqlalchemy.dialects import postgresql, sqlite

from mymozhem.db.unit_of_work import Database

from .tables import HealthTurnRow


async def run_once_per_cluster(database: Database, name: str, *, every: timedelta) -> bool:
    """Return whether to run the task now; if so, no other process gets True before `every` is over.

    Compare-and-set in one statement. If the process dies, the task runs at the next turn.
    """
    insert = postgresql.insert if database.dialect == "postgresql" else sqlite.insert
    async with database.write() as unit:
        due_at = unit.now + every
        statement = (
            insert(HealthTurnRow)
            .values(name=name, due_at=due_at)
            .on_conflict_do_update(
                index_elements=["name"],
                set_={"due_at": due_at},
                where=HealthTurnRow.due_at <= unit.now,
            )
            .returning(HealthTurnRow.name)
        )
        return await unit.session.scalar(statement) is not None
