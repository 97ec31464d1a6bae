"""The one place where "may X do Y to Z" is decided."""
