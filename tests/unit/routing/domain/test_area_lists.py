"""Lists of the Office for National Statistics and the DfE extend the register: every area with whoever serves it, nobody guessed."""

from __future__ import annotations

import pytest

from services.routing.domain.area_lists import AreaList, Extension, ListRefused, extend, read_list, written
from services.routing.domain.register import Body, Register, parse_register
from services.routing.domain.rulebook.tree import Text
from tests.support.repository import ROOT
from tests.support.rulebooks import FOLDER, LEEDS, register

LISTS = [ROOT / "examples" / "register" / f"{name}.csv" for name in ("upper-tier", "police", "health")]
TEXT = (FOLDER / "register" / "areas.yaml").read_text("utf-8")
WARRINGTON, MERTON, SURREY = "E06000007", "E09000024", "E10000030"


def lists(*places: int) -> list[AreaList]:
    return [read_list(LISTS[place].read_text("utf-8"), LISTS[place].name) for place in places or range(len(LISTS))]


def extended(found: Extension) -> Register:
    return parse_register(write(found), "areas.yaml")


def write(found: Extension, text: str = TEXT) -> str:
    return written(parse_register(text, "areas.yaml"), Text("areas.yaml", text), found, ["a list"])


def test_every_new_area_of_england_is_served_by_whom_the_lists_name() -> None:
    there = extended(extend(register(), lists()))

    assert there.areas.keys() - register().areas.keys() == {WARRINGTON, MERTON, SURREY}
    assert {area: there.serving("safeguarding-partners", area) for area in (WARRINGTON, MERTON, SURREY)} == {
        WARRINGTON: ("police:cheshire", "icb:cheshire-and-merseyside", f"la:{WARRINGTON}"),
        MERTON: ("police:metropolitan", "icb:south-west-london", f"la:{MERTON}"),
        SURREY: (f"la:{SURREY}", "police:surrey", "icb:surrey-heartlands", "icb:frimley"),
    }
    assert there.serving("csp", WARRINGTON) == (f"csp:{WARRINGTON}",)
    for group in ("lscp", "sab", "cdr"):
        assert all(there.serving(group, area) for area in there.areas)


def test_nothing_that_stood_there_has_changed_but_for_the_areas_that_forces_and_boards_serve_as_well() -> None:
    there, before = extended(extend(register(), lists())), register()

    changed = {key: (body, there.bodies[key]) for key, body in before.bodies.items() if there.bodies[key] != body}
    assert set(changed) == {
        "police:cheshire",
        "police:metropolitan",
        "icb:cheshire-and-merseyside",
        "icb:south-west-london",
    }
    assert all(set(was.areas) < set(now.areas) for was, now in changed.values())
    assert there.serving("safeguarding-partners", LEEDS) == before.serving("safeguarding-partners", LEEDS)
    assert not any(there.bodies[key].verified for key in there.bodies.keys() - before.bodies.keys())
    kept = set(write(extend(before, lists())).splitlines())
    assert [line for line in TEXT.splitlines() if line not in kept] == []


CHESHIRE = """  - id: police:cheshire
    name: Cheshire Constabulary
    kind: police
    areas:
      - E06000006
"""


@pytest.mark.parametrize(
    ("line", "as_written"),
    [
        ("    areas:\n", "    areas:   # of the partnership's page\n"),
        ("    areas:\n", "    areas:  \n"),
        ("  - id: police:cheshire\n", "  - id: police:cheshire   # one force for the county\n"),
        ("  - id: police:cheshire\n", "  - id: police:cheshire  \n"),
        ("      - E06000006\n", "      - E06000006   # Halton\n"),
        ("      - E06000006\n", "      # Halton\n\n      - E06000006\n"),
        ("    areas:\n      - E06000006\n", "    areas:\n    - E06000006\n"),
    ],
)
def test_an_area_goes_to_its_force_however_the_entry_is_written(line: str, as_written: str) -> None:
    assert CHESHIRE in TEXT
    text = TEXT.replace(CHESHIRE, CHESHIRE.replace(line, as_written))

    there = parse_register(write(extend(register(), lists()), text), "areas.yaml")

    assert there.bodies["police:cheshire"].areas == ("E06000006", WARRINGTON)
    assert there.bodies == extended(extend(register(), lists())).bodies


def test_new_areas_come_before_the_bodies_also_where_a_comment_stands_behind_that_word() -> None:
    text = TEXT.replace("\nbodies:\n", "\nbodies:  # who is told\n")

    there = parse_register(write(extend(register(), lists()), text), "areas.yaml")

    assert there.areas.keys() == extended(extend(register(), lists())).areas.keys()


