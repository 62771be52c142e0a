"""Makes the tree ready to run: virtual environment, locked packages, Node, front-end bundles; for tests also a browser.

Every step leaves a stamp inside what it makes, holding a digest of what it was made from. So an unchanged step is
skipped, and removing a product removes its stamp. Standard library only: this runs before anything is installed.

    python3 tools/prepare.py            what running needs
    python3 tools/prepare.py --dev      what tests and linters need, too
    python3 tools/prepare.py --browser  a Chromium for the browser tests, too
    python3 tools/prepare.py --lock     resolve both lock files anew
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
PYTHON = BIN / "python"
LOCK = ROOT / "requirements.lock"
FRONTEND = ROOT / "webapp" / "frontend"
BUNDLES = ROOT / "webapp" / "static" / "dist"

OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 20
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

LOCK_HEADER = "# Exact versions for running, testing and building; written by `make lock` from setup.cfg.\n"


class Trouble(Exception):
    """A step that cannot be taken; the message says what the person can do."""


class CommandFailed(Trouble):
    def __init__(self, command: tuple[str | Path, ...], output: str) -> None:
        self.output = output
        tail = "\n".join(output.strip().splitlines()[-30:])
        super().__init__(f"{tail}\n命令失败：{' '.join(map(str, command))}")


def run(*command: str | Path, env: Mapping[str, str] | None = None) -> str:
    """What the command printed; it is shown to nobody unless the command fails."""
    done = subprocess.run(
        command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CommandFailed(command, done.stdout + done.stderr)
    return done.stdout


# -- steps and stamps


def digest(*facts: object) -> str:
    """One digest of all facts; a path counts with its contents."""
    total = hashlib.sha256()
    for fact in facts:
        content = fact.read_bytes() if isinstance(fact, Path) else str(fact).encode()
        total.update(hashlib.sha256(content).digest())
    return total.hexdigest()


@contextmanager
def progress(title: str) -> Iterator[None]:
    """One line for each thing done, and how long it took."""
    print(f"  {title} … ", end="", flush=True)
    started = time.monotonic()
    try:
        yield
    except Trouble:
        print("失败")
        raise
    print(f"完成（{time.monotonic() - started:.1f} 秒）")


def step(title: str, stamp: Path, made_from: str, work: Callable[[], object]) -> None:
    """Does the work unless its stamp says that it was done from the same things."""
    if stamp.is_file() and stamp.read_text() == made_from:
        print(f"  {title} … 已就绪")
        return
    with progress(title):
        work()
        stamp.write_text(made_from)


# -- Python


def check_python() -> None:
    if sys.version_info < OLDEST_PYTHON:
        raise Trouble(
            f"需要 Python 3.11 或更高版本，当前是 {platform.python_version()}；"
            "已装有新版本时可指定：make PYTHON=python3.12 setup"
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        missing = "缺少 Python 的 venv 模块，请先安装 python3-venv（Debian / Ubuntu：apt-get install python3-venv）"
        raise Trouble(missing) from None


def prepare_venv() -> None:
    stamp = VENV / ".duban"
    if not PYTHON.exists():  # the machine's Python went away under it
        stamp.unlink(missing_ok=True)
    # scripts in the environment carry its absolute path: a moved tree needs a new one
    step("虚拟环境", stamp, digest(sys.version, str(VENV)), lambda: run(sys.executable, "-m", "venv", "--clear", VENV))


def prepare_packages(*, dev: bool) -> None:
    made_from = digest(LOCK, ROOT / "setup.cfg", ROOT / "pyproject.toml")
    run_stamp, dev_stamp = VENV / ".duban-run", VENV / ".duban-dev"
    if dev:
        step("Python 依赖（含测试工具）", dev_stamp, made_from, lambda: install(".[dev]"))
    else:
        satisfied = dev_stamp.is_file() and dev_stamp.read_text() == made_from
        step("Python 依赖", dev_stamp if satisfied else run_stamp, made_from, lambda: install("."))


def install(project: str) -> None:
    """Installs the project editable with its locked packages: uv in a fraction of pip's time, or else pip."""
    wanted = ["--constraint", str(LOCK), "--editable", project]
    try:
        run(uv(), "pip", "install", "--python", PYTHON, *uv_constraints(), *wanted, env=uv_environment())
    except (CommandFailed, OSError):
        print("uv 不可用，改用 pip … ", end="", flush=True)
        run(PYTHON, "-m", "pip", "install", *wanted)


def uv() -> Path:
    if not (BIN / "uv").exists():
        run(PYTHON, "-m", "pip", "install", "--constraint", LOCK, "uv")
    return BIN / "uv"


