"""What is installed, and from which pins."""

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PACKAGES = ["bot", "commands", "platform_adapters", "storage"]

PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[0-9A-Za-z.+!]+)(?: ; [^\\]+)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?")


def pins(file: str) -> dict[str, str]:
    """Give the pinned version of each distribution; any line that is neither pin nor hash is an error."""
    found: dict[str, str] = {}
    for line in (ROOT / "requirements" / file).read_text().splitlines():
        if pin := PIN.fullmatch(line):
            found[canonicalize_name(pin["name"])] = pin["version"]
        else:
            assert HASH.fullmatch(line), f"{file} says where packages come from, or is not pinned: {line}"
    return found


@pytest.mark.parametrize("file", ["runtime.txt", "dev.txt", "uv.txt"])
def test_requirements_are_pins_with_hashes_and_name_no_source(file: str) -> None:
    assert pins(file)


def test_requirements_fit_what_the_project_declares() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime, dev = pins("runtime.txt"), pins("dev.txt")
    assert runtime.items() <= dev.items(), "run `make requirements`"
    wanted = [(text, runtime) for text in declared["project"]["dependencies"]]
    wanted += [(text, dev) for text in declared["dependency-groups"]["dev"]]
    for text, pinned in wanted:
        requirement = Requirement(text)
        version = pinned.get(canonicalize_name(requirement.name), "0")
        assert requirement.specifier.contains(version), f"{text} is pinned as {version}; run `make requirements`"


@pytest.mark.parametrize("package", PACKAGES)
def test_no_other_distribution_owns_our_package_names(package: str) -> None:
    """The names are generic: a dependency that brings one of them would hide ours, or be hidden."""
    owners = {canonicalize_name(name) for name in packages_distributions().get(package, [])}
    assert owners <= {"lapsebot"}


def test_the_wheel_holds_every_file_of_the_four_packages_and_no_other(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = (file for package in PACKAGES for file in (ROOT / package).rglob("*") if file.is_file())
    assert packed == {str(file.relative_to(ROOT)) for file in files if "__pycache__" not in file.parts}
