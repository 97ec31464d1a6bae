"""What the staff does on the page of every kind of case: declare a conflict, add a note, open a file."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse, Http404, HttpRequest

from lianfang.accounts.views.asked import asked
from lianfang.kernel.refusal import Refusal
from lianfang.members import actions
from lianfang.members.forms import ConflictForm, NoteForm, as_errors


def declared(request: HttpRequest, case: Any, form: ConflictForm) -> bool:
    """Keep what was declared about a conflict of interest; a refusal stands in the form."""
    if request.method != "POST" or not form.is_valid():
        return False
    conflict = form.cleaned_data["conflict"] == "yes"
    reason, by, at = form.cleaned_data["reason"], asked(request).subject, asked(request).at
    try:
        actions.declare_conflict(case=case, conflict=conflict, reason=reason, by=by, at=at)
    except Refusal as refusal:
        as_errors(form, refusal)
        return False
    return True


def noted(request: HttpRequest, case: Any, form: NoteForm) -> bool:
    """Keep an internal note or, by the other button, a message to the member or applicant."""
    if not form.is_valid():
        return False
    text, to_applicant = form.cleaned_data["text"], "message" in request.POST
    actions.add_note(case=case, text=text, to_applicant=to_applicant, by=asked(request).subject, at=asked(request).at)
    return True


def download(found: Any) -> FileResponse:
    """Answer with a file that came with a case, as a download that no browser runs. Raises Http404 for None."""
    if found is None:
        raise Http404
    return FileResponse(found.file.open(), as_attachment=True, filename=found.filename, content_type=found.media_type)
