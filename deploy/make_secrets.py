"""Makes the keys, passwords and files with passwords in them that `docker-compose.yml` mounts: `python -m deploy.make_secrets`.

They go to `deploy/secrets/`, which git and the image ignore. What exists is kept, so that a second `make up` finds
its data readable. The folder is closed to everybody else (0700); the files in it are readable (0444), because each
container reads its own few under an account of its own.
"""

from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import quote

from handrail.embedded.kafka import server_properties
from handrail.embedded.places import DEPLOY
from handrail.front.accounts import write_accounts
from handrail.installation.endpoints import write_endpoints
from handrail.installation.keys import make_keys, read_password
from schemas.topics import SERVICES

SECRETS: Final = DEPLOY / "secrets"
STUBS_URL: Final = "http://127.0.0.1:8405"  # all application containers share one loopback
_KAFKA_DATA: Final = PurePosixPath("/var/lib/kafka/data/handrail")


def make_secrets(folder: Path = SECRETS) -> None:
    """Make what is missing."""
    make_keys(folder)
    for service in SERVICES:
        read_password(folder, f"kafka-{service}")
        password = read_password(folder, f"database-{service}")
        _write(folder / f"database-{service}.url", _database_url(f"handrail_{service}", password))
    _write(folder / "database-admin.url", _database_url("postgres", read_password(folder, "database-admin")))
    properties = server_properties(
        listeners="CLIENT://:9092,PARTNER://:8410",
        advertised="CLIENT://kafka:9092,PARTNER://127.0.0.1:8410",
        controller_port=9093,
        data_dir=_KAFKA_DATA,
        admin_password=read_password(folder, "kafka-admin"),
        controller_password=read_password(folder, "kafka-controller"),
    )
    _write(folder / "kafka.properties", properties)
    write_accounts(folder / "accounts.yaml", read_password(folder, "accounts"))
    (folder / "endpoints.yaml").unlink(missing_ok=True)
    write_endpoints(folder / "endpoints.yaml", STUBS_URL)
    for path in folder.iterdir():
        path.chmod(0o444)
    folder.chmod(0o700)


def _database_url(role: str, password: str) -> str:
    return f"postgresql://{role}:{quote(password, safe='')}@postgres:5432/handrail"


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text() != text:
        path.unlink(missing_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    make_secrets()
