//! Libraries for other platforms, from one machine, with Zig as the C compiler and linker.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::python_env::PythonEnv;
use crate::workspace::Workspace;

/// What brings Zig: an environment with these requirements.
pub const REQUIREMENTS: &[&str] = &["xtask/python/wheels.txt", "xtask/python/npm.txt"];

/// The oldest glibc the libraries run with: older than what Node.js 20 and Java 17 ask for.
const GLIBC: &str = "2.17";

/// Builds the library of a `package` for a `target` as Rust calls it, for a release; the folder where it lies.
pub fn build(workspace: &Workspace, env: &PythonEnv, package: &str, target: &str) -> Result<PathBuf> {
    if target.ends_with("-msvc") {
        bail!("Microsoft's libraries cannot be had here");
    }
    process::run(workspace.command("rustup").args(["target", "add", target]))?;
    let with_libc = if target.ends_with("-gnu") { format!("{target}.{GLIBC}") } else { target.to_owned() };
    let mut build = workspace.cargo(["zigbuild", "--release", "--lib", "--package"]);
    build.args([package, "--target"]);
    env.activate(&mut build, workspace)?;
    if target.ends_with("-musl") {
        // A library that is loaded cannot bring a C library of its own.
        let variable = format!("CARGO_TARGET_{}_RUSTFLAGS", target.to_uppercase().replace('-', "_"));
        build.env(variable, "-Ctarget-feature=-crt-static");
    }
    process::run(build.arg(with_libc)).context("it does not link here")?;
    Ok(workspace.target.join(target).join("release"))
}
