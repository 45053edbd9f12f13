"""Background work of the chat. Tasks take ids, never text; return quietly if the row is gone; may run twice."""

from datetime import timedelta

from celery import shared_task

from accounts import clock
from chat.generation import title, write
from chat.journal import connection
from chat.models import Message, TrainingSet
from chat.rendering import store
from chat.training import building

PATIENCE = timedelta(seconds=10)  # how long an answer may wait for a worker that has nothing else to do
PATIENCE_IN_A_QUEUE = timedelta(minutes=5)  # while tasks wait, its own is most likely among them


@shared_task(name="chat.tasks.generate")
def generate(answer: int) -> None:
    """Write an answer; queue `generation`."""
    write.write_answer(answer)


@shared_task(name="chat.tasks.revive_silent_answers")
def revive_silent_answers() -> None:
    """Queue answers again whose worker, or whose task, was lost."""
    now = clock.now()
    silent = Message.objects.silent(now, PATIENCE_IN_A_QUEUE if tasks_waiting() else PATIENCE)
    for answer in silent.values_list("pk", flat=True)[:1000]:
        # Marked, if still silent, before the task is sent: sweeps that come while it waits add no further ones.
        if silent.filter(pk=answer).update(queued_at=now):
            generate.delay(answer)


def tasks_waiting() -> int:
    """How many tasks no generation worker has taken yet: the broker keeps a queue as a list of its name."""
    return int(connection.plain().llen("generation"))


# Hostile text cannot be stopped in a thread, but a prefork worker is killed when its time is up.
@shared_task(name="chat.tasks.render_answer", soft_time_limit=10, time_limit=20)
def render_answer(answer: int) -> None:
    """Render an answer's final text, once."""
    store.render_answer(answer)


@shared_task(name="chat.tasks.render_missed")
def render_missed() -> None:
    """Render what a lost task left unrendered. After an hour a text that kills its worker is left as it is."""
    now = clock.now()
    missed = Message.objects.unrendered(before=now - PATIENCE).filter(finished_at__gt=now - timedelta(hours=1))
    for answer in missed.values_list("pk", flat=True)[:100]:
        render_answer.delay(answer)


@shared_task(name="chat.tasks.title_conversation")
def title_conversation(conversation: int) -> None:
    """Let the model name a young conversation; queue `generation`."""
    title.give_title(conversation)


@shared_task(name="chat.tasks.fill_training_chunk")
def fill_training_chunk(training_set: int) -> None:
    """Read, filter and write one chunk of a set, and queue the next; so many at once as were queued first."""
    from chat.training import chunks  # with libraries that take their time to load

    found = TrainingSet.objects.unfinished().filter(pk=training_set).first()
    if found and chunks.fill_next(found):
        fill_training_chunk.delay(training_set)
    elif found:
        chunks.finish(found)


@shared_task(name="chat.tasks.go_on_with_training_sets")
def go_on_with_training_sets() -> None:
    """Queue sets again whose tasks were lost."""
    for training_set in building.forgotten():
        building.queue(training_set)
