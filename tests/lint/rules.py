"""The house rules that no general tool knows, each with an example that it lets pass and one that it refuses.

A rule looks at one file and yields (line, what is wrong). Exceptions stand in `ALLOWED`, each with its reason; an
exception that is no longer needed fails a test.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import PurePosixPath

__all__ = ["ALLOWED", "RULES", "Finding", "Rule", "look"]

Found = Iterator[tuple[int, str]]

ALLOWED: dict[tuple[str, str], str] = {
    ("state-by-machine", "lianfang/kernel/machine.py"): "the one place that sets a state",
    ("writes-in-actions", "lianfang/vault/models.py"): "a subject key is made by the row that it seals, in its action",
    ("nothing-run-from-text", "lianfang/web/forms.py"): "marks what Django's own template engine has rendered",
    ("nothing-run-from-text", "lianfang/web/templatetags/web.py"): "marks our own icons, read from files of the tree",
    ("nothing-run-from-text", "lianfang/accounts/adapter.py"): "marks the QR code that allauth draws",
    ("clock", "lianfang/kernel/clock.py"): "the one place that reads the clock of this process",
    ("own-questions", "lianfang/accounts/paging.py"): "turns the order of columns round that a query gave",
    ("no-calls-out", "lianfang/outbox/sender.py"): "speaks to the operator's own mail server, which EMAIL_URL names",
    ("no-calls-out", "lianfang/accounts/federation/fetch.py"): (
        "asks a member's own identity provider, whose address its administrator set up, behind guards of its own"
    ),
    ("no-calls-out", "lianfang/mailroom/fetch.py"): "asks the operator's own mailbox, which IMAP_URL names",
    ("no-calls-out", "lianfang/supervise.py"): "takes the port of the web server and asks it whether it is up",
    ("no-calls-out", "lianfang/doorkeeper.py"): "gathers the requests of the web server's own clients",
    ("no-calls-out", "lianfang/mailbox.py"): "answers as the demonstration's mail server",
}
"""(rule, path) -> why the rule does not hold there."""

# Models whose rows may only be read through `queries`, which ask the policy.
PROTECTED = "lianfang.intel"
# Each draws its sign with a data: image, which the content security policy refuses.
FORBIDDEN_CLASSES = frozenset(
    {
        "accordion-button",
        "btn-close",
        "carousel-control-next-icon",
        "carousel-control-prev-icon",
        "form-check-input",
        "form-select",
        "form-switch",
        "is-invalid",
        "is-valid",
        "navbar-toggler-icon",
        "was-validated",
    }
)
LONGEST_FILE = 900


@dataclass(frozen=True)
class Finding:
    """One breach of one rule."""

    rule: str
    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message} [{self.rule}]"


@dataclass(frozen=True)
class Rule:
    """`good` and `bad` are (path, content) of a file as it might stand in the tree."""

    name: str
    sentence: str
    paths: tuple[str, ...]
    find: Callable[[str, str], Found]
    good: tuple[str, str]
    bad: tuple[str, str]

    def concerns(self, path: str) -> bool:
        return any(fnmatch(path, pattern) for pattern in self.paths)


def look(path: str, text: str) -> list[Finding]:
    """All breaches in one file, exceptions left out."""
    return [
        Finding(rule.name, path, line, message)
        for rule in RULES
        if rule.concerns(path) and (rule.name, path) not in ALLOWED
        for line, message in rule.find(path, text)
    ]


def _nodes(text: str) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(text))


def _dotted(node: ast.AST) -> str:
    """`a.b.c` for a chain of names, calls left out: `Item.objects.filter(x=1)` gives Item.objects.filter."""
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    if isinstance(node, ast.Call):
        return _dotted(node.func)
    if isinstance(node, ast.Subscript):
        return _dotted(node.value)
    return node.id if isinstance(node, ast.Name) else ""


def _protected_objects(_: str, text: str) -> Found:
    names: set[str] = set()
    for node in _nodes(text):
        if isinstance(node, ast.ImportFrom) and node.module == f"{PROTECTED}.models":
            names |= {alias.asname or alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module == PROTECTED:
            names |= {f"{alias.asname or alias.name}" for alias in node.names if alias.name == "models"}
    for node in _nodes(text):
        if isinstance(node, ast.Attribute) and node.attr in {"objects", "_base_manager", "_default_manager"}:
            base = _dotted(node.value)
            if base.split(".")[0] in names or f"{PROTECTED}.models." in base:
                yield node.lineno, f"{base}.{node.attr}: ask {PROTECTED}.queries, which asks the policy"


def _state_by_machine(_: str, text: str) -> Found:
    for node in _nodes(text):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
        )
        for target in targets:
            if isinstance(target, ast.Attribute) and target.attr == "state":
                yield target.lineno, "a state changes by machine.move(...) alone"
        if isinstance(node, ast.Call) and _dotted(node.func).endswith(".update"):
            chain = _dotted(node.func).split(".")
            if "objects" in chain and any(word.arg == "state" for word in node.keywords):
                yield node.lineno, "a state changes by machine.move(...) alone, also in bulk"


_MANAGER_WRITES = frozenset({"create", "bulk_create", "get_or_create", "update_or_create", "bulk_update"})
_MANAGER_WRITES |= {"update", "delete", "acreate", "aupdate", "adelete"}
_QUERYSET = frozenset(["objects", "filter", "exclude", "all", "select_for_update", "order_by", "select_related"])


_WRITERS = re.compile(r"/(actions|intake|store|tasks)(\.py|/)")


def _writes(path: str, text: str) -> Found:
    if _WRITERS.search(path):
        return
    in_model = PurePosixPath(path).name == "models.py" or "/models/" in path
    for node in _nodes(text):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        name, chain = node.func.attr, _dotted(node.func.value).split(".")
        on_super = isinstance(node.func.value, ast.Call) and _dotted(node.func.value) == "super"
        if name == "save" and not (on_super and in_model) and not _looks_like_a_file(node):
            yield node.lineno, "save() belongs into an action"
        if name in _MANAGER_WRITES and _QUERYSET & set(chain):
            yield node.lineno, f"{name}() on a query belongs into an action"
        if name == "delete" and not node.args and not _QUERYSET & set(chain) and not (on_super and in_model):
            yield node.lineno, "delete() belongs into an action"


def _looks_like_a_file(node: ast.Call) -> bool:
    """`image.save(buffer)` and `storage.save(name, content)` have positional arguments; a model's save() has none."""
    return bool(node.args)


