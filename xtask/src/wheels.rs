//! `cargo xtask wheels`: the wheels of a release for every Linux, from one machine, with Zig as the C
//! compiler and linker. Says which platforms it does not cover.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::prerequisites::{self, Tool};
use crate::process;
use crate::python_env::{PACKAGE_MANIFEST, PythonEnv};
use crate::workspace::Workspace;

const REQUIREMENTS: &[&str] = &["xtask/python/build.txt", "xtask/python/wheels.txt"];

/// Rust's target, and the oldest C library the wheel runs with, as Python's platform tags name it.
const PLATFORMS: &[(&str, &str)] = &[
    ("x86_64-unknown-linux-gnu", "manylinux2014"),
    ("aarch64-unknown-linux-gnu", "manylinux2014"),
    ("x86_64-unknown-linux-musl", "musllinux_1_2"),
    ("aarch64-unknown-linux-musl", "musllinux_1_2"),
];

/// One wheel for every CPython from 3.10; the free-threaded build has no stable ABI and gets its own.
const INTERPRETERS: &[&[&str]] = &[&[], &["--no-default-features", "--interpreter", "python3.14t"]];

/// Builds into `target/wheels`, and tries the one that fits this machine.
pub fn run(workspace: &Workspace) -> Result<ExitCode> {
    prerequisites::require(&[Tool::Rust, Tool::CCompiler, Tool::Python])?;
    let env = PythonEnv::ensure(workspace, REQUIREMENTS)?;
    let folder = workspace.target.join("wheels");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    for (target, compatibility) in PLATFORMS {
        process::run(workspace.command("rustup").args(["target", "add", target]))?;
        for interpreter in INTERPRETERS {
            let mut build = env.maturin(workspace, "build");
            build
                .args(["--quiet", "--release", "--zig", "--target", target, "--compatibility", compatibility])
                .args(*interpreter);
            process::run(build.arg("--out").arg(&folder))?;
        }
    }
    process::run(env.maturin(workspace, "sdist").arg("--out").arg(&folder))?;
    try_here(workspace, &folder)?;

    let mut names: Vec<_> = fs::read_dir(&folder)?.flatten().map(|entry| entry.path()).collect();
    names.sort();
    println!();
    for name in names {
        println!("{}", name.display());
    }
    println!(
        "\nmacOS and Windows need a machine of their own, because neither Apple's nor Microsoft's libraries can be \
         had elsewhere. There, for each of x86-64 and arm64:\n  maturin build --release --manifest-path \
         {PACKAGE_MANIFEST}\n  maturin build --release --manifest-path {PACKAGE_MANIFEST} --no-default-features \
         --interpreter python3.14t"
    );
    Ok(ExitCode::SUCCESS)
}

/// Installs the wheel that pip chooses for this machine, and records a span with it.
fn try_here(workspace: &Workspace, wheels: &std::path::Path) -> Result<()> {
    let env = PythonEnv::fresh(workspace, "python-wheels")?;
    let mut install = env.pip_install(workspace);
    process::run(
        install.args(["--no-index", "--only-binary", ":all:", "--find-links"]).arg(wheels).arg("polyspan"),
    )?;
    let check = "\
import polyspan as ps
ps.init(service='wheel')
with ps.span('the wheel works'):
    pass
ps.shutdown(timeout=5)";
    process::run(env.python(workspace).args(["-c", check]))
}
