"""The members' pages of changes: what shall be, what it asks for, what became of it, and how things were on a day."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lianfang.accounts.doors import door
from lianfang.accounts.views.asked import asked, pair
from lianfang.kernel.clock import TAIPEI, taipei
from lianfang.kernel.ids import new_secret
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.mailroom import actions as mailroom
from lianfang.mailroom import queries as mail_queries
from lianfang.mailroom.models import Mail, MailFile
from lianfang.members import actions, changes, changing, contact_queries, roster, shown, shown_changes, uploads
from lianfang.members.forms import (
    MORE_PEOPLE,
    AcceptForm,
    ConstituentForm,
    ContactForm,
    FactsForm,
    HistoryForm,
    LetterForm,
    NoteForm,
    PersonForm,
    RemovalForm,
    StepForm,
    TransferForm,
    WhyForm,
    as_errors,
    said,
)
from lianfang.members.models import ChangeConfirmation, ChangeRequest, Constituent, Membership
from lianfang.members.purposes import PURPOSES
from lianfang.policy.facts import Right

_CONTROLS = frozenset(
    {"csrfmiddlewaretoken", "chosen", "review", "send", "edit", "key", "charter", "privacy", "accept_charter",
     "accept_privacy", "mail_file", *actions.ATTESTED}
)  # fmt: skip
_NO_ROW = Bilingual(zh="請先在名冊上勾選要移除的列。", en="Tick the rows to be removed on the roster first.")
_NO_NAME = Bilingual(zh="請寫名稱。", en="Write the name.")
_NO_NUMBER = Bilingual(zh="請寫8個數字的統一編號。", en="Write the business number of 8 digits.")
_ON_IT = Bilingual(zh="名冊上已經有這個組織。", en="This organisation is on the roster already.")
_PAST = Bilingual(zh="移除的日期不能早於今天。", en="The day of removal cannot lie before today.")
_SCAN = Bilingual(zh="請附上來信的掃描檔。", en="Attach the scan of the letter.")


def own_membership(request: HttpRequest) -> Membership:
    """The membership of the group whose own administrator asks; 404 for the people of a constituent."""
    mine = pair(request)
    found = changes.membership_of(mine.group) if mine.organization == mine.group else None
    if found is None:
        raise Http404
    return found


def _case(request: HttpRequest, number: str) -> ChangeRequest:
    found = changes.change(number)
    mine = pair(request)
    if found is None or mine.organization != mine.group or found.membership.organization_id != mine.group:
        raise Http404
    return found


# Filing


class Flow:
    """Two pages that file a change: what shall be, then what that asks for, with attestation, acceptance and files.

    `given` are the forms of the first page; they travel through the second as they were typed. Whoever sends meets the
    same checks as whoever reviews, so nothing between the pages is trusted.
    """

    def __init__(
        self,
        request: HttpRequest,
        membership: Membership,
        *,
        given: Sequence[forms.Form],
        filing: Callable[[Mapping[str, Any]], actions.Filing],
        page: str,
        context: Mapping[str, Any],
        by_letter: bool = False,
    ) -> None:
        self.request, self.membership, self.given = request, membership, list(given)
        self.filing, self.page, self.context, self.by_letter = filing, page, context, by_letter
        self.at = asked(request).at
        spec = changes.spec_in_force(self.at)
        data = request.POST if "send" in request.POST else None
        self.why = WhyForm(request.POST or None)
        self.accept = AcceptForm(data)
        self.attest = StepForm(data, step=spec.step("attestation"), answers={}, files={}, only=actions.ATTESTED)
        self.mail = mail_to_enter(request) if by_letter else None
        first = {"origin": "mail", "received_on": taipei(self.mail.received_at).date()} if self.mail else None
        self.letter = LetterForm(data, initial=first) if by_letter else None

    def answer(self) -> HttpResponseBase:
        """Answer the request."""
        # Rows were ticked on the roster, or a file was worked on: the first page is still to be filled in.
        if self.request.method != "POST" or not {"review", "send", "edit"} & self.request.POST.keys():
            return self._first(200)
        valid = [form.is_valid() for form in (*self.given, self.why)]
        if "edit" in self.request.POST or not all(valid):
            return self._first(200 if "edit" in self.request.POST else 422)
        try:
            filing = self.filing({})
            values = actions.values_of(membership=self.membership, filing=filing, at=self.at)
        except Refusal as refusal:
            self._show(refusal)
            return self._first(422)
        if "send" not in self.request.POST:
            return self._second(values, 200)
        return self._send(values)

    def _send(self, values: Mapping[str, Any]) -> HttpResponseBase:
        again = changing.checks_again(changing.risks_of(values))
        last = [self.accept, *([self.attest] if again else []), *([self.letter] if self.letter else [])]
        # Every form is asked, so that all faults are shown at once.
        judged = [form.is_valid() for form in last]
        if not all(judged):
            return self._second(values, 422)
        try:
            files = [
                uploads.read(name=one.name or "", content=one.read(), field="files")
                for one in self.request.FILES.getlist("files")
            ]
            case = actions.file_change(
                membership=self.membership,
                filing=self.filing({name: self.attest.raw.get(name) for name in actions.ATTESTED} if again else {}),
                charter_id=_uuid(self.request.POST.get("charter", "")),
                privacy_id=_uuid(self.request.POST.get("privacy", "")),
                key=self.request.POST.get("key", "")[:64] or new_secret(),
                files=files,
                letter=self._letter(),
                by=asked(self.request).subject,
                at=self.at,
            )
        except Refusal as refusal:
            as_errors(self.accept, refusal)
            return self._second(values, 422)
        if self.mail is not None:
            mailroom.place(mail=self.mail, case=case.number, by=asked(self.request).subject, at=self.at)
        messages.success(self.request, _("The change is filed."))
        return redirect("change_case" if self.by_letter else "change", number=case.number)

    def _letter(self) -> actions.Letter | None:
        if self.letter is None:
            return None
        scan = self.request.FILES.get("scan")
        chosen = self._attached(self.request.POST.get("mail_file", ""))
        if scan is not None:
            read = uploads.read(name=scan.name or "", content=scan.read(), field="scan")
        elif chosen is not None:
            read = uploads.read(name=chosen.filename, content=chosen.file.open().read(), field="scan")
        else:
            raise Refusal(_SCAN, rule="change-scan", field="scan")
        given = self.letter.cleaned_data
        return actions.Letter(origin=given["origin"], received_on=given["received_on"], scan=read)

    def _attached(self, file_id: str) -> MailFile | None:
        """The file of the mail that was chosen to be the scan, judged by what it is inside as any upload is."""
        if self.mail is None or not file_id:
            return None
        return mail_queries.file_of(self.mail, _uuid(file_id))

    def _show(self, refusal: Refusal) -> None:
        for form in self.given:
            if form.prefix and (refusal.field or "").startswith(f"{form.prefix}-"):
                field = (refusal.field or "").removeprefix(f"{form.prefix}-")
                as_errors(form, Refusal(refusal.reason, rule=refusal.rule, clause=refusal.clause, field=field))
                return
        known = next((form for form in self.given if refusal.field in form.fields), (*self.given, self.why)[0])
        as_errors(known, refusal)

    def _frame(self) -> dict[str, Any]:
        staff = self.by_letter
        return {
            **self.context,
            "base_page": "web/staff.html" if staff else "web/member.html",
            "membership": self.membership,
            "by_letter": staff,
            "mail": self.mail,
            "mail_files": list(self.mail.files.all()) if self.mail else [],
            "why": self.why,
        }

    def _first(self, status: int) -> HttpResponse:
        given = [*self.given, self.why]
        return render(self.request, self.page, {**self._frame(), "forms": given}, status=status)

    def _second(self, values: Mapping[str, Any], status: int) -> HttpResponse:
        risks = changing.risks_of(values)
        again = changing.checks_again(risks)
        documents = shown.documents(self.at)
        kept = [
            (name, value)
            for name, listed in self.request.POST.lists()
            if name not in _CONTROLS and (self.letter is None or name not in self.letter.fields)
            for value in listed
        ]
        last = [self.accept, *([self.attest] if again else []), *([self.letter] if self.letter else [])]
        context = {
            **self._frame(),
            "lines": shown_changes.lines(changes.spec_in_force(self.at), values),
            "row_lines": shown_changes.row_lines(values),
            "row_counts": shown_changes.row_counts(values),
            "asked_of": shown_changes.asked_of(risks),
            "again": again,
            "attest": self.attest if again else None,
            "accept": self.accept,
            "letter": self.letter,
            "last": last,
            "documents": documents,
            "versions": [(one.version.document_id, one.version.pk) for one in documents],
            "charter": documents[0].version.pk if documents else "",
            "privacy": documents[1].version.pk if len(documents) > 1 else "",
            "key": self.request.POST.get("key") or new_secret(),
            "kept": kept,
        }
        return render(self.request, "members/change/review.html", context, status=status)


def mail_to_enter(request: HttpRequest) -> Mail | None:
    """Return the mail that is being entered, as its page named it in the address."""
    written = request.GET.get("mail", "")
    return mail_queries.mail(_uuid(written)) if written else None


def facts_flow(request: HttpRequest, membership: Membership, *, by_letter: bool = False) -> Flow:
    """The change of facts about the organisation and of the people in its roles."""
    at = asked(request).at
    spec = changes.spec_in_force(at)
    before = changes.facts_at(membership, at)
    people = changes.people_at(membership.organization_id, at)
    listed = [
        (str(row.pk), f"{row.person.name} {row.person.email} ({said(shown_changes.ROLES[row.role])})") for row in people
    ]
    data = request.POST if request.method == "POST" else None
    facts = FactsForm(data, spec=spec, before=before)
    people_forms = [PersonForm(data, people=listed, prefix=prefix) for prefix in MORE_PEOPLE]
    held = contact_queries.named(membership_id=membership.pk, at=at)
    contact = ContactForm(
        data, held=[(str(row.pk), f"{said(PURPOSES[row.purpose])}：{row.name} {row.email}") for row in held]
    )
    why = WhyForm(data)

    def filing(attestation: Mapping[str, Any]) -> actions.Filing:
        why.is_valid()
        return actions.Filing(
            organization={name: pair_[1] for name, pair_ in facts.differing().items()},
            people=[one for form in people_forms for one in _replacement(form)],
            contacts=actions.Naming(
                ends=[UUID(key) for key in contact.cleaned_data.get("ends", ())],
                purposes=contact.cleaned_data["purposes"],
                new={name: contact.cleaned_data[f"contact_{name}"] for name in ("name", "title", "email", "phone")},
            ),
            attestation=attestation,
            reason=why.cleaned_data.get("reason", ""),
            own_reference=why.cleaned_data.get("own_reference", ""),
        )

    context = {
        "facts": facts,
        "person": people_forms[0],
        "more_people": people_forms[1:],
        "more_open": any(form.errors or form.has_changed() for form in people_forms[1:]),
        "contact": contact,
        "title": Bilingual(zh="異動申請", en="Change request"),
    }
    return Flow(
        request, membership, given=[facts, *people_forms, contact], filing=filing, page="members/change/form.html",
        context=context, by_letter=by_letter,
    )  # fmt: skip


def _replacement(form: PersonForm) -> list[actions.Replacement]:
    given = form.cleaned_data
    if not given.get("replace"):
        return []
    new = {name: given[f"new_{name}"] for name in ("name", "title", "email", "phone")}
    replaced, prefix = UUID(given["replace"]), form.prefix or ""
    return [actions.Replacement(affiliation=replaced, new=new, stays=given["stays"], form=prefix)]


def _roster_flow(
    request: HttpRequest,
    form: forms.Form,
    ops: Callable[[], Mapping[str, Sequence[Mapping[str, str]]]],
    title: Bilingual,
    **context: Any,
) -> HttpResponseBase:
    membership = own_membership(request)
    why = WhyForm(request.POST or None)

    def filing(attestation: Mapping[str, Any]) -> actions.Filing:
        why.is_valid()
        return actions.Filing(
            roster=ops(),
            attestation=attestation,
            reason=why.cleaned_data.get("reason", ""),
            own_reference=why.cleaned_data.get("own_reference", ""),
        )

    standing = _standing_request(membership)
    if standing is not None:
        return redirect("change", number=standing.number)
    context = {"form": form, "title": title, "back": reverse("roster"), **context}
    return Flow(
        request, membership, given=[form], filing=filing, page="members/change/roster_form.html", context=context
    ).answer()


def _standing_request(membership: Membership) -> ChangeRequest | None:
    """There is one request at a time: whoever begins another is led to the one that is open."""
    return changes.open_change(membership.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.FILE_CHANGE)
def new_change(request: HttpRequest) -> HttpResponseBase:
    """File a change of facts and people."""
    membership = own_membership(request)
    standing = _standing_request(membership)
    if standing is not None and "send" not in request.POST:
        return redirect("change", number=standing.number)
    return facts_flow(request, membership).answer()


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.FILE_CHANGE)
def roster_add(request: HttpRequest) -> HttpResponseBase:
    """Add one constituent."""
    form = ConstituentForm(request.POST or None)

    def ops() -> Mapping[str, Sequence[Mapping[str, str]]]:
        membership, at = own_membership(request), asked(request).at
        text = f"{form.cleaned_data['name']}\t{form.cleaned_data['ubn']}"
        if not form.cleaned_data["name"].strip():
            raise Refusal(_NO_NAME, rule="roster-row", field="name")
        reading = roster.read(text, applicant=changes.applicant_at(membership, at))
        if reading.faults:
            number = "統一編號" in reading.faults[0].reason.zh
            raise Refusal(reading.faults[0].reason, rule="roster-row", field="ubn" if number else "name")
        (row,) = reading.rows
        for one in changes.listed(membership.organization_id, at):
            if one.row == row or (row.ubn and one.row.ubn == row.ubn):
                raise Refusal(_ON_IT, rule="roster-once", field="name")
        return {"add": [{"name": row.name, "ubn": row.ubn}]}

    return _roster_flow(request, form, ops, Bilingual(zh="新增內部成員", en="Add a constituent"))


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.FILE_CHANGE)
def roster_remove(request: HttpRequest) -> HttpResponseBase:
    """Remove the ticked constituents, from an instant."""
    form = RemovalForm(request.POST if request.method == "POST" and "chosen" not in request.POST else None)
    rows = _ticked(request)

    def ops() -> Mapping[str, Sequence[Mapping[str, str]]]:
        if not rows:
            raise Refusal(_NO_ROW, rule="roster-none")
        instant = removal_instant(form.cleaned_data["on"], asked(request).at)
        return {
            "remove": [
                {"id": str(row.pk), "name": row.name, "ubn": row.organization.ubn or "", "at": instant} for row in rows
            ]
        }

    title = Bilingual(zh="移除內部成員", en="Remove constituents")
    return _roster_flow(request, form, ops, title, ticked=rows)


def removal_instant(day: date | None, at: datetime) -> str:
    """Return the beginning of a day in Taipei as an instant, or nothing. Raises Refusal for a day that has passed."""
    if day is None:
        return ""
    if day < at.astimezone(TAIPEI).date():
        raise Refusal(_PAST, rule="roster-past", field="on")
    return datetime.combine(day, time(), TAIPEI).isoformat()


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.FILE_CHANGE)
def roster_transfer(request: HttpRequest) -> HttpResponseBase:
    """Let a constituent go over to another group member, which is asked."""
    form = TransferForm(request.POST if request.method == "POST" and "chosen" not in request.POST else None)
    rows = _ticked(request)

    def ops() -> Mapping[str, Sequence[Mapping[str, str]]]:
        number = form.cleaned_data["to_ubn"].strip()
        if not rows:
            raise Refusal(_NO_ROW, rule="roster-none")
        if len(number) != 8 or not number.isascii() or not number.isdigit():
            raise Refusal(_NO_NUMBER, rule="roster-receiver", field="to_ubn")
        return {
            "transfer": [
                {"id": str(row.pk), "name": row.name, "ubn": row.organization.ubn or "", "to_ubn": number}
                for row in rows
            ]
        }

    title = Bilingual(zh="移轉給另一個團體會員", en="Transfer to another group member")
    return _roster_flow(request, form, ops, title, ticked=rows)


def _ticked(request: HttpRequest) -> list[Constituent]:
    """The rows of one's own roster that were ticked; ids of others' rows name nothing."""
    given = [key for key in (_uuid_or_int(one) for one in request.POST.getlist("row")) if key is not None][:500]
    held = changes.roster_at(own_membership(request).organization_id, asked(request).at)
    return list(held.filter(pk__in=given))


# One request


@require_http_methods(["GET", "HEAD", "POST"])
@door(Right.FILE_CHANGE)
def change(request: HttpRequest, number: str) -> HttpResponseBase:
    """A request: what it changes, how far it is, what waits; a link that confirms it can be mailed again."""
    case = _case(request, number)
    if request.method == "POST":
        return _ask_again(request, case)
    context = {**shown_changes.members_case(case, asked(request).at), "form": NoteForm()}
    return render(request, "members/change/case.html", context)


def _ask_again(request: HttpRequest, case: ChangeRequest) -> HttpResponseBase:
    wanted = request.POST.get("ask", "")
    # The receiver of a transfer is asked by the centre: whether a number is a member's is not told to whoever asks.
    own = (one for one in changes.confirmations(case) if one.of != "receiver")
    found = next((one for one in own if str(one.pk) == wanted), None)
    if found is None:
        raise Http404
    actions.ask_again(confirmation=found, by=asked(request).subject, at=asked(request).at)
    messages.success(request, _("Sent again. The earlier link opens nothing any more."))
    return redirect("change", number=case.number)


@require_POST
@door(Right.FILE_CHANGE)
def change_withdraw(request: HttpRequest, number: str) -> HttpResponseBase:
    """Withdraw a request."""
    actions.withdraw_change(case=_case(request, number), by=asked(request).subject, at=asked(request).at)
    messages.success(request, _("The change is withdrawn. You can file another."))
    return redirect("change", number=number)


@require_POST
@door(Right.FILE_CHANGE)
def change_message(request: HttpRequest, number: str) -> HttpResponseBase:
    """Write to the reviewer."""
    case = _case(request, number)
    form = NoteForm(request.POST)
    if form.is_valid():
        actions.write_about_change(
            case=case, text=form.cleaned_data["text"], by=asked(request).subject, at=asked(request).at
        )
        messages.success(request, _("Your message is in the case."))
        return redirect("change", number=number)
    context = {**shown_changes.members_case(case, asked(request).at), "form": form}
    return render(request, "members/change/case.html", context, status=422)


@require_safe
@door(Right.FILE_CHANGE)
def changes_filed(request: HttpRequest) -> HttpResponse:
    """Every change of one's organisation, the latest first."""
    membership = own_membership(request)
    rows = [(case, shown_changes.state_of(case)) for case in changes.of_organization(membership.organization_id)]
    standing = _standing_request(membership)
    return render(request, "members/change/list.html", {"rows": rows, "standing": standing, "risks": changing.RISKS})


