from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    name = "privacy"
    verbose_name = "Privacy"

    def ready(self) -> None:
        from accounts.changes import when_age_changes
        from privacy import choices, holding

        holding.register()
        when_age_changes(choices.judge_age_anew)
