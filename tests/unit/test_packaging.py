"""What the house promises to whoever builds, locks or ships it."""

import configparser
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("bpmn", "engine", "ledger", "webapp")
SOURCES_OF_BUNDLES = "webapp/frontend/"


def tracked(*patterns: str) -> list[str]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_python_lock_holds_exact_pins_and_nothing_else():
    pin = re.compile(r"[a-z0-9][a-z0-9._-]*==[\w.!+]+( ; [\w .'<>=!()]+)?")
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    assert [line for line in lines if not line.startswith("#") and not pin.fullmatch(line)] == []


def test_npm_lock_names_digests_but_no_place_to_download_from():
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    locked = {name: package for name, package in packages.items() if name}
    assert [name for name, package in locked.items() if "resolved" in package] == []
    assert [name for name, package in locked.items() if "integrity" not in package] == []


def test_no_tracked_setting_names_a_registry():
    settings = (".npmrc", "package.json", "setup.cfg", "pyproject.toml", "requirements.lock", "Makefile", ".ci/run")
    told = re.compile(
        r"index-url|extra-index|find-links|^\s*(@\w+:)?registry\s*=|https?://(?!127\.0\.0\.1)", re.MULTILINE
    )
    assert {name: found for name in settings if (found := told.findall((ROOT / name).read_text()))} == {}


def test_setup_cfg_is_the_only_metadata():
    assert tomllib.loads((ROOT / "pyproject.toml").read_text()).keys() == {"build-system", "tool"}
    assert tracked("setup.py", "poetry.lock", "uv.lock", "Pipfile", "requirements*.txt") == []


def test_the_licence_named_is_the_licence_shipped():
    metadata = configparser.ConfigParser()
    metadata.read(ROOT / "setup.cfg")
    assert metadata["metadata"]["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text()[:200]


def test_every_direct_dependency_is_locked():
    metadata = configparser.ConfigParser()
    metadata.read(ROOT / "setup.cfg")
    wanted = metadata["options"]["install_requires"] + "".join(metadata["options.extras_require"].values())
    names = {re.split(r"[\s\[<>=]", line)[0].lower() for line in wanted.splitlines() if line and line[0] != "#"}
    locked = {line.split("==")[0] for line in (ROOT / "requirements.lock").read_text().splitlines()}
    assert names - locked == set()


def test_make_help_explains_every_target():
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (help .*)$", makefile, re.MULTILINE)
    assert phony
    printed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    explained = {line.split()[1] for line in printed.splitlines() if re.match(r"  make \S+ +\S", line)}
    assert explained == set(phony[1].split())


@pytest.mark.slow
def test_wheel_carries_every_file_of_the_packages_and_the_bundles(tmp_path: Path):
    tree = tmp_path / "tree"
    built = [str(path.relative_to(ROOT)) for path in (ROOT / "webapp/static/dist").glob("[!.]*")]
    for name in tracked(*PACKAGES, "setup.cfg", "pyproject.toml", "LICENSE", "README.md") + built:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes((ROOT / name).read_bytes())
    build = f"from setuptools import build_meta; build_meta.build_wheel({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", build], cwd=tree, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    carried = set(zipfile.ZipFile(wheel).namelist())
    expected = {name for name in tracked(*PACKAGES) if not name.startswith(SOURCES_OF_BUNDLES)} | set(built)
    assert expected - carried == set()
    assert {f"webapp/static/dist/{name}" for name in ("app.js", "plan.js", "plan.css")} <= carried
    assert [name for name in carried if name.startswith(SOURCES_OF_BUNDLES)] == []
