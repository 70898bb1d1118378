"""Tables of people, as spreadsheets write them; problems name the line and the column."""

import pytest

from mymozhem.rooms.participants.people_table import MOST_PEOPLE, read_people

ADA = [("Ada", {"tickets": "1"})]


def people(text: str):
    table = read_people(text)
    assert table.problems == {}
    return [(row.name, row.metadata) for row in table.rows]


@pytest.mark.parametrize(
    "text",
    [
        "name,tickets\nAda,1\n",
        "name;tickets\r\nAda;1\r\n",
        "name\ttickets\r\nAda\t1",
        "Name;Tickets\nAda;1",
        '"name";"tickets"\n"Ada";"1"\n',
        "sep=;\r\nname;tickets\r\nAda;1\r\n",
        "sep=|\nname|tickets\nAda|1\n",
        "\n\nname,tickets\n\nAda,1\n,\n",
        "tickets,name\n1,Ada\n",
        "name,tickets,\nAda,1,\n",
        "  name , tickets \n Ada , 1 \n",
        "Имя;Билеты\nAda;1\n",
        "Name;Lose\nAda;1\n",
        "name,tickets,table\nAda,1,\n",
    ],
)
def test_every_spelling_of_a_table_is_read(text: str):
    assert people(text) == ADA


def test_other_columns_become_metadata_as_they_are():
    text = 'name,phone,Note\n"Ada",0171,"a, b"\n"Bob\nB.",,\n'
    assert people(text) == [("Ada", {"phone": "0171", "Note": "a, b"}), ("Bob\nB.", {})]
    assert [row.line for row in read_people(text).rows] == [2, 3]
    assert read_people(text).columns == ("name", "phone", "Note")


@pytest.mark.parametrize(
    ("text", "pointers"),
    [
        ("", ["/lines/1"]),
        ("x,y\n1,2\n", ["/lines/1"]),
        ("name\n", ["/lines/1"]),
        ("name,Name\nAda,Bob\n", ["/lines/1/name", "/lines/2"]),
        ("name,tickets\n,5\nAda,1\n", ["/lines/2/name"]),
        ("name,tickets\nAda,1,x\n", ["/lines/2"]),
        ('name,a/b\n"Ada\n\n",1\n,2\n', ["/lines/5/name"]),
        ('name\nAda\n"Bob\n', ["/lines/2"]),
        ("name,a/b\nAda,\ufffd\n", ["/lines/2/a~1b"]),
        ("sep=;\nname;tickets\n;1\n", ["/lines/3/name"]),
        ("name\n" + "Ada\n" * (MOST_PEOPLE + 2), [f"/lines/{MOST_PEOPLE + 2}"]),
    ],
)
def test_problems_name_their_place(text: str, pointers: list[str]):
    assert list(read_people(text).problems) == pointers
