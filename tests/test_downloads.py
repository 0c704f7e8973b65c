"""A set's files come to a folder whole or not at all, and nothing else stays there."""

from pathlib import Path

import pytest

from starter import downloads
from starter.downloads import prepare_folder
from starter.errors import UnusableOutput


def test_proving_a_folder_leaves_no_trace(tmp_path: Path) -> None:
    prepare_folder(tmp_path / "new" / "folder")

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["set.zip", "contact-sheet.png", "listing.md", "manifest.json"])
def test_a_folder_in_place_of_a_file_is_refused_before_anything_is_written(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()

    with pytest.raises(UnusableOutput, match=f"cannot replace .*{name}, which is no file"):
        prepare_folder(tmp_path)


def test_what_could_not_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    taken = tmp_path / "set.zip"
    taken.mkdir()

    with pytest.raises(UnusableOutput, match=r"cannot write .*set\.zip: Is a directory"):
        downloads._write(taken, b"a ZIP")
    assert list(tmp_path.iterdir()) == [taken]
