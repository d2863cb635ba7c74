"""The kinds of agency that a report may name: the safeguarding partners, and the relevant agencies.

Source: SI 2018/789, Schedule, paragraphs 1 to 38. Paragraphs 1 to 14 were read; the words for the others are those of our summary
of it, so more than one paragraph may share a word, and none is counted.
"""

from __future__ import annotations

from typing import Literal

AgencyKind = Literal[
    # safeguarding partners (Children Act 2004, section 16E)
    "local_authority",
    "integrated_care_board",
    "police",
    # education and childcare
    "academy_school",
    "academy_16_to_19",
    "academy_alternative_provision",
    "school_maintained",
    "nursery_school_maintained",
    "pupil_referral_unit",
    "independent_school",
    "special_school_approved",
    "special_post_16_institution",
    "further_education",
    "higher_education",
    "education_or_training_provider",
    "childcare_provider",
    "childrens_centre",
    # health and social care
    "nhs_england",
    "nhs_trust",
    "adoption_agency",
    "fostering_agency",
    "childrens_home",
    # local government
    "district_council",
    # criminal justice
    "cafcass",
    "prison",
    "probation",
    "youth_offending_team",
    "secure_estate",
    # police and immigration
    "british_transport_police",
    "city_of_london_police",
    "port_police",
    "immigration",
    # others
    "charity",
    "religious_body",
    "sport_or_leisure",
    "other",
]
