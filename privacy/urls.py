from django.urls import path

from privacy import views

app_name = "privacy"
urlpatterns = [
    path("privacy/", views.settings, name="settings"),
    path("privacy/choice/", views.choice, name="choice"),
    path("terms/", views.terms_list, name="terms_list"),
    path("terms/<slug:slug>/", views.terms, name="terms"),
]
