"""Pages of intelligence: submitting, reading, and what staff do with it."""
