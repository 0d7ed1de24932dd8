"""The command tells what to mend in one sentence, and takes nothing half made for whole."""

import errno
import os
import socket
import subprocess
import sys

import pytest

from tools import apt, cli, common, databases, demo, environment, odoo_source, postgres, testing


def channel(*args, **environ):
    """Run the command as a user does. :return: (exit code, output)"""
    done = subprocess.run([str(common.ROOT / "channel"), *args], capture_output=True, text=True, check=False,
                          env={**environment.clean(), **environ}, stdin=subprocess.DEVNULL, timeout=120)
    return done.returncode, done.stdout, done.stderr


def one_sentence(error, *words):
    assert error.startswith("channel: ") and error.count("\n") == 1, error
    assert "Traceback" not in error
    for word in words:
        assert word in error


def test_help_explains_every_command():
    code, output, _error = channel("--help")
    assert code == 0
    for word in ("demo", "test", "bench", "shell", "update", "lint", "ODOO_HOME", "PGHOST", ".channel"):
        assert word in output


def test_port_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, _output, error = channel("demo", "--port", str(taken.getsockname()[1]))
    assert code == 1
    one_sentence(error, "taken", "--port")


def test_port_out_of_range():
    code, _output, error = channel("demo", "--port", "70000")
    assert code == 1
    one_sentence(error, "70000", "--port")


def test_wrong_python(tmp_path):
    (tmp_path / "dirname").symlink_to("/usr/bin/dirname")
    done = subprocess.run(["/bin/sh", str(common.ROOT / "channel"), "demo"], capture_output=True, text=True,
                          check=False, env={"PATH": str(tmp_path)})
    assert done.returncode == 1
    one_sentence(done.stderr, "3.11", "3.13", "apt install python3")


def test_odoo_home_that_is_none(tmp_path):
    code, _output, error = channel("demo", "--no-serve", ODOO_HOME=str(tmp_path))
    assert code == 1
    one_sentence(error, "ODOO_HOME", str(tmp_path), "odoo/release.py")


def test_odoo_home_of_another_version(tmp_path):
    (tmp_path / "odoo").mkdir()
    (tmp_path / "odoo/release.py").write_text("version_info = (18, 0, 0, 'final', 0, '')\n")
    code, _output, error = channel("demo", "--no-serve", ODOO_HOME=str(tmp_path))
    assert code == 1
    one_sentence(error, "18.0", "19.0")


def test_odoo_home_wins(monkeypatch):
    """A release that the user has is used as it is, whether they name its folder or its prefix."""
    own = odoo_source.get()
    monkeypatch.setenv("ODOO_HOME", str(own.path))
    assert odoo_source.get().path == own.path
    assert (own.addons[0] / "sale/__manifest__.py").exists()


def test_source_checkout_keeps_its_addons_beside(tmp_path):
    (tmp_path / "odoo/addons/base").mkdir(parents=True)
    (tmp_path / "addons/sale").mkdir(parents=True)
    (tmp_path / "odoo/release.py").write_text("version_info = (19, 0, 0, 'final', 0, '')\n")
    assert odoo_source.Source(tmp_path).addons == [tmp_path / "odoo/addons", tmp_path / "addons"]


def test_user_postgres_is_refused():
    code, _output, error = channel("demo", "--no-serve", PGHOST="127.0.0.1", PGUSER="postgres")
    assert code == 1
    one_sentence(error, "createuser", "PGUSER")


def test_server_that_does_not_answer():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code, _output, error = channel("demo", "--no-serve", PGHOST="127.0.0.1", PGUSER="channel", PGPORT=str(port))
    assert code == 1
    one_sentence(error, "127.0.0.1", "refused")


def test_configuration_file_wins_over_the_environment(tmp_path, monkeypatch):
    conf = tmp_path / "odoo.conf"
    conf.write_text("[options]\ndb_host = db.example.com\ndb_port = 5433\ndb_user = me\ndb_password = 100%%\n")
    monkeypatch.setenv("ODOO_RC", str(conf))
    monkeypatch.setenv("PGHOST", "elsewhere")
    found = postgres._of_user()
    assert (found.host, found.port, found.user, found.password) == ("db.example.com", "5433", "me", "100%%")


def test_configuration_file_without_a_host_leaves_the_choice(tmp_path, monkeypatch):
    conf = tmp_path / "odoo.conf"
    conf.write_text("[options]\ndb_host = False\n")
    monkeypatch.setenv("ODOO_RC", str(conf))
    monkeypatch.delenv("PGHOST", raising=False)
    assert postgres._of_user() is None


def test_configuration_file_that_is_not_there(tmp_path):
    code, _output, error = channel("demo", "--no-serve", ODOO_RC=str(tmp_path / "none.conf"))
    assert code == 1
    one_sentence(error, "ODOO_RC", "none.conf")


