from django.apps import AppConfig
from django.db.backends.signals import connection_created


class PrivacyConfig(AppConfig):
    name = "privacy"
    verbose_name = "Privacy"

    def ready(self) -> None:
        from accounts.changes import when_age_changes
        from accounts.closed import when_closed
        from privacy import choices, coming_back, holding
        from privacy.guard import watch

        holding.register()
        when_age_changes(choices.judge_age_anew)
        when_closed(coming_back.way_back)
        connection_created.connect(watch.ask, dispatch_uid="restore guard")
