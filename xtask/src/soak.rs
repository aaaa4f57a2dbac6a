//! `cargo xtask soak`: `benches/rust/src/bin/soak.rs` against a receiver in a process of its own.

use std::io::{BufRead, BufReader};
use std::process::{ExitCode, Stdio};

use anyhow::{Context, Result};

use crate::prerequisites::{self, Tool};
use crate::process;
use crate::workspace::Workspace;

/// Runs for so many minutes; fails when memory grew or counts do not add up.
pub fn run(workspace: &Workspace, minutes: f64) -> Result<ExitCode> {
    prerequisites::require(&[Tool::Rust, Tool::CCompiler])?;
    let mut build =
        workspace.cargo(["build", "--release", "--package", "polyspan-benches", "--no-default-features"]);
    process::run(build.args(["--features", "ours", "--bin", "bench-sink", "--bin", "soak"]))?;

    let programs = workspace.target.join("release");
    let mut receiver = workspace.command(programs.join("bench-sink"));
    let mut receiver =
        receiver.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("no receiver")?;
    let mut address = String::new();
    BufReader::new(receiver.stdout.take().context("the receiver has an output")?).read_line(&mut address)?;
    let mut soak = workspace.command(programs.join("soak"));
    let finished = process::run(soak.arg(minutes.to_string()).arg(address.trim()));
    // It ends with its input.
    drop(receiver.stdin.take());
    receiver.wait()?;
    finished.map(|()| ExitCode::SUCCESS)
}
