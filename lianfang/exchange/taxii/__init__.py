"""TAXII 2.1 (OASIS Standard, 10 June 2021) over the exchange log. No rules of its own: `decide` answers."""
