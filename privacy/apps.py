from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    name = "privacy"
    verbose_name = "Privacy"

    def ready(self) -> None:
        from accounts.changes import when_age_changes
        from accounts.closed import when_closed
        from privacy import choices, coming_back, holding

        holding.register()
        when_age_changes(choices.judge_age_anew)
        when_closed(coming_back.way_back)
