"""What holds for every test: properties are not timed, because a busy machine is no finding."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("handrail", deadline=None)
settings.load_profile("handrail")
