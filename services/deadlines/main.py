"""Puts the deadlines service together: the only place that constructs things."""

from __future__ import annotations

from fastapi import FastAPI

from schemas import topics
from schemas.calendar import load_england
