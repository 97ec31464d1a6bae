"""Pages of documents: what everybody reads, what the staff writes, and whom a version was told."""

from lianfang.charter.views.amending import (
    begin,
    clause,
    compare,
    decide,
    discard,
    draft,
    import_text,
    issue,
    listing,
    propose,
    title,
    website,
)
from lianfang.charter.views.public import (
    charter,
    charter_article,
    confidentiality,
    document_compare,
    document_version,
    privacy_notice,
)
from lianfang.charter.views.telling import member_told, post, resend, tell, telling

__all__ = [
    "begin",
    "charter",
    "charter_article",
    "clause",
    "compare",
    "confidentiality",
    "decide",
    "discard",
    "document_compare",
    "document_version",
    "draft",
    "import_text",
    "issue",
    "listing",
    "member_told",
    "post",
    "privacy_notice",
    "propose",
    "resend",
    "tell",
    "telling",
    "title",
    "website",
]
