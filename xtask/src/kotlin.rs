//! The Maven artifact `polyspan`: the native library inside, the sources that UniFFI generates, and its tests.

use std::env::consts;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::kotlin_guide;
use crate::process;
use crate::suites::{Outcome, counted};
use crate::uniffi::{Border, empty};
use crate::workspace::Workspace;

pub const PROJECT: &str = "bindings-kotlin/kotlin/pom.xml";

/// Builds the artifact and runs its tests.
pub fn test(workspace: &Workspace) -> Result<Outcome> {
    let border = Border::built(workspace, "kotlin")?;
    let natives = made(workspace).join("natives");
    empty(&natives)?;
    put(&natives, &platform(consts::OS, consts::ARCH), &border.library)?;
    counted(&process::watch(maven(workspace, &border, PROJECT)?.arg("test"))?)
}

/// Everything that is made for Kotlin.
pub fn made(workspace: &Workspace) -> PathBuf {
    workspace.target.join("kotlin")
}

/// Maven for the artifact with these generated sources; what it downloads lies in the cache folder.
pub fn maven(workspace: &Workspace, border: &Border, project: &str) -> Result<Command> {
    let mut command = workspace.command(if cfg!(windows) { "mvn.cmd" } else { "mvn" });
    let path = |path: &Path| path.to_str().map(str::to_owned).context("a path that is no text");
    command.args(["--batch-mode", "--no-transfer-progress", "--file", project]);
    kotlin_guide::write(workspace, &made(workspace).join("guide"))?;
    command.arg(format!("-Dmaven.repo.local={}", path(&workspace.cache.join("maven"))?));
    command.arg(format!("-Dpolyspan.made={}", path(&made(workspace))?));
    command.arg(format!("-Dpolyspan.generated={}", path(&border.sources)?));
    // The compiler runs inside; it lives too briefly for more than the first of Java's compilers.
    command.env("MAVEN_OPTS", "-Xmx1g -XX:TieredStopAtLevel=1 -XX:+UseSerialGC");
    Ok(command)
}

/// Puts a library where the artifact and JNA look for it.
pub fn put(natives: &Path, platform: &str, library: &Path) -> Result<()> {
    let folder = natives.join(platform);
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let name = library.file_name().context("a library has a name")?;
    fs::copy(library, folder.join(name)).with_context(|| format!("cannot copy {}", library.display()))?;
    Ok(())
}

/// What JNA calls a platform, from the words that Rust has for it.
pub fn platform(system: &str, processor: &str) -> String {
    let system = match system {
        "macos" => "darwin",
        "windows" => "win32",
        other => other,
    };
    let processor = match processor {
        "x86_64" => "x86-64",
        other => other,
    };
    format!("{system}-{processor}")
}
