"""Acts of staff on rows that are otherwise only looked at: a page with a form, a permission, and a refusal in words."""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from accounts.models import User
from privacy import reading
from privacy.admin.base import ReadOnlyAdmin
from privacy.models import Reader


def reason(help_text: str) -> forms.CharField:
    return forms.CharField(max_length=500, widget=forms.Textarea(attrs={"rows": 3}), help_text=help_text)


class People(forms.ModelMultipleChoiceField):
    """Who may be named to read; asked anew for each form."""

    def __init__(self) -> None:
        named = "They alone, and no superuser besides, read what it covers; each opening is recorded. Nobody has to be."
        super().__init__(
            User.objects.none(), required=False, widget=forms.CheckboxSelectMultiple, label="Readers", help_text=named
        )


class ActForm(forms.Form):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "readers" in self.fields:
            self.fields["readers"].queryset = reading.may_be_named()  # type: ignore[attr-defined]


class ReadersForm(ActForm):
    readers = People()
    reason = reason("It is in the ledger, which is never erased: name no person in it.")


class ActsAdmin(ReadOnlyAdmin):
    """`permission` is for all acts; `refusals` are what they raise, with what staff then reads."""

    permission: ClassVar[str]
    act_template: ClassVar[str]
    refusals: ClassVar[dict[type[Exception], str]] = {}

    def require(self, request: HttpRequest) -> None:
        if not request.user.has_perm(self.permission):
            raise PermissionDenied

    def act_on(
        self, request: HttpRequest, pk: int, form: forms.Form, title: str, do: Callable[[Any], object], done: str
    ) -> HttpResponse:
        """The page of one act on one row, and the act itself."""
        self.require(request)
        row = get_object_or_404(self.model, pk=pk)
        if not form.is_valid():
            return self.page(request, form, title, row)
        try:
            do(row)
        except tuple(self.refusals) as refused:
            messages.error(request, self.refusals[type(refused)])
        else:
            messages.success(request, done)
        return redirect(self.address("change", pk))

    def page(self, request: HttpRequest, form: forms.Form, title: str, row: Any = None) -> TemplateResponse:
        back = self.address("change", row.pk) if row else self.address("changelist")
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": title}
        context |= {"form": form, "back": back, str(self.opts.model_name): row, "subtitle": str(row or "")}
        return TemplateResponse(request, self.act_template, context, status=422 if form.errors else 200)

    def address(self, name: str, *args: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}", args=args)


class ReadAdmin(ActsAdmin):
    """Naming readers, and their reading. For everybody who is not named, the pages of reading do not exist."""

    def get_urls(self) -> list[URLPattern]:
        view, name = self.admin_site.admin_view, f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            path("<int:pk>/readers/", view(self.readers_view), name=f"{name}_readers"),
            path("<int:pk>/read/", view(self.read_view), name=f"{name}_read"),
            path("<int:pk>/read/<uuid:key>/", view(self.open_view), name=f"{name}_open"),
            *super().get_urls(),
        ]

    def readers_named(self, row: Any) -> str:
        named = [str(reader.user) for reader in Reader.objects.of(row).select_related("user").order_by("user__email")]
        return ", ".join(named) or _("Nobody")

    readers_named.short_description = "readers"  # type: ignore[attr-defined]

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """The way to reading is shown to whom it names, and to nobody else."""
        row = self.get_object(request, object_id)
        reads = row is not None and reading.may_read(row, request.user)  # type: ignore[arg-type]
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "reads": reads})

    def readers_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        now = [reader.user_id for reader in Reader.objects.filter(**{f"{self.opts.model_name}_id": pk})]
        form = ReadersForm(request.POST if request.method == "POST" else None, initial={"readers": now})

        def do(row: Any) -> None:
            said = form.cleaned_data
            reading.change_readers(row, said["readers"], reason=said["reason"], by=request.user)  # type: ignore[arg-type]

        return self.act_on(request, pk, form, _("Name its readers"), do, _("The readers are named."))

    def read_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The conversations under it, by their keys: to whom it names."""
        row = self._row_for_reader(request, pk)
        found = [one for rows in reading.covered(row, request.user) for one in rows[:MOST]]  # type: ignore[arg-type]
        return self._reading(request, row, "admin/privacy/read_list.html", found=found, most=MOST)

    def open_view(self, request: HttpRequest, pk: int, key: Any) -> HttpResponse:
        """One of them. It is asked first, for the opening is recorded: what looks ahead at addresses opens nothing."""
        row = self._row_for_reader(request, pk)
        if request.method == "POST":
            opened = reading.open_(row, key, by=request.user)  # type: ignore[arg-type]
            return self._reading(request, row, "admin/privacy/read.html", opened=opened, key=key)
        here = reading.covered(row, request.user)  # type: ignore[arg-type]
        if not any(rows.filter(public_id=key).exists() for rows in here):
            raise Http404
        return self._reading(request, row, "admin/privacy/read.html", key=key)

    def _row_for_reader(self, request: HttpRequest, pk: int) -> Any:
        row = get_object_or_404(self.model, pk=pk)
        if not reading.may_read(row, request.user):  # type: ignore[arg-type]
            raise Http404
        return row

    def _reading(self, request: HttpRequest, row: Any, template: str, **more: Any) -> TemplateResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": _("Read"), "subtitle": str(row)}
        context |= {"row": row, "read_url": self.address("read", row.pk), **more}
        return TemplateResponse(request, template, context)


MOST = 500  # keys on one page
