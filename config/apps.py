from django.apps import AppConfig


class ParleyConfig(AppConfig):
    name = "config"
    verbose_name = "Parley"

    def ready(self) -> None:
        """Make the Celery application the current one, which shared tasks belong to.

        Here and not in the package, which also holds programs that mind engines and want neither Celery nor Django.
        """
        from config import celery, checks, liveness  # noqa: F401
