"""Django's PostgreSQL, with one thing more: a commit that the standby may not have is told as a failure."""
