"""Each house rule lets its good example pass, refuses its bad one, and the tree keeps it."""

from __future__ import annotations

import subprocess
from functools import cache

import pytest

from tests.database import ROOT
from tests.lint import rules
from tests.lint.rules import ALLOWED, RULES, Finding, Rule, look

# What others wrote and we ship as it came.
VENDORED = (".min.css", ".min.js", "-LICENSE.txt", "requirements/", "LICENSE")


@cache
def tree() -> dict[str, str]:
    """Path -> text of each file that is, or is about to be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout.split("\0")
    found = {}
    for path in listed:
        if not path or any(part in path for part in VENDORED):
            continue
        try:
            found[path] = (ROOT / path).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue  # an image or a data file; or removed and not yet committed
    return found


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_good_example_passes(rule: Rule) -> None:
    path, text = rule.good
    assert rule.concerns(path)
    assert list(rule.find(path, text)) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_bad_example_is_found(rule: Rule) -> None:
    path, text = rule.bad
    assert rule.concerns(path)
    assert rule.name in {finding.rule for finding in look(path, text)}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_tree_keeps(rule: Rule) -> None:
    broken = [
        str(Finding(rule.name, path, line, message))
        for path, text in tree().items()
        if rule.concerns(path) and (rule.name, path) not in ALLOWED and "/migrations/" not in path
        for line, message in rule.find(path, text)
    ]
    assert not broken, "\n".join([rule.sentence, *broken])


@pytest.mark.parametrize(("name", "path"), ALLOWED, ids=lambda part: str(part))
def test_every_exception_is_still_needed(name: str, path: str) -> None:
    rule = next(rule for rule in RULES if rule.name == name)
    assert list(rule.find(path, (ROOT / path).read_text(encoding="utf-8"))), f"{path} keeps {name}: drop the exception"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("lianfang/exchange/taxii/views.py", "from lianfang.intel import models\nmodels.Item.objects.all()\n"),
        ("lianfang/web/overview.py", "from lianfang.intel.models import Item as Thing\nThing._default_manager.all()\n"),
        ("lianfang/outbox/actions.py", "Delivery.objects.filter(pk=1).update(state='sent')\n"),
        ("lianfang/members/views.py", "person.save()\n"),
        ("lianfang/members/views.py", "person.delete()\n"),
        ("lianfang/members/queries.py", "Membership.objects.create(ubn='1')\n"),
        ("lianfang/web/templates/a.html", '<p onclick="x()">\n'),
        ("lianfang/web/templates/a.html", '<div\n style="color:red">\n'),
        ("lianfang/web/templates/a.html", "<script>go()</script>\n"),
        ("lianfang/web/templates/a.html", "{% autoescape off %}\n"),
        ("lianfang/web/a.py", "import subprocess\nsubprocess.run('ls', shell=True)\n"),
        ("lianfang/web/a.py", "import pickle\n"),
        ("lianfang/web/a.py", "from django.utils import timezone\nx = Field(default=timezone.now)\n"),
        ("lianfang/web/a.py", "import datetime\nx = datetime.datetime.utcnow()\n"),
        ("lianfang/web/queries.py", "rows.order_by(request.GET['sort'])\n"),
        ("lianfang/web/queries.py", "rows.order_by(*chosen)\n"),
        ("lianfang/web/queries.py", "Item.objects.values_list(column)\n"),
        ("lianfang/web/queries.py", "Item.objects.all().extra(where=['1=1'])\n"),
        ("lianfang/web/actions.py", "Item.objects.create(**form.cleaned_data)\n"),
        ("lianfang/web/queries.py", "rows.filter(Q(**request.GET.dict()))\n"),
        ("lianfang/web/static/web/a.js", "localStorage.setItem('a', b);\n"),
        ("lianfang/web/static/web/a.js", "window.addEventListener('message', go);\n"),
        ("lianfang/web/static/web/a.js", "field.onpaste = stop;\n"),
        ("lianfang/web/static/web/a.js", "setTimeout('go()', 1);\n"),
        ("lianfang/intel/shown.py", "import requests\n"),
        ("lianfang/intel/shown.py", "from urllib import request\n"),
        ("lianfang/intel/shown.py", "import http.client as web\n"),
    ],
)
def test_other_ways_to_break_a_rule_are_found(path: str, text: str) -> None:
    assert look(path, text)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("lianfang/exchange/actions.py", "Note.objects.create(a=1)\n"),
        ("lianfang/exchange/taxii/actions/notes.py", "Note.objects.create(a=1)\n"),
        ("lianfang/intel/models.py", "class A(Model):\n    def save(self):\n        super().save()\n"),
        ("lianfang/web/views.py", "values.update(a=1)\nhasher.update(b'x')\nimage.save(buffer)\n"),
        ("lianfang/web/templates/a.html", '<script type="application/json" id="x">{{ a }}</script>\n'),
        ("lianfang/web/templates/a.html", '<c-button version="on">\n<p class="is-invalidated">\n'),
        ("lianfang/web/queries.py", "rows.order_by('-at', F('pk').desc(), *NEWEST, words.OLDEST)\nnames.values(key)\n"),
        ("lianfang/web/queries.py", "Item.objects.filter(**{f'{field}__in': pks}).values_list('pk', flat=True)\n"),
        ("lianfang/web/views.py", "actions.open(**form.cleaned_data, by=s, at=t)\nfrom urllib.parse import quote\n"),
    ],
)
def test_what_only_looks_like_a_breach_passes(path: str, text: str) -> None:
    assert not look(path, text)


def test_forbidden_classes_are_those_that_draw_with_data_images() -> None:
    css = next((ROOT / "lianfang/web/static").glob("**/bootstrap*.css")).read_text(encoding="utf-8")
    from_css = {name for name in rules.FORBIDDEN_CLASSES if f".{name}" in css}
    assert from_css == set(rules.FORBIDDEN_CLASSES)