def test_unknown_names():
    for args, words in (
        (("update", "sale"), ("sale", "channel_base")),
        (("bench", "nothing"), ("nothing",)),
        (("lint", "nothing"), ("ruff",)),
        (("shell", "--database", "no_such_database"), ("no_such_database", "./channel demo")),
        (("demo", "--no-serve", "--nothing"), ()),
    ):
        code, _output, error = channel(*args)
        assert code != 0, args
        assert "Traceback" not in error, args
        for word in words:
            assert word in error, args


def test_unsupported_system(monkeypatch, tmp_path):
    monkeypatch.delenv("ODOO_HOME", raising=False)
    monkeypatch.setattr(odoo_source, "STATE", tmp_path)
    monkeypatch.setattr(apt, "supported", lambda: False)
    with pytest.raises(common.Fault, match="ODOO_HOME"):
        odoo_source.get()


def test_little_room(monkeypatch):
    monkeypatch.setattr(common.shutil, "disk_usage", lambda _path: type("Usage", (), {"free": 10**9})())
    with pytest.raises(common.Fault, match=r"0\.9 GB are free.*4 GB"):
        common.require_disk()


@pytest.mark.parametrize(("text", "sentence"), [
    ("E: Failed to fetch x  Temporary failure resolving 'mirror'", "needs the network"),
    ("NewConnectionError: Failed to establish a new connection: [Errno 101]", "needs the network"),
    ("dpkg-deb: error: write failed (No space left on device)", "is full"),
    ("Traceback (most recent call last):\n  File x\nodoo.tools.ParseError: while parsing y:3\nlast", "ParseError"),
    ("2026-01-01 00:00:00,000 7 ERROR db odoo.registry: Failed to load \nand more", "Failed to load"),
])
def test_failures_are_explained(text, sentence):
    log = common.LOGS / "explained.log"
    log.write_text(text)
    fault = common.explain(log, "A step", "connect.")
    assert sentence in str(fault) and "\n" not in str(fault)


def test_program_that_is_missing():
    with pytest.raises(common.Fault, match="no-such-program"):
        common.run(["no-such-program"], "A step", common.LOGS / "missing.log")


def test_full_disk_in_our_own_writing(monkeypatch, capsys):
    def full(_args, _more):
        raise OSError(errno.ENOSPC, "No space left on device", "somewhere")

    monkeypatch.setattr(cli, "_run", full)
    assert cli.main(["lint"]) == 1
    one_sentence(capsys.readouterr().err, "is full")


def test_own_fault_is_a_sentence_with_a_file(monkeypatch, capsys):
    def broken(_args, _more):
        raise ZeroDivisionError("broken")

    monkeypatch.setattr(cli, "_run", broken)
    assert cli.main(["lint"]) == 1
    one_sentence(capsys.readouterr().err, "crash.log")
    assert "ZeroDivisionError" in (common.LOGS / "crash.log").read_text()


def test_arguments_for_pytest():
    assert cli._split(["test", "addons/a", "-k", "b", "-x"]) == (["test", "addons/a"], ["-k", "b", "-x"])
    assert cli._split(["test", "--help"]) == (["test", "--help"], [])
    assert cli._split(["demo", "--port", "1"]) == (["demo", "--port", "1"], [])


def test_environment_of_the_tests_is_the_one_of_the_command():
    """Run by the environment's own Python, the key must be the same, or a test would remake what it runs in."""
    code = "import sys; sys.path.insert(0, sys.argv[1]); from tools import environment as e; print(e.key())"
    host = subprocess.run([environment._HOST, "-c", code, str(common.ROOT)], capture_output=True, text=True, check=True)
    assert host.stdout.strip() == environment.key()
    assert sys.executable != environment._HOST


def test_pip_that_fails_leaves_no_stamp(monkeypatch, tmp_path):
    """A step that was cut off is done again: its stamp is written after it."""
    monkeypatch.setattr(environment, "VENV", tmp_path / "venv")
    monkeypatch.setattr(environment, "_create", lambda: (tmp_path / "venv").mkdir())

    def fails(*_args):
        raise common.Fault("cut off")

    monkeypatch.setattr(environment, "_pip", fails)
    with pytest.raises(common.Fault, match="cut off"):
        environment.get()
    assert not environment._done("runtime", environment.key())


def test_download_that_fails_leaves_no_odoo(monkeypatch, tmp_path):
    monkeypatch.delenv("ODOO_HOME", raising=False)
    monkeypatch.setattr(odoo_source, "STATE", tmp_path)
    monkeypatch.setattr(apt, "scratch", lambda name: tmp_path / f"{name}.part")
    (tmp_path / "odoo.part").mkdir()

    class Broken:
        def __init__(self, _folder, _suites):
            pass

        def update(self, _offline):
            raise common.Fault("no network")

    monkeypatch.setattr(apt, "PrivateApt", Broken)
    with pytest.raises(common.Fault, match="no network"):
        odoo_source.get()
    assert not (tmp_path / "odoo").exists()


