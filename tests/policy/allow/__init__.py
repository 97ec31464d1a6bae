"""One case for every rule in which it allows: a permit that alone permits, a forbid that just does not speak."""

from tests.policy.allow.deciding import DECIDING
from tests.policy.allow.reading import READING
from tests.policy.allow.using import USING

ALLOW = READING | USING | DECIDING
