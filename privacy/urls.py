from django.urls import path

from privacy.views import choice, settings, terms

app_name = "privacy"
urlpatterns = [
    path("privacy/", settings.settings, name="settings"),
    path("privacy/choice/", choice.choice, name="choice"),
    path("terms/", terms.terms_list, name="terms_list"),
    path("terms/<slug:slug>/", terms.terms, name="terms"),
]
