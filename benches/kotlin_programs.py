"""The programs of the Kotlin rows: the artifact `polyspan` for this machine, and the subjects beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path


class KotlinPrograms:
    """What `java` is started with."""

    def __init__(self, root: Path, cache: Path, target: Path, call: Callable[..., None]) -> None:
        self.root, self.cache, self.target, self.call = root, cache, target, call

    def build(self) -> None:
        """Our artifact first, into the repository of packages in the cache, where the subjects find it."""
        self.call("cargo", "xtask", "maven", "--here")
        project = self.root / "benches" / "kotlin" / "pom.xml"
        maven = ["mvn", "--batch-mode", "--no-transfer-progress", "--quiet", "--file", project]
        places = [f"-Dmaven.repo.local={self.cache / 'maven'}", f"-Dbench.made={self.made}"]
        self.call(*maven, *places, "package")

    @property
    def made(self) -> Path:
        return self.target / "bench" / "kotlin"

    def command(self, subject: str, words: list[str]) -> list[str]:
        """The command of one subject; the texts of the workload go along, as Java reads no JSON by itself."""
        text = json.loads((self.root / "benches" / "workload.json").read_text())["text"]
        page = " ".join([str(text["seed"]), str(text["turns"]), *text["words"]])
        # Ours would keep the reference's context, too.
        libraries = [
            jar
            for jar in (self.made / "libraries").glob("*.jar")
            if subject == "polyspan" or not jar.name.startswith("polyspan-")
        ]
        jars = [*self.made.glob("*.jar"), *libraries]
        classpath = ":".join(str(jar) for jar in jars)
        return ["java", "-Xmx512m", f"-Dbench.workload={page}", "-cp", classpath, "MainKt", subject, *words]
