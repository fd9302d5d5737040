"""A PostgreSQL server of the tests' own: its data in a temporary folder, a port of its own, gone at the end."""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg import sql

HOW_TO_INSTALL = "apt-get install postgresql, or put the folder of initdb and pg_ctl on PATH"
PASSWORD = "canary-p4ss"  # searched for in every message
DATABASE = "test"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "100",
    "shared_buffers": "32MB",
}


class Server(NamedTuple):
    """A server: its programs, its data folder, the port on 127.0.0.1 and the user that it runs as."""

    programs: Path
    folder: Path
    port: int
    user: str | None

    def url(self, database: str) -> str:
        return f"postgresql://trader:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Raises CalledProcessError where it does not come up, say because the port was taken in the meantime."""
        options = " ".join(f"-c {name}='{value}'" for name, value in {**SETTINGS, "port": self.port}.items())
        self._control("-o", options, "-l", str(self.folder / "log"), "start")

    def stop(self, mode: str = "immediate") -> None:
        """By the process id that the server has left in its own data folder."""
        if (self.folder / "data" / "postmaster.pid").exists():
            self._control("-m", mode, "stop")

    def empty(self) -> None:
        """End every connection to the database and drop all it holds: 60 times as fast as a new database."""
        with psycopg.connect(self.url(DATABASE), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            rows = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_|^information_schema$'")
            for (schema,) in rows.fetchall():
                connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))
            connection.execute("CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC")

    def _control(self, *arguments: str) -> None:
        self.run("pg_ctl", "-w", "-t", "60", "-D", str(self.folder / "data"), *arguments)

    def run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self.programs / program, *arguments],
            check=True,
            cwd=self.folder,
            user=self.user,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def find_programs() -> Path | None:
    """The folder of initdb and pg_ctl; the newest of Debian's; None where there is none."""
    on_path = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))
    folders = [*([Path(on_path).parent] if on_path else []), *reversed(debian)]
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "pg_ctl").exists()), None)


@contextmanager
def running_server(programs: Path) -> Iterator[Server]:
    """A new, empty server. One that a killed run has left behind is stopped first."""
    user = _ordinary_user()
    home = Path(tempfile.gettempdir()) / f"algotrade-postgresql-{os.geteuid()}"
    home.mkdir(mode=0o755, exist_ok=True)
    with (home / "gate.lock").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        _stop_leftovers(home, programs, user)
        folder = Path(tempfile.mkdtemp(dir=home))
        lock = (folder / "run.lock").open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)  # until this process ends, however it ends
    with lock:
        if user:
            shutil.chown(folder, user)
        server = _created(Server(programs, folder, 0, user))
        try:
            yield server
        finally:
            server.stop()
            shutil.rmtree(folder)


def _created(server: Server) -> Server:
    password_file = server.folder / "password"
    password_file.write_text(PASSWORD)
    if server.user:
        shutil.chown(password_file, server.user)
    login = ("--username=trader", "--auth=scram-sha-256", f"--pwfile={password_file}")
    server.run("initdb", "-D", "data", *login, "--no-sync", "--encoding=UTF8", "--locale=C")
    for attempt in range(5):
        server = server._replace(port=_free_port())
        try:
            server.start()
            break
        except subprocess.CalledProcessError:
            if attempt == 4:
                raise RuntimeError((server.folder / "log").read_text()) from None
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {DATABASE}")
    return server


def _stop_leftovers(home: Path, programs: Path, user: str | None) -> None:
    """A folder whose lock nobody holds belongs to a run that was killed."""
    for folder in home.glob("*/"):
        try:
            with (folder / "run.lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                with suppress(subprocess.CalledProcessError):  # its process id is of a time before the machine's start
                    Server(programs, folder, 0, user).stop()
                shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            continue  # in use


def _ordinary_user() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
