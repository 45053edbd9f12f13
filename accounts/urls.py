"""The account pages that are not allauth's."""

from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    path("profile/", views.profile, name="profile"),
    path("workspace/", views.switch, name="switch"),
]
