"""`handrail rules render`: the rulebook as a page, which says all that the file says."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.rulebooks import VOCABULARY
from tests.support.rules_command import BOOK, FILE, Rules, conditions

N_06 = """## N-06 Tell the Secretary of State and Ofsted - a looked after child has died

| | |
|---|---|
| Whose duty | the local authority of the authority that looks after the child |
| How strong | **must (law)** |
| Source | [Children Act 1989, Schedule 2, paragraph 20(1)(a)](https://www.legislation.gov.uk/ukpga/1989/41/schedule/2): \
"shall notify the Secretary of State and Her Majesty's Chief Inspector of Education, Children's Services and Skills". \
**Not yet checked against the full text.** |
| In force | from 29 June 2018, judged on the day the authority became aware of the incident |
| Editions of the law | from RB-2018.1 on |
| If we cannot tell | ask the duty holder within 1 working day; then a person on the desk |

When

- all of:
  - the child has died:
    - any of:
      - all of:
        - the harm: death
        - the child died: yes
      - it is recorded of this child that it died, whatever is said of the incident:
        - any of:
          - the age at death, in completed years: recorded
          - all of:
            - the child died: recorded
            - the child died: yes
  - the child is looked after by a local authority: yes

Then

- tell **Department for Education (for the Secretary of State)** within 5 working days of \
the latest known of the day the authority became aware of the incident and the day the authority became aware of the death
  - the period is **should (statutory guidance)**: GOV.UK, report a serious child safeguarding incident
  - sent at once
  - the clock stops when the notification system's reference is recorded
  - they may see [death-in-care](#death-in-care)
- tell **Ofsted (His Majesty's Chief Inspector)** within 5 working days of \
the latest known of the day the authority became aware of the incident and the day the authority became aware of the death
  - the period is **should (statutory guidance)**: GOV.UK, report a serious child safeguarding incident
  - sent at once
  - the clock stops when the notification system's reference is recorded
  - they may see [death-in-care](#death-in-care)

Examples

- a looked after child of Wandsworth, placed in Halton, dies of natural causes → \
Department for Education (for the Secretary of State): to send, due **Friday 4 September 2026**
- a looked after child of Wandsworth, placed in Halton, dies of natural causes → \
Ofsted (His Majesty's Chief Inspector): to send, due **Friday 4 September 2026**

History

- 2026.11.0: new
"""


def sections(page: str) -> dict[str, str]:
    """Return the section of each rule, by its id."""
    parts = re.split(r"^## ", page, flags=re.MULTILINE)[1:]
    return {part.split()[0]: part for part in parts}


def test_a_rule_reads_as_a_lawyer_would_want_it(rules: Rules) -> None:
    page = rules("render").out

    assert page.startswith(
        "# Who must be told about a serious child safeguarding incident in England\n\nVersion 2026.11.0, not approved."
    )
    assert N_06 in page


def test_a_period_from_the_later_of_two_a_release_and_a_cancellation_are_said(rules: Rules) -> None:
    told = sections(rules("render").out)["N-01"]

    for said in (
        (
            "within 5 working days of the later of the day the authority became aware of the incident and "
            "the day the authority first knew or suspected abuse or neglect\n"
            "  - warn as if the period ran from the day the authority became aware of the incident"
        ),
        "  - sent when the recorded decision whether to notify the Panel: decision to notify; until then owed, awaiting a decision",
        "| Cancelled | when the recorded decision whether to notify the Panel: decision not to notify |",
        "owed, awaiting a decision, due **Monday 4 January 2027**",
        "→ cannot be decided yet; asked for: aware_on of E08000035, abuse_or_neglect of E08000035",
    ):
        assert said in told


def test_every_rule_has_its_source_all_its_conditions_and_all_its_duties(rules: Rules) -> None:
    told = sections(rules("render").out)

    for rule in BOOK["rules"]:
        section = told[rule["id"]]
        assert section.startswith(f"{rule['id']} {rule['title']}\n")
        assert (
            f'[{rule["source"]["cite"]}]({rule["source"]["href"]}): "{rule["source"]["quote"]}". **Not yet' in section
        )
        when = section.partition("\nWhen\n")[2].partition("\nThen\n")[0]
        assert when.count("- ") == conditions(rule["when"])
        assert section.count("\n- tell ") + section.count(": tell **") == len(rule.get("then", []))
        for duty in rule.get("then", []):
            assert duty["stops when"] in section
            assert f"[{duty['send']}](#{duty['send']})" in section
            assert duty.get("within", duty.get("no later than"))["cite"] in section


def test_every_profile_says_what_is_given_and_how_much(rules: Rules) -> None:
    page = rules("render").out

    for name, profile in BOOK["disclosure"].items():
        section = page.partition(f"\n### {name}\n")[2].partition("\n### ")[0]
        assert f"For: {profile['purpose']}. Lawful basis: {'; '.join(profile['lawful basis'])}." in section
        for field, how in profile["give"].items():
            personal = VOCABULARY.personal.get(field)
            label = f"{personal.label} (personal)" if personal else VOCABULARY[field].label
            assert f"| {label} | {how} |" in section


def test_pages_are_written_for_all_versions_and_a_draft_says_what_it_changes(tmp_path: Path, rules: Rules) -> None:
    text, _, _ = FILE.read_text("utf-8").partition("\nexamples:\n")
    start, end = text.index("  - id: X-02\n"), text.index("  - id: X-02A\n")
    draft = tmp_path / "draft.yaml"
    draft.write_text(
        (text[:start] + text[end:].replace("id: S-02", "id: S-03"))
        .replace("version: 2026.11.0", "version: 2026.12.0")
        .replace("meets: has-died", "meets: died-or-harmed", 1)
        .replace("verified: false ", "verified: A. Lawyer, 2026-12-01 ", 1)
    )

    written = rules("render", "--out", tmp_path / "pages", "--rulebook", draft)

    names = ["england-serious-incidents-2026.11.0.md", "england-serious-incidents-2026.12.0.md"]
    assert written.lines == [f"wrote {tmp_path / 'pages' / name}" for name in names]
    old, new = ((tmp_path / "pages" / name).read_text("utf-8") for name in names)
    assert old == rules("render").out
    told = sections(new)
    assert told["N-01"].rstrip().endswith("- 2026.11.0: new\n- 2026.12.0: changed: source")
    assert "Checked: A. Lawyer, 2026-12-01. |" in told["N-01"]
    assert told["N-02"].rstrip().endswith("- 2026.11.0: new\n- 2026.12.0: unchanged")
    assert told["N-06"].rstrip().endswith("- 2026.11.0: new\n- 2026.12.0: changed: when")
    assert "- 2026.12.0: new" in told["S-03"]
    assert "X-02" not in told