def pip_settings() -> dict[str, str]:
    """The settings that pip itself would follow on this machine; of one name the strongest source wins."""
    strength = {"global": 0, "install": 1, ":env:": 2}
    found: dict[str, tuple[int, str]] = {}
    for line in run(PYTHON, "-m", "pip", "config", "list").splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.rpartition(".")
        rank = strength.get(section, -1)
        if rank >= found.get(name, (0, ""))[0]:
            found[name] = (rank, ast.literal_eval(value))
    return {name: value for name, (_, value) in found.items()}


def uv_environment() -> dict[str, str]:
    """pip's settings in uv's words, since uv does not read pip.conf; what is already said in uv's words stands."""
    said = pip_settings()
    words = {
        "UV_DEFAULT_INDEX": said.get("index-url", ""),
        "UV_INDEX": " ".join(said.get("extra-index-url", "").split()),
        "UV_FIND_LINKS": ",".join(said.get("find-links", "").split()),
        "UV_INSECURE_HOST": " ".join(said.get("trusted-host", "").split()),
        "UV_NO_INDEX": "1" if said.get("no-index", "").lower() in {"1", "true", "yes", "on"} else "",
        "UV_HTTP_TIMEOUT": said.get("timeout", said.get("default-timeout", "")),
        "SSL_CERT_FILE": said.get("cert", ""),
        "ALL_PROXY": said.get("proxy", ""),
        # pip looks for the best version in all indexes alike
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_PYTHON_DOWNLOADS": "never",
    }
    return {**{name: value for name, value in words.items() if value}, **os.environ}


def uv_constraints() -> Iterator[str]:
    for path in pip_settings().get("constraint", "").split():
        yield from ("--constraint", path)


# -- Node and the bundles


def node_environment() -> dict[str, str]:
    """An environment whose PATH finds node and npm: the machine's, when new enough, else those in `.venv`."""
    if machine_node_is_new_enough():
        return dict(os.environ)
    return {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"}


def machine_node_is_new_enough() -> bool:
    node = shutil.which("node")
    if not node or not shutil.which("npm"):
        return False
    try:
        version = run(node, "--version")
    except (CommandFailed, OSError):
        return False
    return int(version.lstrip("v").split(".")[0]) >= OLDEST_NODE


def prepare_node() -> None:
    if not machine_node_is_new_enough():
        step("Node（装入 .venv）", VENV / ".node", digest(LOCK), lambda: install(".[tools]"))


def install_npm_packages() -> None:
    # esbuild's program is a package of its own, so no package needs to run a script here
    run("npm", "ci", "--ignore-scripts", env=node_environment())


def bundle() -> None:
    run("npm", "run", "--silent", "bundle", env=node_environment())


def prepare_frontend() -> None:
    manifests = [ROOT / name for name in ("package.json", "package-lock.json", ".npmrc")]
    prepare_node()
    modules = ROOT / "node_modules" / ".duban"
    step("前端依赖", modules, digest(*manifests, platform.machine()), install_npm_packages)
    sources = sorted(path for path in FRONTEND.rglob("*") if path.is_file())
    names = [str(path.relative_to(FRONTEND)) for path in sources]
    step("前端打包", BUNDLES / ".duban", digest(*manifests, *sources, *names), bundle)


# -- a browser for the tests


def prepare_browser() -> None:
    """Chromium cannot come from PyPI or npm: it is the machine's own."""
    if any(map(shutil.which, BROWSERS)):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        print("  没有找到 Chromium，浏览器测试将跳过；请安装：apt-get install chromium fonts-noto-cjk")
        return
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with progress("浏览器测试用的 Chromium"):
        run("apt-get", "-q", "update", env=quiet)
        run("apt-get", "-q", "install", "--yes", "--no-install-recommends", "chromium", "fonts-noto-cjk", env=quiet)


# -- the lock files


def lock() -> None:
    """Resolves for every platform and writes names and versions only: no host, no index, no path of this machine."""
    command = ("pip", "compile", "setup.cfg", "--all-extras", "--universal", "--python-version", "3.11", "--upgrade")
    said_plainly = ("--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links")
    with progress("requirements.lock"):
        pins = run(uv(), *command, *said_plainly, "--quiet", env=uv_environment())
        LOCK.write_text(LOCK_HEADER + pins)
    with progress("package-lock.json"):
        run("npm", "update", "--package-lock-only", "--ignore-scripts", env=node_environment())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("--dev", "--browser", "--lock"):
        parser.add_argument(option, action="store_true")
    options = parser.parse_args()
    os.environ.setdefault("PYTHONUTF8", "1")
    try:
        check_python()
        prepare_venv()
        if options.lock:
            lock()
        prepare_packages(dev=options.dev)
        prepare_frontend()
        if options.browser:
            prepare_browser()
    except Trouble as trouble:
        sys.exit(str(trouble))


if __name__ == "__main__":
    main()
