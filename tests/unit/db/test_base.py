"""Ids sort by the time they were made; names of constraints are the same everywhere."""

import re

from sqlalchemy import CheckConstraint, ForeignKey, Index, MetaData, UniqueConstraint
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.schema import CreateTable

from mymozhem.db.base import ID_LENGTH, NAMING, id_column, new_id


def test_ids_have_their_prefix_and_sort_as_they_were_made():
    ids = [new_id("room") for _ in range(1000)]
    assert all(re.fullmatch(r"room_[0-9a-f]{12}7[0-9a-f]{19}", each) for each in ids)
    assert sorted(ids) == ids
    assert len(set(ids)) == 1000
    assert len(ids[0]) <= ID_LENGTH


class Own(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)


class Parent(Own):
    __tablename__ = "parents"
    id: Mapped[str] = id_column("par")


class Child(Own):
    __tablename__ = "children"
    __table_args__ = (
        UniqueConstraint("parent_id", "name"),
        CheckConstraint("name <> ''", name="named"),
        Index(None, "name", "parent_id"),
    )
    id: Mapped[str] = id_column("chi")
    parent_id: Mapped[str] = mapped_column(ForeignKey("parents.id"))
    name: Mapped[str]


def test_every_constraint_has_a_name_and_it_is_the_same_on_both_engines():
    expected = {
        "pk_children",
        "fk_children_parent_id",
        "uq_children_parent_id_name",
        "ck_children_named",
    }
    for dialect in (sqlite.dialect(), postgresql.dialect()):
        ddl = str(CreateTable(Child.__table__).compile(dialect=dialect))
        assert set(re.findall(r"CONSTRAINT (\w+)", ddl)) == expected
    assert {index.name for index in Child.__table__.indexes} == {"ix_children_name_parent_id"}
