"""The audit trail of what happens outside of rooms."""

from mymozhem.audit.tables import AuditRow
from mymozhem.db.unit_of_work import UnitOfWork


def audit(unit: UnitOfWork, action: str, *, actor_id: str | None, **details: object) -> None:
    """Note who did what for operators; nobody, where it was a command of the operator's own."""
    unit.session.add(
        AuditRow(actor_id=actor_id, action=action, details=details, created_at=unit.now)
    )
