"""What a demo asks of servers that the environment names: nothing of Handrail's may be on them yet.

It would set new passwords for the users and roles that are there, send their notices to its stubs, and move their clock.
"""

from __future__ import annotations

from collections.abc import Mapping

from handrail.embedded.errors import EmbeddedError
from handrail.embedded.stack import given_broker, given_database
from handrail.embedded.topics import has_topics
from handrail.installation.database import has_roles


def refuse_servers_in_use(environ: Mapping[str, str]) -> None:
    """Refuse a demo on servers that hold anything of Handrail's, before it changes anything; embedded ones are its own.

    Raises:
        EmbeddedError: One line that says which server; or it does not answer.
    """
    broker, database = given_broker(environ), given_database(environ)
    if broker and has_topics(broker):
        raise _in_use("HANDRAIL_KAFKA_BOOTSTRAP", "topics")
    if database and has_roles(database):
        raise _in_use("HANDRAIL_DATABASE_URL", "roles or schemas")


def _in_use(name: str, what: str) -> EmbeddedError:
    return EmbeddedError(
        f"the server of {name} has {what} of Handrail's already, and a demo would take them over: unset {name}, or "
        "name an empty server"
    )
