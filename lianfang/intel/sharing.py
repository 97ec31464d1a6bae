"""That a member shared, as a fact of its participation (charter 1.2): when and how much, never what or for whom."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from lianfang.intel.intake import ACCEPTED, NEW_VERSION
from lianfang.intel.models import Submission
from lianfang.kernel.text import Bilingual
from lianfang.members.participation import Supplied

_SHARED = Bilingual(zh="提交情資，收下{n}個物件", en="Submitted intelligence, {n} objects taken in")


def shared(since: datetime, until: datetime) -> Iterator[Supplied]:
    """Return the submissions of that time of which something was taken in, each as one fact of its group."""
    rows = Submission.objects.filter(received_at__gte=since, received_at__lt=until)
    for one in rows.order_by("received_at", "pk").iterator(chunk_size=500):
        taken = sum(result["outcome"] in (ACCEPTED, NEW_VERSION) for result in one.results)
        if taken:
            yield Supplied(
                group=one.group_id,
                kind="sharing",
                outcome="took_part",
                occurred_at=one.received_at,
                key=str(one.pk),
                text=_SHARED.format(n=taken),
                evidence=str(one.pk),
            )
