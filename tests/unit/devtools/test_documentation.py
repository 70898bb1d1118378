"""What `mymozhem app check` finds in texts, translations, README and changes."""

import pytest

from mymozhem.devtools.check_docs import look_at_project, look_at_texts
from mymozhem.devtools.report import Finding, Fitness, Level, Report

WHOLE = {
    "meta": {"version": "1.0.0"},
    "settings": {"properties": {"limit": {"title": "Limit", "description": "How many."}}},
    "actions": {"ring": {"title": "Ring", "description": "Rings."}},
    "events": {"bell:rang": {"title": "Rang", "description": "It rang."}},
}
README = "`limit`, `ring` and `bell:rang`."


def bad(findings):
    return [each for each in findings if each.level is not Level.OK]


def test_an_app_that_explains_itself_is_well():
    assert bad(look_at_texts(WHOLE)) == []


@pytest.mark.parametrize(
    ("part", "pointer"),
    [
        ({"settings": {"properties": {"a/b": {"description": "x"}}}}, "/settings/properties/a~1b"),
        ({"actions": {"ring": {"description": "x"}}}, "/actions/ring"),
        ({"events": {"bell:rang": {"description": "x"}}}, "/events/bell:rang"),
    ],
)
def test_what_has_no_title_is_a_problem(part, pointer):
    (finding,) = bad(look_at_texts(part))
    assert (finding.level, finding.problems) == (Level.PROBLEM, (f"{pointer} has no title.",))


def test_what_does_not_say_what_it_is_for_is_a_remark():
    (finding,) = bad(look_at_texts({"actions": {"ring": {"title": "Ring"}}}))
    assert finding.level is Level.REMARK


def test_a_language_in_which_a_text_is_missing_is_a_problem():
    known = {
        f"{each}/{text}": "…"
        for each in ("/settings/properties/limit", "/actions/ring", "/events/bell:rang")
        for text in ("title", "description")
    }
    assert bad(look_at_texts({**WHOLE, "locales": {"ru": known}})) == []
    del known["/actions/ring/title"]
    (finding,) = bad(look_at_texts({**WHOLE, "locales": {"ru": known}}))
    assert finding.problems == ("ru lacks /actions/ring/title.",)


def written(folder, *, version="1.0.0", readme=README, changes="# Changes\n\n## 1.0.0\n"):
    (folder / "pyproject.toml").write_text(f'[project]\nname = "x"\nversion = "{version}"\n')
    for name, text in (("README.md", readme), ("CHANGELOG.md", changes)):
        if text is not None:
            (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("files", "level", "said"),
    [
        ({"readme": None}, Level.PROBLEM, "There is no README.md"),
        ({"readme": " "}, Level.PROBLEM, "README.md is empty"),
        ({"readme": "`limit` and `ring`."}, Level.REMARK, "does not mention `bell:rang`"),
        ({"changes": None}, Level.REMARK, "There is no CHANGELOG.md"),
        ({"changes": "# Changes\n\n## 0.9.0\n"}, Level.PROBLEM, "begins with 0.9.0"),
        ({"changes": "# Changes\n"}, Level.PROBLEM, "names no version"),
        ({"version": "1.1.0"}, Level.PROBLEM, "pyproject.toml says 1.1.0, and the manifest 1.0.0"),
    ],
)
def test_what_a_project_does_not_tell_is_found(tmp_path, files, level, said):
    found = bad(look_at_project(WHOLE, written(tmp_path, **files)))
    (finding,) = [each for each in found if any(said in problem for problem in each.problems)]
    assert finding.level is level


@pytest.mark.parametrize("heading", ["## 1.0.0", "## [1.0.0] - 2030-01-01", "## v1.0.0 (soon)"])
def test_a_whole_project_is_well(tmp_path, heading):
    changes = f"# Changes\n\n{heading}\n\n## 0.9.0\n"
    assert bad(look_at_project(WHOLE, written(tmp_path, changes=changes))) == []


@pytest.mark.parametrize(
    ("levels", "strict", "fit"),
    [
        ((Level.OK, Level.SKIPPED), True, True),
        ((Level.OK, Level.REMARK), False, True),
        ((Level.OK, Level.REMARK), True, False),
        ((Level.OK, Level.PROBLEM), False, False),
    ],
)
def test_problems_keep_an_app_from_shipping_and_remarks_where_it_is_strict(levels, strict, fit):
    findings = tuple(Finding("kit", level, "A rule.") for level in levels)
    verdict = Report("bell", (*findings, Finding("reach", Level.OK, "All.")), strict)
    assert verdict.fit is fit
    word = "bell is fit to ship:" if fit else "bell is not fit to ship:"
    assert verdict.as_text().splitlines()[-1].startswith(word)


@pytest.mark.parametrize(
    ("levels", "reach", "fitness"),
    [
        ((Level.PROBLEM,), Level.OK, Fitness.BROKEN),
        ((Level.OK,), Level.REMARK, Fitness.SOUND),
        ((Level.OK,), None, Fitness.SOUND),
        ((Level.OK, Level.REMARK), Level.OK, Fitness.EXPLORED),
        ((Level.OK, Level.SKIPPED), Level.OK, Fitness.COMPLETE),
    ],
)
def test_the_level_follows_from_the_findings(levels, reach, fitness):
    findings = [Finding("kit", level, "A rule.") for level in levels]
    if reach is not None:
        findings.append(Finding("reach", reach, "All."))
    verdict = Report("bell", tuple(findings))
    assert verdict.fitness is fitness
    assert verdict.as_json()["level"] == {"number": int(fitness), "name": fitness.name.lower()}
    assert f"level {int(fitness)} of 3" in verdict.as_text()


def test_what_is_well_is_counted_and_what_is_not_is_named():
    many = [Finding("kit", Level.OK, f"Rule {n}.") for n in range(20)]
    text = Report("bell", (*many, Finding("kit", Level.PROBLEM, "No.", ("Mend it.",)))).as_text()
    assert "20 rules hold." in text
    assert "Rule 7" not in text
    assert "- Mend it." in text
