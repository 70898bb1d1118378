"""What operators do with dead letters is audited with its effect, and not without."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from mymozhem.audit.tables import AuditRow
from mymozhem.clock import iso
from mymozhem.deliveries import commands
from mymozhem.deliveries.dead_letters import NotDead
from mymozhem.errors import NotFound
from tests.support.relay_host import FAILED, App


@pytest.fixture
async def letters(post):
    """Four deliveries that died at their only attempt."""
    post.settings = post.settings.model_copy(update={"delivery_attempts": 1})
    ids = await post.put(1, 2, 3, 4)
    await post.run(App([FAILED] * 4))
    return ids


async def audited(post):
    async with post.database.read() as session:
        rows = await session.scalars(select(AuditRow).order_by(AuditRow.id))
        return [(row.action, row.actor_id, row.details) for row in rows]


async def test_each_command_says_who_did_what_to_which_letter(post, letters, clock):
    database, outbox = post.database, post.outbox
    since = clock.now() - timedelta(days=1)
    await commands.retry_dead_letter(database, outbox, letters[0], actor_id="usr_ada")
    await commands.delete_dead_letter(database, letters[1], actor_id="usr_ada")
    assert await commands.retry_dead_letters(database, outbox, since, actor_id=None) == 2
    body = await commands.read_body(database, letters[0], actor_id=None)
    assert set(body) == {"context", "request"}
    assert await audited(post) == [
        ("delivery.retry", "usr_ada", {"id": letters[0], "appId": "a"}),
        ("delivery.delete", "usr_ada", {"id": letters[1], "appId": "a"}),
        ("delivery.retry", None, {"since": iso(since), "appId": None, "retried": 2}),
        ("delivery.read", None, {"id": letters[0]}),
    ]


async def test_what_is_refused_is_not_audited(post, letters):
    database, outbox = post.database, post.outbox
    await commands.retry_dead_letter(database, outbox, letters[0], actor_id=None)
    before = await audited(post)
    with pytest.raises(NotDead):
        await commands.retry_dead_letter(database, outbox, letters[0], actor_id=None)
    with pytest.raises(NotDead):
        await commands.delete_dead_letter(database, letters[0], actor_id=None)
    for use_case in (commands.delete_dead_letter, commands.read_body):
        with pytest.raises(NotFound):
            await use_case(database, "call_absent", actor_id=None)
    assert await audited(post) == before
