"""`manage.py up`, as a person meets it: real processes, data folders and ports of its own."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from config.embedded import places, postgres, valkey
from config.embedded.trouble import Trouble
from config.environment import BASE_DIR, generated_secret
from config.up import checks, children, command
from config.up.logs import RotatedLog
from tests.running import Up, clock_and_pool, environment, gone, slack, wait_for

pytestmark = pytest.mark.xdist_group("up")

STOP = 10.0
LABELS = {"postgres", "valkey", "model", "web", "background", "generation"}


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Up]]:
    """Start an `up`; whatever is still running at the end of the file is ended."""
    started: list[Up] = []

    def begin(data: Path | None = None, *options: str, port: int | None = None, **variables: str) -> Up:
        folder = tmp_path_factory.mktemp("up")
        one = Up(data or folder / "var", folder / "output", *options, port=port, **variables)
        started.append(one)
        return one

    yield begin
    for one in started:
        if one.process.poll() is None:
            one.stop()


@pytest.fixture(scope="module")
def running(start: Callable[..., Up]) -> Up:
    """An `up` on a fresh folder, ready."""
    one = start()
    one.ready()
    return one


# --- A house that stands ----------------------------------------------------


def test_it_is_ready_and_says_where_things_are(running: Up) -> None:
    assert str(running.data / "mail") in running.said
    assert "Ctrl-C" in running.said
    assert set(running.recorded()) == LABELS


def test_health_names_every_part_and_no_secret(running: Up) -> None:
    health = running.health()
    states = [health["database"], health["redis"], health["model"], *health["workers"].values()]
    assert health["ready"] and all(state["state"] == "ok" for state in states)
    assert set(health["workers"]) == {"background", "generation"}
    for secret in (running.data / "secrets").iterdir():
        assert secret.read_text() not in json.dumps(health)


def test_secrets_and_addresses_are_private(running: Up) -> None:
    written = [running.data / "run" / name for name in ("environment.json", "owner.json")]
    for private in (*(running.data / "secrets").iterdir(), *written):
        assert stat.S_IMODE(private.stat().st_mode) == 0o600, private


def test_second_start_on_the_same_folder_is_refused(running: Up, start: Callable[..., Up]) -> None:
    assert "already running" in start(running.data).refusal()
    assert running.health()["ready"]


def test_port_in_use_is_named(running: Up, start: Callable[..., Up]) -> None:
    line = start(port=running.port).refusal()
    assert str(running.port) in line and "--port" in line


@pytest.mark.parametrize("port", [0, -1, 99_999])
def test_what_is_no_port_is_refused(start: Callable[..., Up], tmp_path: Path, port: int) -> None:
    one = start(tmp_path / "var", f"--port={port}")
    assert f"{port} is not a port" in one.refusal()


def test_second_shell_reaches_the_same_engines(running: Up) -> None:
    asked = (
        "from django.db import connection\n"
        "with connection.cursor() as cursor:\n"
        "    cursor.execute('SELECT current_user')\n"
        "    print(cursor.fetchone()[0])"
    )
    shell = subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", asked],
        cwd=BASE_DIR,
        env=environment() | {"PARLEY_DATA_DIR": str(running.data)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shell.stdout.split()[-1] == "parley"


def test_nothing_that_serves_people_knows_the_owner_of_the_tables(running: Up) -> None:
    assert "parley_owner:" in (running.data / "run/owner.json").read_text()
    assert "parley_owner" not in (running.data / "run/environment.json").read_text()
    for process in running.family():
        assert "parley_owner:" not in str(process.environ().values()), process.cmdline()


def test_migrate_in_a_second_shell_works_as_the_owner(running: Up) -> None:
    def shell(*arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        settings = environment() | {"PARLEY_DATA_DIR": str(running.data)}
        return subprocess.run(command, cwd=BASE_DIR, env=settings, capture_output=True, text=True, check=True).stdout

    # Back and forth again: only the owner of the tables can.
    assert "Unapplying chat.0002" in shell("migrate", "chat", "0001")
    assert "Applying chat.0002" in shell("migrate")


def test_proxy_headers_are_believed_only_where_that_is_said() -> None:
    assert "--no-proxy-headers" in children.web(8000).command
    assert "--proxy-headers" not in children.web(8000).command
    assert "--no-proxy-headers" not in children.web(8000, behind_proxy=True).command


def test_only_the_prefork_worker_keeps_connections() -> None:
    assert children.background().environment == {"DATABASE_POOL_SIZE": "0", "DATABASE_CONN_MAX_AGE": "60"}
    asked = "from django.conf import settings; print(settings.DATABASES['default']['CONN_MAX_AGE'])"
    for given, age in (({}, "0"), ({"DATABASE_CONN_MAX_AGE": "60"}, "60")):
        command = [sys.executable, "manage.py", "shell", "-v0", "-c", asked]
        shell = subprocess.run(
            command, cwd=BASE_DIR, env=os.environ | given, capture_output=True, text=True, check=True
        )
        assert shell.stdout.split()[-1] == age


def test_application_role_owns_nothing_and_empties_nothing(running: Up) -> None:
    import psycopg

    addresses = json.loads((running.data / "run/environment.json").read_text())
    with psycopg.connect(addresses["DATABASE_URL"], autocommit=True) as connection:
        owned = connection.execute("SELECT count(*) FROM pg_class WHERE relowner = 'parley'::regrole").fetchone()
        powers = connection.execute(
            "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = 'parley'"
        ).fetchone()
        assert owned == (0,) and powers == (False, False, False)
        for refused in ("TRUNCATE django_session", "DROP TABLE django_session", "CREATE TABLE mine (id int)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(refused)


@pytest.mark.parametrize("name", sorted(LABELS))
def test_child_that_dies_is_restarted(running: Up, name: str) -> None:
    before = running.recorded()[name]
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: running.recorded().get(name) != before, 10 * slack())
    wait_for(lambda: bool(running.health()["ready"]), 20 * slack())
    assert running.process.poll() is None


def test_the_clock_of_the_background_work_is_started_again(running: Up) -> None:
    worker = psutil.Process(running.recorded()["background"])
    clock, *pool = clock_and_pool(worker)
    assert len(pool) == 2
    clock.kill()
    log = running.data / "logs" / "background.log"
    wait_for(lambda: "the clock of the background work died and is started again" in log.read_text(), 20 * slack())
    wait_for(lambda: len(clock_and_pool(worker)) == 3, 10 * slack())
    again, *left = clock_and_pool(worker)
    assert again.pid != clock.pid and {one.pid for one in left} == {one.pid for one in pool}


def test_stop_leaves_no_process_no_lock_and_no_socket(running: Up) -> None:
    family = running.family()
    assert running.stop() < STOP * slack()
    assert running.process.returncode == 0
    assert gone(family)
    left = [path for path in (running.data / "run").rglob("*") if not path.name.startswith("beat")]
    assert left == []


def test_it_starts_again_on_what_is_there_and_ctrl_c_stops_it(running: Up, start: Callable[..., Up]) -> None:
    again = start(running.data, MODEL_LABEL="Our model")
    again.ready()
    written = json.loads((again.data / "run/environment.json").read_text())
    assert (written["MODEL_LABEL"], written["MODEL_NAME"]) == ("Our model", "smollm2")  # theirs is what people read
    family = again.family()
    assert again.stop(signal.SIGINT) < STOP * slack()
    assert again.process.returncode == 0 and gone(family)


def test_children_do_not_outlive_a_killed_parent(running: Up, start: Callable[..., Up]) -> None:
    killed = start(running.data)
    killed.ready()
    family = killed.family()
    killed.process.kill()
    killed.process.wait()
    if sys.platform == "linux":
        wait_for(lambda: gone(family), 10 * slack())
    again = start(running.data)
    again.ready()
    again.stop()
    assert gone(family)


def test_recovers_after_everything_was_killed(running: Up, start: Callable[..., Up]) -> None:
    killed = start(running.data)
    killed.ready()
    for one in killed.family():
        with suppress(psutil.NoSuchProcess):
            one.kill()
    killed.process.wait()
    again = start(running.data)
    again.ready()
    assert again.health()["ready"]
    again.stop()


def test_five_deaths_within_a_minute_stop_everything(running: Up, start: Callable[..., Up]) -> None:
    one = start(running.data)
    one.ready()
    family = one.family()
    killed: set[int] = set()
    while len(killed) < 5:
        pid = one.recorded()["model"]
        if pid not in killed:
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
        time.sleep(0.1)
    line = one.refusal()
    assert "The model server died 5 times within a minute" in line and "logs/model.log" in line
    assert gone(family)


def test_child_that_dies_at_its_start_is_named_with_its_log(running: Up, start: Callable[..., Up]) -> None:
    with (running.data / "postgres/postgresql.conf").open("a") as configuration:
        configuration.write("nonsense = on\n")
    one = start(running.data)
    line = one.refusal()
    assert "PostgreSQL stopped at its start" in line and "logs/postgres.log" in line


# --- What can be wrong before anything starts -------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none"),
        ("DATABASE_URL", "nonsense"),
        ("REDIS_URL", "redis://127.0.0.1:1/0"),
        ("REDIS_URL", "nonsense"),
        ("MODEL_URL", "http://127.0.0.1:1/v1"),
        ("MODEL_URL", "nonsense"),
    ],
)
def test_wrong_address_of_a_service_is_named(start: Callable[..., Up], name: str, value: str) -> None:
    one = start(**{name: value})
    assert name in one.refusal()
    assert not (one.data / "postgres").exists()


def test_first_terms_that_cannot_be_used_are_named(start: Callable[..., Up]) -> None:
    line = start(FIRST_TERMS="/nowhere.toml").refusal()
    assert "The terms in /nowhere.toml cannot be read: No such file" in line and "logs/prepare.log" in line


def test_an_address_that_cannot_be_read_is_not_quoted(start: Callable[..., Up]) -> None:
    line = start(DATABASE_URL="mysql://parley:a-secret@127.0.0.1/parley").refusal()
    assert "DATABASE_URL" in line and "postgresql://" in line and "a-secret" not in line


def test_what_a_database_says_first_is_the_reason(start: Callable[..., Up]) -> None:
    assert "Connection refused" in start(DATABASE_URL="postgresql://parley@127.0.0.1:1/parley").refusal()


@pytest.mark.parametrize("provider", ["anthropic", "wrong"])
def test_a_provider_without_an_embedded_model_wants_an_address(start: Callable[..., Up], provider: str) -> None:
    line = start(MODEL_PROVIDER=provider).refusal()
    assert provider in line and "MODEL_URL" in line


def test_wrong_settings_are_named_and_nothing_is_left(start: Callable[..., Up]) -> None:
    one = start(ALLOWED_HOSTS="chat.example.org", CLOCK_FILE="/nowhere")
    line = one.refusal()
    assert "CLOCK_FILE" in line and "logs/prepare.log" in line
    assert not (one.data / "run/processes.json").exists()


def test_folder_that_cannot_be_made_is_named(start: Callable[..., Up], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "--data-dir" in start(tmp_path / "file" / "var").refusal()


def test_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 5 * checks.MEGABYTE}))
    with pytest.raises(Trouble, match="5 MB are free, 300 MB are needed"):
        checks.room_on_disk(tmp_path)


def test_a_full_disk_is_said_beside_what_came_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    for free, full in ((5, True), (500, False)):
        usage = type("Usage", (), {"free": free * checks.MEGABYTE})
        monkeypatch.setattr("shutil.disk_usage", lambda path, usage=usage: usage)
        assert command.run(tmp_path / "file", 8000, demo=False) == 1
        assert ("is full (5 MB are free)" in capsys.readouterr().err) is full


def test_what_initdb_says_of_its_failure_is_the_reason_and_not_the_cleaning_up() -> None:
    said = "creating files ...\nFATAL:  could not write: No space left on device\ninitdb: removing contents\n"
    assert postgres._reason(said) == "FATAL:  could not write: No space left on device"


def test_a_log_is_private_rotated_and_one_for_both_streams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.up.logs.LOG_BYTES", 1_000)
    log = RotatedLog(tmp_path / "web.log")
    for number in range(60):
        log({"data": f"line {number} {'x' * 90}\n".encode()})
    log.close()
    kept = sorted(tmp_path.iterdir())
    assert [path.name for path in kept] == ["web.log", "web.log.1", "web.log.2", "web.log.3"]
    assert all(path.stat().st_size <= 1_000 and stat.S_IMODE(path.stat().st_mode) == 0o600 for path in kept)
    assert "line 59" in kept[0].read_text() and "line 59" not in kept[1].read_text()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_log_on_a_full_disk_loses_lines_and_breaks_nothing() -> None:
    log = RotatedLog(Path("/dev/full"))
    log({"data": b"nobody will read this\n"})
    log({"data": b"nor this\n"})


@pytest.mark.parametrize(
    ("program", "variable"), [(lambda: postgres.program("postgres"), "DATABASE_URL"), (valkey.program, "REDIS_URL")]
)
def test_platform_without_wheel_is_named(
    monkeypatch: pytest.MonkeyPatch, program: Callable[[], Path], variable: str
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(Trouble, match=variable):
        program()


def test_windows_is_told_what_to_use() -> None:
    """It lacks these modules: whatever needs them must not be looked for before that is said."""
    on_windows = (
        "import platform, sys\n"
        "platform.system = lambda: 'Windows'\n"
        "sys.modules.update(dict.fromkeys(('fcntl', 'pwd', 'resource', 'termios')))\n"
        "from config.up.command import main\n"
        "sys.exit(main([]))\n"
    )
    done = subprocess.run([sys.executable, "-c", on_windows], cwd=BASE_DIR, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith("Error: ") and "WSL" in done.stderr, done.stderr


# --- Places and secrets -----------------------------------------------------


def test_socket_of_a_deep_folder_lies_in_a_short_private_one(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["deeper" * 5] * 5)
    folder = places.socket_folder(deep, "postgres")
    places.make_socket_folder(folder)
    assert len(str(folder / ".s.PGSQL.5432.lock")) < 104
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    places.remove_sockets(deep)
    assert not folder.parent.exists()


def test_secret_is_made_once(tmp_path: Path) -> None:
    first = generated_secret(tmp_path, "one")
    assert generated_secret(tmp_path, "one") == first != generated_secret(tmp_path, "two")
