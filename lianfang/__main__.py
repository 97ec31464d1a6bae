"""`python -m lianfang`: the operator's commands."""

from lianfang.cli import main

raise SystemExit(main())
