"""The packages of the Node rows: each peer in a folder of its own, ours as `npm install` leaves it.

`run.py` calls it. Apart, because generations of OpenTelemetry do not go together, and because the size of
what a library brings is a row.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

Call = Callable[..., None]

# `package.json` of each subject that is not ours.
PEERS = {
    "opentelemetry": "package.json",
    "sdk_trace3": "peers/sdk_trace3/package.json",
    "ddtrace": "peers/ddtrace/package.json",
    "sentry": "peers/sentry/package.json",
    "mastra": "peers/mastra/package.json",
}
MB = 1e6


class NodePackages:
    """Where each subject's packages are, and how large they are."""

    def __init__(self, root: Path, cache: Path, target: Path, call: Call) -> None:
        self.root, self.cache, self.target, self.call = root, cache, target, call
        self.folders: dict[str, Path] = {}
        self.sizes: dict[str, dict[str, float]] = {}

    def install(self, subjects: set[str]) -> None:
        """The peers among these, once for a set of versions."""
        for subject, file in PEERS.items():
            if subject not in subjects:
                continue
            packages = self.root / "benches" / "node" / file
            key = hashlib.sha256(packages.read_bytes()).hexdigest()[:12]
            place = self.cache / f"bench-node-{subject}-{key}"
            if not (place / "complete").exists():
                print(f"installing the Node packages of {subject} in {place}", file=sys.stderr, flush=True)
                place.mkdir(parents=True, exist_ok=True)
                shutil.copy2(packages, place)
                self.call("npm", "install", "--no-audit", "--no-fund", "--silent", cwd=place)
                (place / "complete").touch()
            self.folders[subject] = place
            self.sizes[subject] = size(place / "node_modules")

    def build_ours(self, names: tuple[str, ...]) -> None:
        """Our package, packed and installed; then the API beside it, as in an application."""
        print("building the Node package", file=sys.stderr, flush=True)
        self.call("cargo", "build", "--release", "-p=polyspan-node")
        package = self.root / "bindings-node"
        self.call("npm", "install", "--no-save", "--no-audit", "--no-fund", "--silent", cwd=package)
        self.call("node", "tools/build.mjs", cwd=package)
        packed = self.target / "bench" / "npm"
        addon = self.target / "release" / addon_file()
        self.call("node", "tools/pack.mjs", packed, f"here={addon}", cwd=package)
        place = self.target / "bench" / "node"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        (place / "package.json").write_text('{ "private": true }')
        tarballs = sorted(packed.glob("*.tgz"))
        quiet = ("--offline", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
        self.call("npm", "install", *quiet, *tarballs, cwd=place)
        measured = size(place / "node_modules")
        api = Path("node_modules") / "@opentelemetry" / "api"
        shutil.copytree(package / api, place / api)
        for name in names:
            self.folders[name], self.sizes[name] = place, measured
        test = self.root / "benches" / "node" / "test_shape.cjs"
        self.call("node", "--test", test, env=os.environ | {"BENCH_MODULES": str(place)})


def size(folder: Path) -> dict[str, float]:
    """What npm has put into `folder`: megabytes and files, without its own list of packages."""
    files = [file for file in folder.rglob("*") if file.is_file() and not file.is_symlink()]
    files = [file for file in files if file.name != ".package-lock.json"]
    return {"installed_mb": sum(file.stat().st_size for file in files) / MB, "installed_files": len(files)}


def addon_file() -> str:
    """What cargo calls the addon here."""
    return "libpolyspan_node.dylib" if sys.platform == "darwin" else "libpolyspan_node.so"