_TEMPLATE_PATTERNS = (
    (re.compile(r"\sstyle\s*=", re.I), "no style attribute: the content security policy drops it"),
    (re.compile(r"<style\b", re.I), "no inline style element"),
    (re.compile(r"\son[a-z]+\s*=\s*[\"']", re.I), "no event attribute: scripts live in static files"),
    (re.compile(r"\bhx-on\b|\bhx-confirm\b|[\"']js:", re.I), "no script in an htmx attribute; confirm on a page"),
    (re.compile(r"\|\s*safe(seq)?\b|\{%\s*autoescape\s+off"), "nothing is marked safe in a template"),
    (re.compile(r"href\s*=\s*[\"']\s*javascript:", re.I), "no javascript: address"),
)
_SCRIPT = re.compile(r"<script\b([^>]*)>", re.I)


def _templates(_: str, text: str) -> Found:
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, message in _TEMPLATE_PATTERNS:
            if pattern.search(line):
                yield number, message
    for tag in _SCRIPT.finditer(text):
        if "src=" not in tag[1] and 'type="application/json"' not in tag[1]:
            yield text.count("\n", 0, tag.start()) + 1, "a script has a src, or is data of type application/json"


_CLASSES = re.compile(r"""class\s*=\s*(?:"([^"]*)"|'([^']*)')""")


def _classes(_: str, text: str) -> Found:
    for found in _CLASSES.finditer(text):
        for name in sorted(FORBIDDEN_CLASSES & set(re.split(r"[^\w-]+", found[1] or found[2] or ""))):
            yield text.count("\n", 0, found.start()) + 1, f"class {name} draws with a data: image, which is refused"


def _unsafe(_: str, text: str) -> Found:
    for node in _nodes(text):
        if isinstance(node, ast.ImportFrom) and {a.name for a in node.names} & {"mark_safe", "SafeString", "SafeText"}:
            yield node.lineno, "mark_safe: use format_html or a template"
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            for name in [module, *(alias.name for alias in node.names)]:
                if name.split(".")[0] in {"pickle", "cPickle", "shelve", "marshal", "dill"}:
                    yield node.lineno, f"{name} runs what it reads"
        if isinstance(node, ast.Call):
            if any(word.arg == "shell" and getattr(word.value, "value", None) is True for word in node.keywords):
                yield node.lineno, "shell=True: pass a list of words"
            if _dotted(node.func) in {"os.system", "os.popen", "eval", "exec"}:
                yield node.lineno, f"{_dotted(node.func)} runs text as a program"


_READ_FROM_OUTSIDE = re.compile(r"\b(GET|POST|FILES|COOKIES|META|headers|cleaned_data|data)\b")
_QUESTIONS = frozenset({"filter", "exclude", "get", "annotate", "aggregate", "alias", "values", "values_list", "Q"})
_QUESTIONS |= {"create", "update", "get_or_create", "update_or_create", "extra", "order_by", "only", "defer"}
_BY_NAME = frozenset({"order_by", "values", "values_list", "only", "defer"})


