"""The worked examples of the notification rules, each with everybody who must be told and by when.

The files in `rulebooks/scenarios/` are exact: one obligation or question more or less fails.
"""

from __future__ import annotations

import re
from pathlib import Path

from services.routing.checking import play
from services.routing.law import FOLDER
from tests.support.rulebooks import law

LAW = law()


def assert_plays(name: str) -> None:
    """Play every scenario of a file, each of which must come out exactly as it is written."""
    played = list(play(FOLDER / "scenarios" / f"{name}.yaml", LAW))

    assert played
    assert [str(wrong) for each in played for wrong in each.checked if not wrong.holds] == []


def test_at_01_serious_harm_in_barnsley_is_owed_to_the_panel_within_five_working_days() -> None:
    """Children Act 2004, section 16C(1)(a): "the child dies or is seriously harmed in the local authority's area"."""
    assert_plays("at-01-barnsley")


def test_at_02_christmas_and_new_year_are_not_counted() -> None:
    """Working Together 2023, chapter 5: within five working days of becoming aware."""
    assert_plays("at-02-leeds")


def test_at_04_good_friday_and_easter_monday_are_not_counted() -> None:
    """Working Together 2023, chapter 5: within five working days of becoming aware."""
    assert_plays("at-04-easter")


def test_at_05_awareness_on_a_saturday_counts_from_that_day() -> None:
    """Working Together 2023, chapter 5: within five working days of becoming aware, whoever at the authority that is."""
    assert_plays("at-05-weekend")


def test_at_07_death_of_a_looked_after_child_without_suspicion_goes_to_dfe_and_ofsted_not_the_panel() -> None:
    """Children Act 1989, Schedule 2, paragraph 20(1)(a): "shall notify the Secretary of State and ... Chief Inspector"."""
    assert_plays("at-07-out-of-area")


def test_at_09_and_at_21_care_leavers_from_15_december_2023_up_to_the_25th_birthday() -> None:
    """Working Together 2023, chapter 5: "the death of a care leaver up to and including the age of 24"."""
    assert_plays("at-09-care-leaver")


def test_at_10_harm_outside_england_is_the_duty_of_the_home_authority() -> None:
    """Children Act 2004, section 16C(1)(b): "while normally resident in the local authority's area"."""
    assert_plays("at-10-scotland")


def test_at_12_a_domestic_abuse_related_death_goes_to_the_community_safety_partnership_and_the_home_office() -> None:
    """Domestic Violence, Crime and Victims Act 2004, section 9, and its guidance: one month, and six months."""
    assert_plays("at-12-domestic")


def test_at_13_a_returned_referral_leaves_the_authority_s_clock_running() -> None:
    """Halton: "incomplete forms are returned to the referrer"."""
    assert_plays("at-13-halton-referral")


def test_at_14_a_late_notification_starts_the_rapid_review_on_its_own_day() -> None:
    """Working Together 2023, chapter 5: fifteen working days."""
    assert_plays("at-14-late")


def test_at_15_publication_has_one_limit_in_the_regulations_and_another_in_the_guidance() -> None:
    """SI 2018/789, regulation 16(1): "no later than 7 days prior to the date of publication"; regulation 17: a year."""
    assert_plays("at-15-publication")


def test_at_23_an_unborn_child_comes_under_the_guidance_from_june_2025() -> None:
    """GOV.UK, report the death or serious harm of a child or care leaver."""
    assert_plays("at-23-unborn")


def test_at_25_publication_of_improvements_only_needs_the_report_and_the_information_sent() -> None:
    """SI 2018/789, regulation 16(2); Children Act 2004, section 16F(4) and (5)."""
    assert_plays("at-25-partial")


def test_partners_weigh_the_circumstances_of_the_guidance_until_they_have_decided() -> None:
    """Working Together, in the words of Halton: "should also have regard to the following circumstances"."""
    assert_plays("rapid-review")


def test_leeds_tells_whoever_raised_a_case_why_it_is_not_notified() -> None:
    """Leeds: "feedback was given to the partner agency who raised the concern and the rationale for the decision made"."""
    assert_plays("decision-not-to-notify")


def test_a_report_has_to_have_the_improvements_and_the_reasons_before_it_is_sent() -> None:
    """SI 2018/789, regulation 15: "The report must include" a summary of improvements and an analysis of reasons."""
    assert_plays("report-contents")


