from django.urls import path

from chat.views import conversations, feedback, page, training, turns

app_name = "chat"
urlpatterns = [
    path("", page.home, name="home"),
    path("chat/", page.new, name="new"),
    path("chat/temporary/", page.new, {"temporary": True}, name="new_temporary"),
    path("chat/<uuid:conversation>/", page.conversation, name="conversation"),
    path("chat/<uuid:conversation>/why", page.why, name="why"),
    path("chat/<uuid:conversation>/rename", conversations.rename, name="rename"),
    path("chat/<uuid:conversation>/delete", conversations.delete, name="delete"),
    path("chat/<uuid:conversation>/undelete", conversations.undelete, name="undelete"),
    path("chat/<uuid:conversation>/keep", conversations.keep, name="keep"),
    path("chat/<uuid:conversation>/let-go", conversations.let_go, name="let_go"),
    path("chat/ask", turns.ask, name="ask"),
    path("chat/message/<uuid:message>/edit", turns.edit, name="edit"),
    path("chat/message/<uuid:message>/regenerate", turns.regenerate, name="regenerate"),
    path("chat/message/<uuid:message>/retry", turns.retry, name="retry"),
    path("chat/message/<uuid:message>/continue", turns.resume, name="resume"),
    path("chat/message/<uuid:message>/stop", turns.stop, name="stop"),
    path("chat/message/<uuid:message>/branch", conversations.branch, name="branch"),
    path("chat/message/<uuid:message>/feedback", feedback.feedback, name="feedback"),
    path("chat/message/<uuid:message>/feedback/answer", feedback.answer, name="feedback_answer"),
    path("chat/message/<uuid:message>/feedback/withdraw", feedback.withdraw, name="feedback_withdraw"),
    path("chat/message/<uuid:message>/feedback/take-back", feedback.take_back, name="feedback_take_back"),
    path("chat/feedback/", feedback.mine, name="feedback_list"),
    path("training/check", training.check, name="training_check"),
]
