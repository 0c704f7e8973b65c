"""The house: which way the arrows run, and that workflows stay light."""

import ast
import inspect
import subprocess
import sys
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio import activity

from activities.worker import cpu_activities
from gpu_worker.activities import open_lane
from gpu_worker.mattes.registry import Mattes
from gpu_worker.segmenters.colour import ColourRegions
from gpu_worker.worker import gpu_activities
from popcon.errors import PopconError, permanent_types
from popcon.settings import Settings
from popcon.storage import Storage
from workflows import stubs

ROOT = Path(__file__).parent.parent
PACKAGES = ("popcon", "workflows", "activities", "gpu_worker", "starter")
ARROWS = {
    "popcon": set(),
    "workflows": {"popcon"},
    "activities": {"popcon"},
    "gpu_worker": {"popcon"},
    "starter": {"popcon", "workflows"},
}
HEAVY = ("torch", "PIL", "boto3", "botocore", "cv2", "numpy", "av")


@pytest.mark.parametrize("package", PACKAGES)
def test_arrows_run_one_way(package: str) -> None:
    for file in (ROOT / package).rglob("*.py"):
        reached = {name for name in imported(file) if name in PACKAGES} - {package}
        assert reached <= ARROWS[package], f"{file.relative_to(ROOT)} reaches for {reached - ARROWS[package]}"


def test_torch_is_imported_by_the_gpu_worker_alone() -> None:
    for package in set(PACKAGES) - {"gpu_worker"}:
        for file in (ROOT / package).rglob("*.py"):
            assert "torch" not in set(imported(file)), file


def test_workflow_modules_import_nothing_heavy() -> None:
    """In a process of its own, since this one has imported everything."""
    program = f"import sys, workflows.worker, workflows.stubs; print([m for m in {HEAVY!r} if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_every_stub_has_one_implementation_of_the_same_shape(storage: Storage) -> None:
    gpu = gpu_activities(storage, open_lane(Settings()), Mattes(), ColourRegions())
    implemented = {name_of(each): each for each in (*cpu_activities(storage, Settings()), *gpu)}
    wanted = {name: each for name, each in vars(stubs).items() if hasattr(each, "__temporal_activity_definition")}
    assert wanted.keys() == implemented.keys()
    for name, stub in wanted.items():
        assert shape(implemented[name]) == shape(stub), name


def test_the_errors_that_are_not_retried_are_known_by_name() -> None:
    assert {"Permanent", "UnusablePicture", "DoesNotFit"} <= set(permanent_types())
    assert "Unavailable" not in permanent_types()
    assert PopconError.__name__ not in permanent_types()


def imported(file: Path) -> Iterator[str]:
    """The top-level names that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def name_of(implementation: typing.Any) -> str | None:
    return activity._Definition.must_from_callable(implementation).name


def shape(function: typing.Any) -> tuple[list[typing.Any], typing.Any]:
    """The types of a function's arguments and of its answer."""
    hints = typing.get_type_hints(function)
    parameters = [name for name in inspect.signature(function).parameters if name != "self"]
    return [hints[name] for name in parameters], hints["return"]