def _own_words(node: ast.AST) -> bool:
    """A constant, an expression of the query language, or names that this module writes in capitals."""
    if isinstance(node, ast.Starred):
        return _own_words(node.value)
    if isinstance(node, ast.Name | ast.Attribute):
        return _dotted(node).split(".")[-1].isupper()
    return isinstance(node, ast.Constant | ast.Call)


def _questions(_: str, text: str) -> Found:
    for node in _nodes(text):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute | ast.Name):
            continue
        name = _dotted(node.func).split(".")[-1]
        if name not in _QUESTIONS:
            continue
        for word in node.keywords:
            if word.arg is None and _READ_FROM_OUTSIDE.search(ast.unparse(word.value)):
                yield node.lineno, f"{name}(**…) asks by names that somebody sent: name each field"
        if name == "extra":
            yield node.lineno, "extra() takes SQL as text"
        if name in _BY_NAME and isinstance(node.func, ast.Attribute) and _is_a_query(name, node.func.value):
            for argument in node.args:
                if not _own_words(argument):
                    yield node.lineno, f"{name}({ast.unparse(argument)}): a column is chosen by a name of this module"


def _is_a_query(name: str, node: ast.AST) -> bool:
    """`values()` of a dict is something else; nothing but a query is ordered by."""
    return name == "order_by" or bool(_QUERYSET & set(_dotted(node).split(".")))


_CALLERS = frozenset({"requests", "httpx", "aiohttp", "urllib3", "socket", "ssl", "ftplib", "telnetlib", "smtplib"})
_CALLERS |= {"http.client", "urllib.request", "xmlrpc", "paramiko", "websockets", "imaplib", "poplib"}


def _calls_out(_: str, text: str) -> Found:
    for node in _nodes(text):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            if name in _CALLERS or name.split(".")[0] in _CALLERS:
                yield getattr(node, "lineno", 1), f"{name}: the product calls nobody; what it needs is brought to it"


_LOUD = (
    (re.compile(r"\b(?:innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc)\b"), "text is set as text"),
    (re.compile(r"\beval\s*\(|\bnew\s+Function\b|\bsetTimeout\s*\(\s*[\"']"), "no text is run"),
    (re.compile(r"\b(?:localStorage|sessionStorage|indexedDB|document\.cookie)\b"), "nothing is kept in the browser"),
    (re.compile(r"\bpostMessage\b|[\"']message[\"']"), "no script talks to another window"),
    (re.compile(r"[\"']paste[\"']|onpaste"), "whatever is pasted is taken"),
    (re.compile(r"__proto__|\.prototype\b|Object\.assign"), "no object takes names from outside"),
)


def _scripts(_: str, text: str) -> Found:
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, message in _LOUD:
            if pattern.search(line):
                yield number, message


_NOW = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "timezone.now", "datetime.datetime.now"}
_NOW |= {"datetime.datetime.utcnow", "datetime.date.today", "django.utils.timezone.now"}


def _clock(_: str, text: str) -> Found:
    for node in _nodes(text):
        # Also without parentheses: `default=timezone.now` on a field reads the clock behind the caller's back.
        if isinstance(node, ast.Attribute) and _dotted(node) in _NOW:
            yield node.lineno, f"{_dotted(node)}: time is an argument; doors read it from lianfang.kernel.clock"


def _length(_: str, text: str) -> Found:
    lines = text.count("\n")
    if lines > LONGEST_FILE:
        yield LONGEST_FILE, f"{lines} lines; a file has at most {LONGEST_FILE}"


# Put together so that this file does not break its own rule.
_PLACES = re.compile(
    "|".join([r"(?<![\w.])/wor" + "k/", "pypi" + r"\.org", "pythonhosted" + r"\.org", "npmjs" + r"\.(?:org|com)"])
)


def _placeless(_: str, text: str) -> Found:
    for number, line in enumerate(text.splitlines(), 1):
        if found := _PLACES.search(line):
            yield number, f"{found[0]} is an address of one machine or of a package registry"


PYTHON = ("lianfang/*.py", "config/*.py")
_OUTSIDE_ACTIONS = (
    "lianfang/*/views.py",
    "lianfang/*/views/*.py",
    "lianfang/*/urls.py",
    "lianfang/*/templatetags/*.py",
)
_OUTSIDE_ACTIONS += ("lianfang/*/forms.py", "lianfang/*/forms/*.py", "lianfang/exchange/*.py", "lianfang/web/*.py")

