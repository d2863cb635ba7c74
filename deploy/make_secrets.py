"""Makes the keys, passwords and files with passwords in them that `docker-compose.yml` mounts: `python -m deploy.make_secrets`.

They go to `deploy/secrets/`, which git and the image ignore. What exists is kept, so that a second `make up` finds
its data readable. The folder is closed to everybody else (0700); the files in it are readable (0444), because each
container reads its own few under an account of its own. `status.json` beside them lets the command line work on the
containers: `handrail status --data deploy/secrets`.
"""

from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import quote

from handrail.embedded.kafka import ADMIN, server_properties
from handrail.embedded.places import DEPLOY
from handrail.front.accounts import write_accounts
from handrail.installation.endpoints import write_endpoints
from handrail.installation.keys import make_keys, read_password
from handrail.installation.running import Running
from schemas.topics import SERVICES

SECRETS: Final = DEPLOY / "secrets"
URLS: Final = {  # all application containers share one loopback, and its ports are published on this machine's
    name: f"http://127.0.0.1:{port}" for port, name in enumerate(("front", *SERVICES, "stubs"), start=8400)
}
KAFKA: Final = "127.0.0.1:8410"
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
        advertised=f"CLIENT://kafka:9092,PARTNER://{KAFKA}",
        controller_port=9093,
        data_dir=_KAFKA_DATA,
        admin_password=read_password(folder, "kafka-admin"),
        controller_password=read_password(folder, "kafka-controller"),
    )
    _write(folder / "kafka.properties", properties)
    password = read_password(folder, "accounts")
    write_accounts(folder / "accounts.yaml", lambda _account: password)
    (folder / "endpoints.yaml").unlink(missing_ok=True)
    write_endpoints(folder / "endpoints.yaml", URLS["stubs"])
    for path in folder.iterdir():
        if path.is_file():
            path.chmod(0o444)
    folder.chmod(0o700)
    _running(folder.absolute()).write()


def _running(folder: Path) -> Running:
    return Running(
        folder=str(folder),
        keys=str(folder),
        demo=True,
        urls=URLS,
        kafka_bootstrap=KAFKA,
        kafka_security="SASL_PLAINTEXT",
        kafka_admin=ADMIN,
        kafka_ca_file=None,
        database="postgres:5432/handrail",
        log_public_key=str(folder / "log.pub"),
    )


def _database_url(role: str, password: str) -> str:
    return f"postgresql://{role}:{quote(password, safe='')}@postgres:5432/handrail"


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text() != text:
        path.unlink(missing_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    make_secrets()