def test_a_force_without_a_list_of_areas_is_refused_and_the_next_body_does_not_get_its_area() -> None:
    text = TEXT.replace(CHESHIRE, CHESHIRE.replace("    areas:\n      - E06000006\n", ""))

    with pytest.raises(ListRefused) as refused:
        write(extend(register(), lists()), text)

    assert str(refused.value).startswith("areas.yaml: police:cheshire has no `areas:`, expected a list")


def test_what_would_be_read_as_something_else_than_was_announced_is_refused() -> None:
    odd = f"csp:{WARRINGTON} #2"  # what stands behind the hash is a comment
    found = Extension(
        areas={WARRINGTON: "Warrington"},
        bodies={odd: Body(odd, "Warrington", "csp", (WARRINGTON,), "a list", verified=False)},
    )

    with pytest.raises(ListRefused) as refused:
        write(found)

    assert f"{odd} would serve no area; expected {WARRINGTON}" in str(refused.value)


def test_a_county_with_several_community_safety_partnerships_gets_none_of_them() -> None:
    found = extend(register(), lists())

    assert found.several == [SURREY]
    assert extended(found).serving("csp", SURREY) == ()


def test_what_no_list_says_is_told() -> None:
    without_health = extend(register(), lists(0, 1))
    without_counties = extend(register(), lists(1, 2))

    assert without_health.nobody == {"icb": [WARRINGTON, MERTON, SURREY]}
    assert set(without_counties.areas) == {WARRINGTON, MERTON}
    assert without_counties.unplaced == {
        "E07000207": "Elmbridge",
        "E07000209": "Guildford",
        "E07000214": "Surrey Heath",
    }


def test_lists_that_were_taken_before_add_nothing() -> None:
    there = extended(extend(register(), lists()))

    assert extend(there, lists()) == Extension(unplaced={})


def test_a_former_code_of_an_area_is_no_new_area() -> None:
    barnsley = read_list("LAD19CD,LAD19NM\nE08000016,Barnsley\n", "old.csv")

    assert extend(register(), [barnsley]).areas == {}


def test_a_list_may_begin_with_a_byte_order_mark_and_have_other_columns() -> None:
    assert read_list("\ufeffFID,LAD23CD,LAD23NM\n1,E09000024,Merton\n", "a.csv").rows == (
        {"LAD": ("E09000024", "Merton")},
    )


DFE = """time_period,geographic_level ,country_code,country_name,region_name,new_la_code,old_la_code,la_name,looked_after
202425,National,E92000001,England,,,,,81000
202425,Regional,E92000001,England,North West,,,,15000
202425,Local authority,E92000001,England,North West,E06000007,877,Warrington,400
202324,Local authority,E92000001,England,North West,E06000007,877,Warrington,410
201819,Local authority,E92000001,England,South East,E10000002,825,Buckinghamshire,500
202425,Local authority,E92000001,England,,,,Not recorded,3
202425,Local authority,E92000001,England,,z,z,Not recorded,3
202425,Local authority,E92000001,England,South East,E10000030,936,Surrey,1000
202425,Local authority,E92000001,England,Yorkshire and The Humber,E08000035,383,Leeds,1400
"""


def test_a_data_file_of_the_dfe_has_the_authorities_of_today_and_not_who_serves_them() -> None:
    found = extend(register(), [read_list(DFE, "dfe.csv")])

    assert found.areas == {WARRINGTON: "Warrington", SURREY: "Surrey"}
    assert found.nobody == {kind: [WARRINGTON, SURREY] for kind in ("police", "icb", "csp")}
    assert extended(found).serving("la", WARRINGTON) == (f"la:{WARRINGTON}",)


def test_with_the_lists_of_the_office_it_gives_what_those_give_alone() -> None:
    alone = extend(register(), lists())

    for together in ([*lists(), read_list(DFE, "dfe.csv")], [read_list(DFE, "dfe.csv"), *lists()]):
        found = extend(register(), together)
        assert (set(found.areas), set(found.bodies)) == (set(alone.areas), set(alone.bodies))
        assert (found.served, found.several, found.unplaced) == (alone.served, alone.several, alone.unplaced)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "a,b\n1,2\n",
            "districts or areas, such as LAD23CD and LAD23NM, or new_la_code and la_name; found a, b",
        ),
        ("", "a.csv: expected columns with code and name of districts or areas, such as LAD23CD and"),
        ("", "found none"),
        ("LAD23CD\nE09000024\n", "found LAD23CD"),
        ("PFA23CD,PFA23NM\nE23000001,Metropolitan Police\n", "found PFA23CD, PFA23NM"),
        (
            "geographic_level,new_la_code,la_name\nLocal authority,E09000024,\n",
            "line 2: expected a code and a name for UTLA",
        ),
        ("LAD23CD,LAD23NM\nE09000024,\n", "a.csv, line 2: expected a code and a name for LAD"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused(text: str, says: str) -> None:
    with pytest.raises(ListRefused) as refused:
        read_list(text, "a.csv")

    assert says in str(refused.value)
