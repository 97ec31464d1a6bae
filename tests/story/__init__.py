"""The story of the product, told from outside: it knows an address, `demo.json` and the mailbox, and nothing else."""
