"""`mymozhem users create`, beside a host or before one ever ran, on both databases."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import MetaData

from mymozhem.auth.accounts import Accounts
from mymozhem.auth.passwords import Passwords
from mymozhem.auth.users import User
from mymozhem.cli.users import users_group
from mymozhem.clock import SystemClock
from mymozhem.db.unit_of_work import Database
from tests.support.databases import PostgresTemplate, SqliteTemplate

PASSWORD = "correct horse battery"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory) -> SqliteTemplate:
    """Empty databases: the command makes its own tables."""
    return SqliteTemplate(tmp_path_factory.mktemp("template"), MetaData())


@pytest.fixture(scope="session")
def postgres_template(postgres) -> Iterator[PostgresTemplate]:
    template = PostgresTemplate(postgres, MetaData())
    yield template
    template.close()


@pytest.fixture
def create(database_url, tmp_path, monkeypatch):
    monkeypatch.setenv("MYMOZHEM_DATABASE_URL", database_url)
    monkeypatch.setenv("MYMOZHEM_DATA_DIR", str(tmp_path / "data"))

    def invoke(*words: str, given: str | bytes = f"{PASSWORD}\n") -> Result:
        return CliRunner().invoke(users_group, ["create", *words], input=given)

    return invoke


def sign_in(url: str, email: str, *, exclusive: bool = False) -> User:
    async def login() -> User:
        database = Database(url, clock=SystemClock())
        passwords = Passwords()
        await database.open(exclusive=exclusive)
        try:
            return await Accounts(database, passwords).login(email, PASSWORD)
        finally:
            passwords.close()
            await database.close()

    return asyncio.run(login())


def test_a_fresh_installation_gets_its_first_admin(create, database_url):
    result = create("Ada@Example.com", "--name", "Ada L.", "--admin", "--password-stdin")
    assert result.exit_code == 0, result.output
    user = sign_in(database_url, "ada@example.com")
    assert (user.name, user.is_admin) == ("Ada L.", True)
    assert result.output == f"ada@example.com can sign in now (administrator {user.id}).\n"


def test_a_program_reads_the_account_as_json(create):
    result = create("ada@example.com", "--password-stdin", "--format", "json")
    read = json.loads(result.stdout)
    assert read.pop("id").startswith("usr_")
    assert read == {"email": "ada@example.com", "name": "ada", "isAdmin": False}


def test_a_person_types_the_password_twice_and_never_sees_it(create, database_url):
    result = create("ada@example.com", given=f"{PASSWORD}\n{PASSWORD}\n")
    assert result.exit_code == 0, result.output
    assert PASSWORD not in result.output
    assert sign_in(database_url, "ada@example.com").email == "ada@example.com"


def test_what_is_wrong_is_said_in_a_sentence(create):
    assert create("ada@example.com", "--password-stdin").exit_code == 0
    again = create("ada@example.com", "--password-stdin")
    assert (again.exit_code, again.stderr) == (
        1,
        "Error: Somebody has this e-mail address already.\n",
    )
    short = create("bob@example.com", "--password-stdin", given="short\n")
    assert short.exit_code == 1
    assert "password: Choose a password of 10 to 128 characters." in short.stderr
    assert "email: Give an address" in create("bob", "--password-stdin").stderr


def test_an_account_is_made_beside_a_running_host(create, database_url):
    assert create("ada@example.com", "--password-stdin").exit_code == 0

    async def beside() -> Result:
        host = Database(database_url, clock=SystemClock())
        await host.open()
        try:
            return await asyncio.to_thread(create, "bob@example.com", "--password-stdin")
        finally:
            await host.close()

    assert asyncio.run(beside()).exit_code == 0
    assert sign_in(database_url, "bob@example.com", exclusive=True).name == "bob"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\nanother line\n"])
def test_a_file_with_a_password_is_read_as_an_editor_stored_it(create, database_url, encoding, end):
    given = f"{PASSWORD}{end}".encode(encoding)
    made = create("ada@example.com", "--password-stdin", given=given)
    assert made.exit_code == 0, made.output
    assert sign_in(database_url, "ada@example.com").email == "ada@example.com"


def test_a_password_that_is_no_text_is_refused_with_advice(create):
    made = create("ada@example.com", "--password-stdin", given=b"caf\xe9\n")
    assert made.exit_code == 1
    assert "store the file as UTF-8" in made.output


def test_the_name_that_an_address_gives_fits(create):
    made = create(f"{'long' * 15}@example.com", "--password-stdin", "--format", "json")
    assert json.loads(made.stdout)["name"] == "long" * 8
