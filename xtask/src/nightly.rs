//! `cargo xtask fuzz` and what else needs a nightly compiler: the toolchain and its programs.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::prerequisites::{self, Tool};
use crate::process;
use crate::workspace::Workspace;

/// Runs every fuzz target, or those named, for so many seconds each, from the seeds in `fuzz/seeds` and
/// the corpus that earlier runs left.
pub fn fuzz(workspace: &Workspace, names: &[String], seconds: u32) -> Result<ExitCode> {
    prerequisites::require(&[Tool::Rust, Tool::CCompiler])?;
    let targets = targets(workspace)?;
    if let Some(unknown) = names.iter().find(|name| !targets.contains(name)) {
        bail!("there is no fuzz target {unknown:?}; the targets are {}", targets.join(", "));
    }
    let folder = cargo_fuzz(workspace)?;
    for target in targets.iter().filter(|target| names.is_empty() || names.contains(target)) {
        let corpus = workspace.join("fuzz/corpus").join(target);
        fs::create_dir_all(&corpus).with_context(|| format!("cannot create {}", corpus.display()))?;
        let mut fuzz = cargo(workspace, &[])?;
        fuzz.env("PATH", workspace.path_with(&folder)?);
        fuzz.args(["fuzz", "run", target]).arg(&corpus);
        let seeds = workspace.join("fuzz/seeds").join(target);
        if seeds.is_dir() {
            fuzz.arg(seeds);
        }
        process::run(fuzz.args(["--", &format!("-max_total_time={seconds}")]))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The names of the files in `fuzz/fuzz_targets`.
fn targets(workspace: &Workspace) -> Result<Vec<String>> {
    let entries =
        fs::read_dir(workspace.join("fuzz/fuzz_targets")).context("cannot list the fuzz targets")?;
    let mut names = Vec::new();
    for entry in entries {
        if let Some(name) = entry?.path().file_stem().and_then(|stem| stem.to_str()) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// The folder of cargo-fuzz, built into the cache.
fn cargo_fuzz(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.cache.join("cargo-fuzz-0.13.2");
    if !folder.join("bin").is_dir() {
        let mut install =
            workspace.cargo(["install", "--quiet", "cargo-fuzz", "--version", "=0.13.2", "--root"]);
        process::run(install.arg(&folder))?;
    }
    Ok(folder.join("bin"))
}

/// `cargo` of the nightly toolchain with these components; rustup installs what is missing.
pub fn cargo(workspace: &Workspace, components: &[&str]) -> Result<Command> {
    if process::ask(Command::new("rustup").args(["run", "nightly", "rustc", "--version"])).is_err() {
        let mut install = workspace.command("rustup");
        process::run(install.args(["toolchain", "install", "nightly", "--profile", "minimal"]))?;
    }
    for component in components {
        process::run(workspace.command("rustup").args([
            "component",
            "add",
            "--toolchain",
            "nightly",
            component,
        ]))?;
    }
    let mut cargo = workspace.command("rustup");
    // Set for the stable toolchain by the cargo that started this program.
    cargo.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO").env_remove("RUSTC");
    cargo.args(["run", "nightly", "cargo"]);
    Ok(cargo)
}
