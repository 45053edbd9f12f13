from django.urls import path

from chat.consumers import ChatSocket

sockets = [path("socket/", ChatSocket.as_asgi())]