@require_safe
@door(Right.FILE_CHANGE)
def history(request: HttpRequest) -> HttpResponse:
    """What was so on a day: facts, people, roster."""
    membership, at = own_membership(request), asked(request).at
    return history_page(request, membership, at, "web/member.html")


def history_page(
    request: HttpRequest, membership: Membership, at: datetime, base: str, *, people: bool = True
) -> HttpResponse:
    """Answer with a member as it was on the day that is asked about, with its people or without."""
    form = HistoryForm(request.GET or None)
    day = form.cleaned_data["on"] if form.is_bound and form.is_valid() else None
    on = end_of(day) if day else at
    context = {
        **shown_changes.history(membership, min(on, at), at, people=people),
        "membership": membership,
        "form": form,
        "on": min(on, at),
        "base_page": base,
    }
    return render(request, "members/change/history.html", context, status=422 if form.errors else 200)


def end_of(day: date) -> datetime:
    """The last microsecond of a day in Taipei; of a day that the calendar does not hold, the end of the one before."""
    try:
        return datetime.combine(day + timedelta(days=1), time(), TAIPEI) - timedelta(microseconds=1)
    except OverflowError:
        return datetime.combine(day, time(), TAIPEI)


# The mailed link


@require_http_methods(["GET", "HEAD", "POST"])
@door.public
def change_confirm(request: HttpRequest, secret: str) -> HttpResponseBase:
    """What a mailbox is asked; opening it changes nothing. A used or old link tells nothing."""
    at = asked(request).at
    found = changes.confirmation(secret)
    if found is None or not _is_open(found, at):
        return render(request, "members/change/confirm_closed.html", status=410 if found else 404)
    if request.method == "POST" and ("yes" in request.POST or "no" in request.POST):
        try:
            actions.answer_confirmation(confirmation=found, yes="yes" in request.POST, by=asked(request).subject, at=at)
        except Refusal:
            return render(request, "members/change/confirm_closed.html", status=410)
        return render(request, "members/change/confirm_done.html", {"yes": "yes" in request.POST})
    context = {
        "confirmation": found,
        "of": shown_changes.OF[found.of],
        "case": found.change,
        "what": _asked_of(found),
    }
    return render(request, "members/change/confirm.html", context)


def _is_open(found: ChangeConfirmation, at: datetime) -> bool:
    return found.answered_at is None and at < found.expires_at and found.change.state in ("submitted", "under_review")


def _asked_of(found: ChangeConfirmation) -> list[Bilingual]:
    """What exactly this mailbox is asked: its own part of the request, nothing else of it."""
    values = found.change.values
    if found.of == ChangeConfirmation.Of.RECEIVER:
        said_ = Bilingual(zh="{name}移轉到貴組織的名冊", en="{name} goes over to your roster")
        return [said_.format(name=one["name"]) for one in values.get("roster", {}).get("transfer", ())]
    said_ = Bilingual(zh="{new}接替{old}擔任管理員", en="{new} takes the place of {old} as administrator")
    return [
        said_.format(new=one["new"]["name"], old=one["old"]["name"])
        for one in values.get("people", ())
        if one["role"] == "member_admin"
    ]


def _uuid(written: str) -> UUID:
    try:
        return UUID(written)
    except ValueError:
        return UUID(int=0)


def _uuid_or_int(written: str) -> int | None:
    return int(written) if written.isascii() and written.isdigit() and len(written) < 19 else None
