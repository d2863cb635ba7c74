"""The front of an embedded installation: people sign in here, and the first page shows the road that events take.

A larger deployment puts its own identity provider in this place; the services only verify the access tokens.
"""
