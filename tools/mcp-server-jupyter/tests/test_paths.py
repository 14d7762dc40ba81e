"""Nothing outside the allowed root can be named."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcp_server_jupyter.errors import ErrorKind, ServerError
from mcp_server_jupyter.paths import display_path, folder_path, notebook_path, resolve_inside


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path.resolve() / "root"
    (root / "sub").mkdir(parents=True)
    (tmp_path / "secret.ipynb").write_text("{}")
    (root / "link.ipynb").symlink_to(tmp_path / "secret.ipynb")
    (root / "out").symlink_to(tmp_path, target_is_directory=True)
    (root / "in").symlink_to(root / "sub", target_is_directory=True)
    (root / "loop").symlink_to(root / "loop")
    return root


@pytest.mark.parametrize(
    "text",
    [
        "../secret.ipynb",
        "sub/../../secret.ipynb",
        "/etc/passwd",
        "link.ipynb",
        "out/secret.ipynb",
        "out/new.ipynb",
        "in/../../secret.ipynb",
        "../root-sibling/x.ipynb",
    ],
)
def test_outside_is_refused(root: Path, text: str) -> None:
    with pytest.raises(ServerError) as caught:
        resolve_inside(root, text)
    assert caught.value.kind is ErrorKind.OUTSIDE_ROOT
    assert text in caught.value.message
    assert str(root) in caught.value.message


@pytest.mark.parametrize("text", ["", "  ", "a\0.ipynb", "loop"])
def test_unusable_paths_are_refused(root: Path, text: str) -> None:
    with pytest.raises(ServerError):
        notebook_path(root, text)


@pytest.mark.parametrize(
    "text", ["a.ipynb", "sub/a.ipynb", "in/a.ipynb", "sub/../a.ipynb", "ä b.ipynb"]
)
def test_inside_is_accepted(root: Path, text: str) -> None:
    assert notebook_path(root, text).is_relative_to(root)
    assert notebook_path(root, str(root / text)) == notebook_path(root, text)


@pytest.mark.parametrize("text", ["a.py", ".bashrc", "a.ipynb.txt", "sub"])
def test_only_notebooks_are_notebooks(root: Path, text: str) -> None:
    with pytest.raises(ServerError, match="ipynb"):
        notebook_path(root, text)


def test_folders(root: Path) -> None:
    assert folder_path(root, ".") == root
    assert display_path(root, folder_path(root, "in")) == "sub"
    with pytest.raises(ServerError, match="does not exist"):
        folder_path(root, "none")
