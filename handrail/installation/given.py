"""What is asked of servers that the environment names, before anything is changed on them.

A demo wants nothing of Handrail's there: it would set new passwords for the users and roles, send their notices to its
stubs, and move their clock. Anything else goes on with them, for which its folder must have their passwords.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from handrail.embedded.errors import EmbeddedError
from handrail.embedded.stack import given_broker, given_database
from handrail.embedded.topics import has_topics, has_users
from handrail.installation.database import has_roles
from handrail.installation.keys import lacking_passwords


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


def refuse_new_passwords(folder: Path, environ: Mapping[str, str]) -> None:
    """Refuse a folder that lacks the password of a user or role that a named server has already.

    One drawn anew would take its place, and the services that have the old one could not sign in again.

    Raises:
        EmbeddedError: One line that says which server and which files; or it does not answer.
    """
    broker, users = given_broker(environ), lacking_passwords(folder, "kafka")
    if broker and users and has_users(broker, users):
        raise _locked_out("HANDRAIL_KAFKA_BOOTSTRAP", "users", folder, [f"kafka-{user}" for user in users])
    database, roles = given_database(environ), lacking_passwords(folder, "database")
    if database and roles and has_roles(database, roles):
        raise _locked_out("HANDRAIL_DATABASE_URL", "roles", folder, [f"database-{role}" for role in roles])


def _locked_out(name: str, what: str, folder: Path, lacking: Sequence[str]) -> EmbeddedError:
    return EmbeddedError(
        f"the server of {name} has {what} of Handrail's already, and {folder} lacks "
        f"{', '.join(f'{password}.password' for password in lacking)}: name the folder that has their passwords. New "
        "ones would lock out the services that run; if the old ones are lost, stop the services, write new ones into "
        "these files, and provision again"
    )


def _in_use(name: str, what: str) -> EmbeddedError:
    return EmbeddedError(
        f"the server of {name} has {what} of Handrail's already, and a demo would take them over: unset {name}, or "
        "name an empty server"
    )
