"""Receipts in tests: every kind of choice that has one, and the two programs that check them."""

import importlib.util
import io
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.core.management import CommandError, call_command
from django.test import Client

from accounts import clock
from accounts.models import User
from privacy.choices import judge_age_anew
from privacy.evidence import checking, files, keys, rotation, tree
from privacy.models import Event
from privacy.vocabulary import Act, Training
from tests.people import alice
from tests.scenes import decided, published

SCRIPT = Path(__file__).resolve().parent.parent / "docs" / "verify_receipt.py"
CHOICE, DEFER, UNDO = "/privacy/choice/", "/privacy/choice/not-now/", "/privacy/choice/undo/"


# --- Choices ----------------------------------------------------------------------


def hidden(page: Any, name: str) -> str:
    """A hidden field's value."""
    found = re.search(rf'name="{name}" value="([^"]+)"', page.content.decode())
    assert found, name
    return found[1]


def chosen(client: Client, **answer: str) -> Any:
    """Alice answers on the page of the question, as her browser sends it."""
    client.force_login(alice())
    return client.post(CHOICE, {"token": hidden(client.get(CHOICE), "token"), "next": "/terms/", **answer}, follow=True)


def latest(act: Act) -> Event:
    event = Event.objects.of(alice()).filter(act=act).first()
    assert event
    return event


def allowed(client: Client) -> Event:
    chosen(client, training="allow")
    return latest(Act.TRAINING_ALLOWED)


def denied(client: Client) -> Event:
    chosen(client, training="deny")
    return latest(Act.TRAINING_DENIED)


def allowed_in_spite_of_the_signal(client: Client) -> Event:
    client.defaults["HTTP_SEC_GPC"] = "1"
    chosen(client, training="allow", despite_gpc="on", keep_history="on")
    return latest(Act.TRAINING_ALLOWED)


def withdrawn(client: Client) -> Event:
    allowed(client)
    chosen(client, training="deny")
    return latest(Act.TRAINING_WITHDRAWN)


def history_kept(client: Client) -> Event:
    denied(client)
    chosen(client, training="deny", keep_history="on")
    return latest(Act.HISTORY_KEPT)


def history_not_kept(client: Client) -> Event:
    decided(alice(), Training.DENY, keep_history=True)
    decided(alice(), Training.DENY, keep_history=False)
    return latest(Act.HISTORY_NOT_KEPT)


def deferred(client: Client) -> Event:
    decided(alice(), Training.ALLOW)
    published()
    client.force_login(alice())
    client.post(DEFER, {"token": hidden(client.get(CHOICE), "token")})
    return latest(Act.DEFERRED)


def made_minor() -> User:
    """It turns out that Alice is seventeen at most."""
    minor = alice()
    minor.date_of_birth = clock.now().date() - timedelta(days=17 * 365)
    minor.save()
    return minor


def accepted_by_a_minor(client: Client) -> Event:
    made_minor()
    chosen(client)
    return latest(Act.TERMS_ACCEPTED)


def undone(client: Client) -> Event:
    page = chosen(client, training="allow")
    client.post(UNDO, {"undo": hidden(page, "undo")})
    return latest(Act.TRAINING_WITHDRAWN)


def ended(client: Client) -> Event:
    allowed(client)
    judge_age_anew(user=made_minor())
    return latest(Act.TRAINING_ENDED)


KINDS: list[Callable[[Client], Event]] = [
    *(allowed, denied, allowed_in_spite_of_the_signal, withdrawn, history_kept, history_not_kept, deferred),
    *(accepted_by_a_minor, undone, ended),
]


def own_secrets(settings: Any, folder: Path) -> None:
    """This installation made its signing key itself, and can replace it."""
    settings.DATA_DIR = folder
    files.introduce(keys.SIGNING_FILE, uuid4().hex)
    files.promote(keys.SIGNING_FILE)
    settings.LEDGER_SIGNING_KEY = files.current(keys.SIGNING_FILE)


def replaced_key(settings: Any) -> None:
    """A new key signs from now on, and does so at once; the process was started anew."""
    rotation.rotate_signing_key()
    settings.LEDGER_SIGNING_KEY = files.current(keys.SIGNING_FILE)
    tree.build()


def downloaded(client: Client, event: Event) -> bytes:
    """The file as Alice gets it."""
    client.force_login(alice())
    answer = client.get(f"/privacy/receipts/{event.key}.json")
    assert answer.status_code == 200
    return bytes(answer.content)


def kept(client: Client, event: Event, folder: Path) -> Path:
    """Alice has the sealed receipt of `event` in a file."""
    tree.build()
    file: Path = folder / "receipt.json"
    file.write_bytes(downloaded(client, event))
    return file


def kept_keys(client: Client, folder: Path) -> Path:
    """Somebody keeps the ledger's keys as they are now."""
    file: Path = folder / f"keys-{uuid4().hex}.json"
    file.write_bytes(client.get("/.well-known/parley/keys.json").content)
    return file


# --- Checking them ------------------------------------------------------------------


def by_command(receipt: Path, keys_file: Path | None = None) -> tuple[int, str]:
    """What `manage.py verify_receipt` says, and its exit code."""
    said = io.StringIO()
    try:
        call_command("verify_receipt", str(receipt), *(["--keys", str(keys_file)] if keys_file else []), stdout=said)
    except CommandError as refused:
        return refused.returncode, str(refused)
    return 0, said.getvalue().strip()


def by_script(receipt: Path, keys_file: Path | None = None) -> tuple[int, str]:
    """The same of the script, run as an auditor does: alone in an empty folder, without an environment."""
    command = [sys.executable, "-I", str(SCRIPT), str(receipt), *([str(keys_file)] if keys_file else [])]
    with tempfile.TemporaryDirectory() as apart:
        done = subprocess.run(command, cwd=apart, env={}, capture_output=True, text=True, timeout=60)
    assert not (done.stdout and done.stderr), done
    return done.returncode, (done.stdout or done.stderr).strip()


def script() -> Any:
    """The script as a module, for checks by the thousand."""
    spec = importlib.util.spec_from_file_location("verify_receipt", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def hold(receipt: Any, file: Path, module: Any, keys_file: Path | None = None) -> tuple[bool, bool]:
    """Whether a receipt holds, by the product and by the script."""
    file.write_bytes(receipt if isinstance(receipt, bytes) else json.dumps(receipt, ensure_ascii=False).encode())
    return _by_product(file, keys_file), _by_module(module, file, keys_file)


def _by_product(file: Path, keys_file: Path | None) -> bool:
    try:
        return bool(checking.check(file, keys_file))
    except checking.Flaw:
        return False


def _by_module(module: Any, file: Path, keys_file: Path | None) -> bool:
    try:
        return bool(module.check(str(file), str(keys_file or ""), []))
    except Exception:
        return False
