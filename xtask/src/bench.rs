//! `cargo xtask bench`: starts `benches/run.py`, which builds, measures and prints the table.

use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};

use crate::prerequisites::{self, Tool};
use crate::process;
use crate::workspace::Workspace;

/// Runs the benchmarks with these arguments of theirs.
pub fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode> {
    prerequisites::require(&[Tool::Rust, Tool::CCompiler, Tool::Python])?;
    let interpreter = prerequisites::python().map_err(|missing| anyhow!("this needs {missing}"))?;
    let (program, options) = interpreter.split_first().context("an interpreter has a name")?;
    let mut bench = workspace.command(program);
    bench.args(options).arg("benches/run.py").args(arguments).env("POLYSPAN_CACHE", &workspace.cache);
    process::run(&mut bench)?;
    Ok(ExitCode::SUCCESS)
}