def test_hash_sees_names_and_contents_and_no_byte_code(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models/a.py").write_text("a = 1")
    first = common.tree_hash(tmp_path)
    (tmp_path / "models/__pycache__").mkdir()
    (tmp_path / "models/__pycache__/a.pyc").write_text("x")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_a.py").write_text("b")
    assert common.tree_hash(tmp_path, ("tests",)) == first
    assert common.tree_hash(tmp_path) != first
    (tmp_path / "models/a.py").rename(tmp_path / "models/b.py")
    assert common.tree_hash(tmp_path, ("tests",)) != first


def test_build_that_was_cut_off_is_not_whole(workshop):
    """Only the comment that is written last makes a database whole, and a clone does not inherit it."""
    name = f"channel_cut_{os.getpid()}"
    try:
        workshop.clone("template1", name, state="building")
        assert not workshop.whole(name)
        workshop.mark_whole(name, kind="cut")
        assert workshop.whole(name)
        with workshop.throwaway(name, "copy") as copy:
            assert workshop.state(copy)["state"] == "clone"
            assert not workshop.whole(copy)
        assert workshop.state(copy) is None
    finally:
        workshop.drop(name)


def test_clone_of_a_killed_command_is_swept(workshop):
    name = f"channel_left_{os.getpid()}"
    gone = subprocess.Popen(["true"])
    gone.wait()
    try:
        workshop.clone("template1", name, pid=gone.pid)
        workshop.sweep()
        assert workshop.state(name) is None
        assert not workshop.filestore(name).exists()
    finally:
        workshop.drop(name)


def test_foreign_database_is_left_alone(workshop, monkeypatch):
    name = f"channel_foreign_{os.getpid()}"
    workshop.connection.sql('CREATE DATABASE :"name"', name=name)
    try:
        monkeypatch.setattr(demo, "DATABASE", name)
        with pytest.raises(common.Fault, match="did not make"):
            demo.prepare(workshop, fresh=False)
        assert workshop.state(name) == {}
    finally:
        workshop.drop(name)


def test_demo_updates_only_what_changed(workshop, monkeypatch):
    """A second `demo` does nothing; after a change it updates the add-on that changed and installs the new one."""
    calls = []
    monkeypatch.setattr(workshop, "odoo", lambda what, database, *args, log: calls.append(args))
    monkeypatch.setattr(demo, "DATABASE", f"channel_again_{os.getpid()}")
    now = databases.hashes(demo.story_addons())
    known = {**now, "channel_base": "older"}
    known.pop("channel_l10n_cn")
    try:
        workshop.clone("template1", demo.DATABASE, state="building")
        workshop.mark_whole(demo.DATABASE, kind="demo", addons=now)
        demo.prepare(workshop, fresh=False)
        assert calls == []
        workshop.mark_whole(demo.DATABASE, kind="demo", addons=known)
        demo.prepare(workshop, fresh=False)
        assert calls == [("-u", "channel_base", "-i", "channel_l10n_cn")]
        assert workshop.state(demo.DATABASE)["addons"] == now
    finally:
        workshop.drop(demo.DATABASE)


def test_log_reader_finds_faults(tmp_path):
    log = tmp_path / "x.log"
    log.write_text(
        "2026-01-02 03:04:05,678 9 INFO db odoo.modules: WARNING in a text\n"
        "2026-01-02 03:04:05,679 9 WARNING db odoo.models: something \n"
        "a line of a traceback\n"
        "2026-01-02 03:04:05,680 9 ERROR ? odoo.http: else \n"
    )
    assert list(databases.faults_in(log)) == [("WARNING", "db odoo.models: something"), ("ERROR", "? odoo.http: else")]


def test_the_whole_run_leaves_no_test_out():
    """Each file of tests is in one part, but for the check of the logs, which runs when all others have."""
    found = [path for part in testing.parts() for path in part.paths]
    assert len(found) == len(set(found))
    inside = {file for path in found for file in ([path] if path.is_file() else path.glob("test_*.py"))}
    there = {path for place in ("tests", "addons") for path in (common.ROOT / place).glob("**/test_*.py")
             if "tests" in path.relative_to(common.ROOT).parts[:-1]}
    assert inside == there - {testing.LOG_CHECK}


def test_no_part_is_much_longer_than_others():
    for part in testing.parts():
        if part.name not in ("acceptance", "repository"):
            longest = max(map(testing.weight, part.paths))
            assert part.weight <= testing.PART_WEIGHT + longest, part.name


def test_number_of_parts_at_a_time(monkeypatch):
    monkeypatch.setenv("CHANNEL_JOBS", "3")
    assert testing.at_a_time() == 3
    for wrong in ("0", "many", "-1", "1.5"):
        monkeypatch.setenv("CHANNEL_JOBS", wrong)
        with pytest.raises(common.Fault, match="CHANNEL_JOBS"):
            testing.at_a_time()


def test_report_is_added_up(tmp_path):
    report = tmp_path / "report.xml"
    assert testing._tally(report) == (0, 0, 0)
    report.write_text(
        "<testsuites><testsuite><testcase name='a'/><testcase name='b'><failure/></testcase>"
        "<testcase name='c'><error/></testcase><testcase name='d'><skipped/></testcase></testsuite></testsuites>"
    )
    assert testing._tally(report) == (4, 2, 1)
