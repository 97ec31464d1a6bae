"""The parts of a case file as bytes: an index for people without scripts, the same as JSON, the timeline as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from typing import Any

from lianfang.audit import bundle
from lianfang.kernel.canonical import canonical
from lianfang.kernel.clock import show
from lianfang.kernel.text import Bilingual
from lianfang.mailroom import words as mail_words
from lianfang.members.actions.reading_out import STAFF, Gathered
from lianfang.members.case_file import STEPS, CaseFile, Kept, build
from lianfang.members.case_kinds import Case
from lianfang.vault.sealing import Shredded

ERASED = "［已刪除 erased］".encode()
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_STYLE = (
    "body{font-family:sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;line-height:1.5}"
    "table{border-collapse:collapse;width:100%}td,th{border:1px solid #888;padding:.25rem .5rem;text-align:left;"
    "vertical-align:top}pre{white-space:pre-wrap;overflow-wrap:anywhere}td{overflow-wrap:anywhere}"
)


def gathered(case: Case, *, audience: str, by: str, why: str, at: datetime) -> Gathered:
    """Return what goes into the file of a case, for the act that writes and signs it."""
    found = build(case, audience=audience, at=at)
    return Gathered(about(found), parts(found, by=by, why=why))


def parts(case: CaseFile, *, by: str, why: str) -> Iterator[tuple[str, bundle.Content]]:
    """Return every file of the archive but its manifest, in its order; sealed files are read when their turn is."""
    yield "index.html", index(case, by=by, why=why).encode()
    yield "case.json", canonical(_data(case, by, why))
    yield "timeline.csv", _table(case)
    for one in case.decisions:
        yield f"letters/{one.number}.zh.txt", one.letter_zh.encode()
        yield f"letters/{one.number}.en.txt", one.letter_en.encode()
    for place, mail in enumerate(case.sent, start=1):
        yield f"mails/out/{place:03d}.txt", f"{mail.to}\n{mail.subject}\n\n{mail.body_text}".encode()
    for placement, kept in case.received:
        number = kept[0].path.split("/")[2] if kept else f"{placement.pk}"
        yield f"mails/in/{number}/text.txt", placement.mail.text.encode()
        yield from ((one.path, _content(one)) for one in kept)
    yield from ((one.path, _content(one)) for one in case.files)
    yield bundle.ENTRIES, canonical({"entries": case.ledger["entries"]})
    if case.ledger["checkpoint"]:
        yield bundle.CHECKPOINT, case.ledger["checkpoint"].encode()


def _content(one: Kept) -> bundle.Content:
    def read() -> bytes:
        try:
            with one.file.open() as opened:
                return opened.read()
        except (Shredded, FileNotFoundError):
            return ERASED

    return read


def about(case: CaseFile) -> dict[str, Any]:
    """Return the head of the manifest."""
    return {"case": case.number, "at": _instant(case.at), "audience": case.audience}


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _pair(said: Bilingual) -> dict[str, str]:
    return {"zh": said.zh, "en": said.in_language("en")}


def _data(case: CaseFile, by: str, why: str) -> dict[str, Any]:
    staff = case.audience == STAFF
    return {
        **about(case),
        "kind": _pair(case.kind),
        "organization": case.organization,
        "state": _pair(case.state) if case.state else None,
        "read_out": {"by": by, "why": why},
        "sections": [
            {"title": _pair(one.title), "lines": [{**_pair(line.label), "value": line.value} for line in one.lines]}
            for one in case.sections
        ],
        "timeline": [
            {**_pair(one["title"]), "at": _instant(one["at"]), "by": one["by"], "text": one["quote"]}
            for one in case.timeline
        ],
        "decisions": [
            {
                "number": one.number, "kind": one.kind, "clause": one.clause, "reasons": list(one.reasons),
                "text": one.reason_text, "basis": one.basis or "", "decided_at": _instant(one.decided_at),
                "effective_at": _instant(one.effective_at), "letter_sha256": bytes(one.text_sha256).hex(),
                "reviewed_by": one.reviewed_by.name if staff else "",
                "decided_by": one.decided_by.name if staff else "",
            }
            for one in case.decisions
        ],
        "limits": [
            {
                **_pair(one.what), "rule": one.rule, "event": _instant(one.event), "days": one.days,
                "edition": one.edition, "last_day": one.last_day,
                "steps": [{"code": code, "day": day} for code, day in one.steps],
            }
            for one in case.limits
        ],
        "holds": [
            {
                "placed_at": _instant(one.placed_at), "placed_by": one.placed_by.name, "reason": one.reason,
                "lifted_at": _instant(one.lifted_at) if one.lifted_at and one.lifted_at <= case.at else None,
            }
            for one in case.holds
        ],
        "files": [{"path": one.path, "name": one.name, "sha256": one.sha256} for one in case.files],
        "mails_in": [
            {
                "received_at": _instant(one.mail.received_at), "from": one.mail.sender, "subject": one.mail.subject,
                "kind": one.mail.kind, "verified": False,
                "files": [{"path": file.path, "name": file.name, "sha256": file.sha256} for file in kept],
            }
            for one, kept in case.received
        ],
        "mails_out": [
            {"kind": one.kind, "to": one.to, "subject": one.subject, "created_at": _instant(one.created_at)}
            for one in case.sent
        ],
    }  # fmt: skip


def cell(value: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{value}" if value.lstrip(" ").startswith(_FORMULA) else value


def _table(case: CaseFile) -> bytes:
    kept = io.StringIO()
    writer = csv.writer(kept, lineterminator="\r\n")
    writer.writerow(["at", "zh", "en", "by", "text"])
    for one in case.timeline:
        said = [_instant(one["at"]), one["title"].zh, one["title"].in_language("en"), one["by"], one["quote"]]
        writer.writerow([cell(str(value)) for value in said])
    return b"\xef\xbb\xbf" + kept.getvalue().encode()


# The index for people


def index(case: CaseFile, *, by: str, why: str) -> str:
    """Return the index: one page in both languages, that needs nothing and points at nothing but files beside it."""
    body = [
        f"<h1>{escape(case.number)} {escape(case.organization)}</h1>",
        _rows([
            ("類別 Kind", _two(case.kind)),
            ("狀態 State", _two(case.state) if case.state else "見歷程 see the timeline"),
            ("資料時點 As of", show(case.at)), ("讀出人 Read out by", by), ("事由 Why", why),
            ("內容範圍 Holds",
             "全部 everything" if case.audience == STAFF else "會員可見的部分 what its member may see"),
        ]),
        "<p>本檔案由檢查點金鑰簽章。查驗：lianfang case verify 檔名 --key 金鑰。"
        " Signed by the key of the ledger's checkpoints; verify it with: lianfang case verify FILE --key KEY.</p>",
    ]  # fmt: skip
    for hold in case.holds:
        lifted = hold.lifted_at if hold.lifted_at and hold.lifted_at <= case.at else None
        said = f"{show(hold.placed_at)} – {show(lifted) if lifted else '仍在保全中 in force'}: {hold.reason}"
        body += ["<h2>案件保全 Legal hold</h2>", f"<p>{escape(said)}</p>"]
    for one in case.sections:
        body += [f"<h2>{escape(_two(one.title))}</h2>", _rows([(_two(line.label), line.value) for line in one.lines])]
    for decision in case.decisions:
        path = f"letters/{decision.number}"
        body += [
            f"<h2>決定 Decision {escape(decision.number)}</h2>",
            _rows([
                ("條款 Clause", decision.clause), ("理由 Reasons", decision.reason_text),
                ("另依據 Rests further on", decision.basis or ""), ("時間 At", show(decision.decided_at)),
                ("生效 Effective", show(decision.effective_at)),
                *([("審查 Reviewed by", decision.reviewed_by.name), ("決定 Decided by", decision.decided_by.name)]
                  if case.audience == STAFF else []),
            ]),
            f'<p><a href="{path}.zh.txt">信函 Letter</a> <a href="{path}.en.txt">English</a></p>',
            f"<pre>{escape(decision.letter_zh)}</pre>",
        ]  # fmt: skip
    for limit in case.limits:
        body += [
            f"<h2>期限 Time limit: {escape(_two(limit.what))}</h2>",
            _rows([("規則 Rule", limit.rule), ("天數 Days", str(limit.days or "")), ("行事曆 Calendar", limit.edition),
                   *((_two(STEPS[code]), day) for code, day in limit.steps), ("截止 Ends", limit.last_day)]),
        ]  # fmt: skip
    body += ["<h2>歷程 Timeline</h2>", _grid(
        ("時間 At", "事項 What", "人員 By", "內容 Text"),
        [(show(one["at"]), _two(one["title"]), one["by"], one["quote"]) for one in case.timeline],
    )]  # fmt: skip
    body += ["<h2>附件 Files</h2>", _linked([(one.path, one.name, one.sha256) for one in case.files])]
    if case.received:
        body.append(f"<h2>來信 Mails received</h2><p>{escape(_two(mail_words.UNVERIFIED))}</p>")
    for placement, kept in case.received:
        mail = placement.mail
        body += [
            f"<h3>{escape(mail.subject or '–')}</h3>",
            _rows([("寄件人 From", f"{mail.sender_name} <{mail.sender}>"), ("收到 Received", show(mail.received_at))]),
            f"<pre>{escape(mail.text)}</pre>", _linked([(one.path, one.name, one.sha256) for one in kept]),
        ]  # fmt: skip
    body += ["<h2>寄出的信 Mails sent</h2>", _grid(
        ("時間 At", "收件人 To", "主旨 Subject"), [(show(one.created_at), one.to, one.subject) for one in case.sent]
    )]  # fmt: skip
    body += ["<h2>帳本 Ledger</h2>", _grid(
        ("編號 Entry", "紀錄時間 Recorded", "事項 What", "樹中位置 Leaf"),
        [(one["entry"]["id"], one["entry"]["at"], f"{one['zh']} {one['en']}",
          "尚未入樹 not in the tree yet" if one["seq"] is None else str(one["seq"])) for one in case.ledger["entries"]],
    )]  # fmt: skip
    return (
        '<!doctype html>\n<html lang="zh-Hant-TW"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(case.number)}</title><style>{_STYLE}</style></head><body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _two(said: Bilingual) -> str:
    other = said.in_language("en")
    return said.zh if other == said.zh else f"{said.zh} {other}"


def _rows(rows: list[tuple[str, str]]) -> str:
    shown = "".join(f"<tr><th>{escape(label)}</th><td>{_lines(value)}</td></tr>" for label, value in rows if value)
    return f"<table>{shown}</table>"


def _grid(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    first = "".join(f"<th>{escape(one)}</th>" for one in head)
    rest = "".join("<tr>" + "".join(f"<td>{_lines(one)}</td>" for one in row) + "</tr>" for row in rows)
    return f"<table><tr>{first}</tr>{rest}</table>"


def _linked(files: list[tuple[str, str, str]]) -> str:
    shown = "".join(
        f'<li><a href="{escape(path)}">{escape(name)}</a> <code>{escape(sha)}</code></li>' for path, name, sha in files
    )
    return f"<ul>{shown}</ul>"


def _lines(value: str) -> str:
    return escape(str(value)).replace("\n", "<br>")
