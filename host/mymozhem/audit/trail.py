"""Write the audit log of actions outside of rooms."""

from mymozhem.audit.tables import AuditRow
from mymozhem.db.unit_of_work import UnitOfWork


def audit(unit: UnitOfWork, action: str, *, actor_id: str | None, **details: object) -> None:
    """Append an audit entry; `actor_id` is None for a command of the operator."""
    unit.session.add(
        AuditRow(actor_id=actor_id, action=action, details=details, created_at=unit.now)
    )


def audit_person(
    unit: UnitOfWork, action: str, person_id: str, *, by: str | None, **details: object
) -> None:
    """Append an audit entry about a person; it is part of that person's history."""
    unit.session.add(
        AuditRow(
            actor_id=by, action=action, subject=person_id, details=details, created_at=unit.now
        )
    )
