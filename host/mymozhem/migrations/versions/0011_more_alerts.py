"""alerts about apps that block the host or want too many timers, and about jumps of the clock.

Revision 0011, after 0010; 2026-12-01.
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_OLD = ("misconfigured", "successRate", "slow", "breaker", "deadLetters", "checks", "appOff")
_NEW = ("blocked", "timers", "clock")


def upgrade() -> None:
    _allow((*_OLD, *_NEW))


def downgrade() -> None:
    op.execute(f"DELETE FROM alerts WHERE rule IN ({_listed(_NEW)})")  # noqa: S608  constants
    _allow(_OLD)


def _allow(names: tuple[str, ...]) -> None:
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_alerts_rule_name"), type_="check")
        batch_op.create_check_constraint("rule_name", f"rule IN ({_listed(names)})")


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)