RULES: tuple[Rule, ...] = (
    Rule(
        "protected-objects",
        "Pages and machine doors reach protected rows through queries, never through a manager.",
        _OUTSIDE_ACTIONS,
        _protected_objects,
        ("lianfang/intel/views.py", "from lianfang.intel import queries\nqueries.get_visible(subject=s)\n"),
        ("lianfang/intel/views.py", "from lianfang.intel.models import Item\nItem.objects.get(pk=1)\n"),
    ),
    Rule(
        "state-by-machine",
        "A state is set by machine.move alone.",
        ("lianfang/*.py",),
        _state_by_machine,
        ("lianfang/members/actions.py", "MEMBERSHIP.move(case, 'approve')\ncase.save()\n"),
        ("lianfang/members/actions.py", "case.state = 'approved'\n"),
    ),
    Rule(
        "writes-in-actions",
        "Rows are written in actions, intake, store and tasks; queries, views and forms only read.",
        (
            *_OUTSIDE_ACTIONS,
            "lianfang/*/queries.py",
            "lianfang/*/models.py",
            "lianfang/*/models/*.py",
            "lianfang/*/middleware.py",
            "lianfang/*/words.py",
            "lianfang/*/adapter.py",
        ),
        _writes,
        ("lianfang/members/views.py", "from lianfang.members import actions\nactions.approve(case=c, by=s, at=t)\n"),
        ("lianfang/members/views.py", "Application.objects.filter(pk=1).update(number='A-1')\n"),
    ),
    Rule(
        "inert-templates",
        "Templates hold no inline style or script and mark nothing as safe.",
        ("lianfang/*.html",),
        _templates,
        (
            "lianfang/web/templates/web/a.html",
            '<p class="note">{{ text }}</p>\n<script src="{% static "a.js" %}"></script>\n',
        ),
        ("lianfang/web/templates/web/a.html", "<p>{{ text|safe }}</p>\n"),
    ),
    Rule(
        "quiet-scripts",
        "Our scripts set text as text, run none, keep nothing and talk to nobody.",
        ("lianfang/*/static/*.js",),
        _scripts,
        ("lianfang/web/static/web/a.js", 'live.textContent = words;\nbutton.addEventListener("click", go);\n'),
        ("lianfang/web/static/web/a.js", "live.innerHTML = words;\n"),
    ),
    Rule(
        "classes-without-data-images",
        "Bootstrap's classes that draw with data: images are not used.",
        ("lianfang/*.html",),
        _classes,
        ("lianfang/web/templates/web/a.html", '<select class="form-control"></select>\n'),
        ("lianfang/web/templates/web/a.html", '<select class="wide form-select"></select>\n'),
    ),
    Rule(
        "nothing-run-from-text",
        "No pickle, no shell, no eval; HTML is made by templates and format_html.",
        PYTHON,
        _unsafe,
        ("lianfang/web/icons.py", "from django.utils.html import format_html\n"),
        ("lianfang/web/icons.py", "from django.utils.safestring import mark_safe\n"),
    ),
    Rule(
        "own-questions",
        "The database is asked by names that the code writes: nothing that was sent becomes a field, an order or SQL.",
        PYTHON,
        _questions,
        ("lianfang/intel/queries.py", "Item.objects.filter(tlp=form.cleaned_data['tlp']).order_by('-at', *NEWEST)\n"),
        ("lianfang/intel/queries.py", "Item.objects.filter(**request.GET.dict())\n"),
    ),
    Rule(
        "no-calls-out",
        "Nothing in the product opens a connection but to its database, its mail server and members' providers.",
        PYTHON,
        _calls_out,
        ("lianfang/intel/intake.py", "from urllib.parse import urlsplit\n"),
        ("lianfang/intel/intake.py", "from urllib.request import urlopen\n"),
    ),
    Rule(
        "clock",
        "Time is an argument; the clock of the process is read in kernel.clock alone.",
        PYTHON,
        _clock,
        ("lianfang/members/views.py", "from lianfang.kernel.clock import utcnow\nat = utcnow()\n"),
        ("lianfang/members/views.py", "from datetime import UTC, datetime\nat = datetime.now(UTC)\n"),
    ),
    Rule(
        "length",
        "No file is longer than 900 lines.",
        ("lianfang/*.py", "config/*.py", "tests/*.py", "bench/*.py"),
        _length,
        ("lianfang/web/a.py", "a = 1\n"),
        ("lianfang/web/a.py", "a = 1\n" * 901),
    ),
    Rule(
        "placeless",
        "The tree names no package registry and no folder of one machine.",
        ("*",),
        _placeless,
        ("README.md", "Run ./run in the framework/ folder.\n"),
        ("README.md", "Run it in /wor" + "k/main.\n"),
    ),
)
