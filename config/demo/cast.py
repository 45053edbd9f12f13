"""More people, of the story of 2025 alone: each did something that the seven did not."""

from datetime import date

from accounts.plans import Plan
from config.demo.people import Persona

DORA = Persona("Dora", "on the Pro plan", date(1991, 4, 2), Plan.PRO, "Europe/Berlin", "DE")
GRACE = Persona("Grace", "on the Free plan", date(1987, 11, 23), time_zone="Europe/London", region="GB")
LARS = Persona("Lars", "on the Free plan", date(1975, 6, 6), time_zone="Europe/Berlin", region="DE")
NORA = Persona("Nora", "on the Pro plan", date(1998, 1, 30), Plan.PRO, "America/New_York", "US")
PETRA = Persona("Petra", "on the Free plan", date(1969, 9, 17), time_zone="Europe/Vienna", region="AT")
RITA = Persona("Rita", "on the Max plan", date(1983, 2, 11), Plan.MAX, "America/New_York", "US")
UMA = Persona("Uma", "on the Free plan, age unknown", None, time_zone="Europe/Paris", region="FR")

CAST = (DORA, GRACE, LARS, NORA, PETRA, RITA, UMA)
