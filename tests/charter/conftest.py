"""The same few people as the tests of accounts."""

from tests.accounts.conftest import _made, cast

__all__ = ["_made", "cast"]
