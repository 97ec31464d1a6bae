"""One case for every rule in which it denies: a permit that just does not hold, a forbid that alone forbids."""

from tests.policy.deny.deciding import DECIDING
from tests.policy.deny.reading import READING
from tests.policy.deny.using import USING

DENY = READING | USING | DECIDING