def test_the_progress_of_actions_is_audited_again_and_again_until_all_are_closed() -> None:
    """Working Together: "regularly audit progress"."""
    assert_plays("actions")


def test_the_adults_board_decides_and_completes_its_review() -> None:
    """Care Act 2014, section 44, and chapter 14 of its guidance."""
    assert_plays("adult-review")


def test_a_death_by_an_offensive_weapon_counts_only_in_the_pilot_and_while_it_ran() -> None:
    """Police, Crime, Sentencing and Courts Act 2022, section 27(8): "one month beginning with the day"."""
    assert_plays("offensive-weapon")


def test_partners_discuss_what_another_agency_reported_unless_it_says_that_there_is_nothing_to_consider() -> None:
    """Working Together 2023, in the words of Leeds: "the local authority performs this duty on behalf of the safeguarding partners"."""
    assert_plays("threshold-discussion")


def test_a_provider_of_foster_care_or_of_a_home_tells_ofsted_the_area_and_whoever_placed_the_child() -> None:
    """Fostering Services Regulations 2011, regulation 36, and Children's Homes Regulations 2015, regulation 40: "without delay"."""
    assert_plays("providers")


def test_barnsley_always_reviews_a_death_in_which_abuse_or_neglect_is_known_or_suspected() -> None:
    """Barnsley: "always undertaken when a child dies (including suicide), and abuse or neglect is known or suspected"."""
    assert_plays("barnsley-death")


def test_halton_puts_a_referral_on_the_agenda_and_considers_another_review_where_no_formal_one_follows() -> None:
    """Halton: "Alternative learning reviews will always be considered if the decision is not to proceed with a formal LCSPR"."""
    assert_plays("halton-learning")


def test_sutton_audits_the_effect_of_the_learning_until_it_is_there() -> None:
    """Sutton: "audits are undertaken to assure the LSCP that learning from LCSPRs is having the intended impact"."""
    assert_plays("sutton-learning")


def test_a_placement_a_yearly_report_and_an_audit_belong_to_no_incident() -> None:
    """Children Act 2004, section 16G(7): "at least once in every 12 month period"; the pages of Wandsworth and Sutton."""
    assert_plays("no-incident")


def test_council_police_and_health_look_together_into_a_sudden_death() -> None:
    """Child death review guidance: the joint agency response."""
    assert_plays("sudden-death")


def test_what_began_before_29_june_2018_is_completed_under_the_guidance_of_2015() -> None:
    """Wandsworth: outstanding serious case reviews "will be completed and published in line with that guidance"."""
    assert_plays("serious-case-review")


def test_each_duty_comes_under_the_edition_of_its_own_day_and_the_pandemic_relaxed_some() -> None:
    """Trafford, 30 March 2020: notifications are unaffected; rapid reviews, notice before and time of publication are relaxed."""
    assert_plays("editions")


def test_a_publication_that_was_given_up_is_owed_to_nobody_until_the_partners_decide_to_publish_after_all() -> None:
    """Children Act 2004, section 16F(4) and (5): what is published if the partners consider it inappropriate to publish the report."""
    assert_plays("publication-declined")


def test_the_panel_may_ask_the_partners_to_reconsider_a_publication() -> None:
    """Leeds: "The National Panel are also notified of these decisions and can ask for LSCP's to reconsider"."""
    assert_plays("publication-reconsidered")


def test_north_east_lincolnshire_gives_its_partnership_a_copy_on_the_same_day() -> None:
    """North East Lincolnshire, local procedure: on the same day as the submission."""
    assert_plays("north-east-lincolnshire")


def test_to_tell_is_an_act_of_the_day_of_the_decision_so_a_body_that_has_ended_is_told_nothing() -> None:
    """Domain reference, section 4: "CCG -> ICB 1 Jul 2022: partner identity is by date"; that it is this date is our default."""
    assert_plays("succession")


def test_every_scenario_file_has_its_test() -> None:
    played = set(re.findall(r'assert_plays\("([a-z0-9-]+)"\)', Path(__file__).read_text("utf-8")))

    assert played == {path.stem for path in (FOLDER / "scenarios").glob("*.yaml")}
