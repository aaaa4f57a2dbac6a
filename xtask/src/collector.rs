//! The real OpenTelemetry Collector for the end-to-end tests: built once from the sources in
//! `tests/e2e/collector` and kept in the cache folder. `test e2e` and `cargo xtask collector` call this.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::process;
use crate::workspace::{Workspace, cache_key};

const SOURCES: &str = "tests/e2e/collector";

/// The path of the Collector, built from the present sources.
pub fn ensure(workspace: &Workspace) -> Result<PathBuf> {
    let sources = workspace.join(SOURCES);
    let binary = workspace.cache.join(format!("otelcol-{}{}", key(&sources)?, std::env::consts::EXE_SUFFIX));
    if binary.is_file() {
        return Ok(binary);
    }
    eprintln!("building the OpenTelemetry Collector: some minutes the first time, afterwards from the cache");
    let unfinished = workspace.cache.join(format!("otelcol-unfinished-{}", std::process::id()));
    let mut build = workspace.command("go");
    // The user's own GOFLAGS must not vendor, change go.mod, or ask a version control system.
    build
        .current_dir(&sources)
        .env("GOFLAGS", "")
        .env("GOWORK", "off")
        .env("CGO_ENABLED", "0")
        .args(["build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o"])
        .arg(&unfinished)
        .arg(".");
    process::run(&mut build).context("the OpenTelemetry Collector could not be built")?;
    fs::rename(&unfinished, &binary).with_context(|| format!("cannot write {}", binary.display()))?;
    Ok(binary)
}

fn key(sources: &Path) -> Result<String> {
    let mut names: Vec<PathBuf> = fs::read_dir(sources)
        .and_then(|entries| entries.map(|entry| entry.map(|e| e.path())).collect())
        .with_context(|| format!("cannot list {}", sources.display()))?;
    names.retain(|path| path.extension().is_some_and(|e| e == "go" || e == "mod" || e == "sum"));
    names.sort();
    let mut parts = vec![std::env::consts::ARCH.as_bytes().to_vec()];
    for path in &names {
        parts.push(fs::read(path).with_context(|| format!("cannot read {}", path.display()))?);
    }
    Ok(cache_key(parts.iter().map(Vec::as_slice)))
}
