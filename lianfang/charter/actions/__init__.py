"""What is written about documents: texts loaded, accepted and amended, members told, the duty acknowledged."""

from lianfang.charter.actions.amending import (
    approve_amendment,
    begin_amendment,
    discard_amendment,
    faults_of,
    propose_amendment,
    record_website,
    return_amendment,
    save_amendment,
)
from lianfang.charter.actions.documents import (
    MODEL_KINDS,
    accept,
    acknowledge,
    import_document,
    load_document,
    load_models,
    model_text,
    text_digest,
)
from lianfang.charter.actions.publishing import (
    finish_issue,
    order_issue,
    record_post,
    resend_to,
    tell_another,
)

__all__ = [
    "MODEL_KINDS",
    "accept",
    "acknowledge",
    "approve_amendment",
    "begin_amendment",
    "discard_amendment",
    "faults_of",
    "finish_issue",
    "import_document",
    "load_document",
    "load_models",
    "model_text",
    "order_issue",
    "propose_amendment",
    "record_post",
    "record_website",
    "resend_to",
    "return_amendment",
    "save_amendment",
    "tell_another",
    "text_digest",
]
