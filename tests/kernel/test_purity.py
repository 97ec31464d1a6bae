"""The kernel stands below every framework: it imports the standard library and itself, nothing else."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import lianfang.kernel

MODULES = sorted(Path(lianfang.kernel.__path__[0]).glob("*.py"))


def imported(source: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "absolute imports only"
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_a_module_imports_the_standard_library_and_the_kernel_only(module: Path) -> None:
    for name in imported(module.read_text(encoding="utf-8")):
        own = name.startswith("lianfang.kernel.")
        assert own or name.partition(".")[0] in sys.stdlib_module_names, f"{module.name} imports {name}"


def test_importing_all_of_it_does_not_bring_django() -> None:
    names = ", ".join(f"lianfang.kernel.{path.stem}" for path in MODULES if path.stem != "__init__")
    code = f"import sys, {names}; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
