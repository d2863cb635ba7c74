"""The kinds of agency that a report may name: the safeguarding partners, and the relevant agencies, a word for each paragraph.

Source: Children Act 2004, section 16E; SI 2018/789, Schedule, paragraphs 1 to 38, in their order.
"""

from __future__ import annotations

from typing import Literal

AgencyKind = Literal[
    # safeguarding partners (Children Act 2004, section 16E)
    "local_authority",
    "integrated_care_board",
    "police",
    # education and childcare (paragraphs 1 to 14)
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
    # health and social care (15 to 23)
    "nhs_england",
    "nhs_trust",
    "nhs_foundation_trust",
    "adoption_support_agency",
    "adoption_society",
    "fostering_agency",
    "childrens_home",
    "residential_family_centre",
    "residential_holiday_scheme",
    # local government (24)
    "district_council",
    # criminal justice (25 to 31)
    "cafcass",
    "prison",
    "probation",
    "secure_college",
    "secure_training_centre",
    "young_offender_institution",
    "youth_offending_team",
    # police and immigration (32 to 35)
    "british_transport_police",
    "city_of_london_police",
    "port_police",
    "immigration",
    # miscellaneous (36 to 38)
    "charity",
    "religious_body",
    "sport_or_leisure",
    "other",
    # words of before 27 November 2026: taken still, for what was reported with them is read again
    "adoption_agency",
    "secure_estate",
]
