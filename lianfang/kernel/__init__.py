"""Plain Python that knows no framework: states, time limits, hashes, identifiers, two languages."""
