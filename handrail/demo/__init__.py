"""The demo: a story of invented cases played on the real system, and a judge that looks at it from outside."""
