//! `cargo xtask maven`: the Maven artifact of a release, from one machine. Builds the native library of every platform
//! that links here, says which it could not and how large each is, packs them into the jar, and runs the tests with it.
//! What an app's library would weigh is said beside them.

use std::env::consts;
use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::app_library;
use crate::kotlin::{PROJECT, made, maven, platform, put};
use crate::prerequisites::{self, Tool};
use crate::process;
use crate::python_env::PythonEnv;
use crate::uniffi::{Border, PACKAGE, empty, library_in};
use crate::workspace::Workspace;
use crate::zig;

/// System and processor as Rust has words for them, and the target.
const PLATFORMS: &[(&str, &str, &str)] = &[
    ("linux", "x86_64", "x86_64-unknown-linux-gnu"),
    ("linux", "aarch64", "aarch64-unknown-linux-gnu"),
    ("macos", "aarch64", "aarch64-apple-darwin"),
    ("macos", "x86_64", "x86_64-apple-darwin"),
    ("windows", "x86_64", "x86_64-pc-windows-msvc"),
];

/// Builds the artifact with the library of this machine, and puts it where other builds with Maven find it: the
/// benchmarks and the example.
pub fn install(workspace: &Workspace) -> Result<ExitCode> {
    prerequisites::require(&[Tool::Rust, Tool::CCompiler, Tool::Maven])?;
    let border = Border::built(workspace, "kotlin")?;
    process::run(&mut workspace.cargo(["build", "--release", "--package", PACKAGE]))?;
    let natives = made(workspace).join("natives");
    empty(&natives)?;
    put(&natives, &platform(consts::OS, consts::ARCH), &library_in(&workspace.target.join("release"))?)?;
    process::run(maven(workspace, &border, PROJECT)?.args(["--quiet", "-DskipTests", "install"]))?;
    Ok(ExitCode::SUCCESS)
}

/// Builds into `target/kotlin/build`.
pub fn run(workspace: &Workspace) -> Result<ExitCode> {
    prerequisites::require(&[Tool::Rust, Tool::CCompiler, Tool::Python, Tool::Maven])?;
    let env = PythonEnv::ensure(workspace, zig::REQUIREMENTS)?;
    let natives = made(workspace).join("natives");
    empty(&natives)?;
    let border = Border::built(workspace, "kotlin")?;
    let (mut sizes, mut missing) = (Vec::new(), Vec::new());
    for (system, processor, target) in PLATFORMS {
        match zig::build(workspace, &env, PACKAGE, target).and_then(|folder| library_in(&folder)) {
            Ok(library) => {
                put(&natives, &platform(system, processor), &library)?;
                let size = fs::metadata(&library).with_context(|| library.display().to_string())?.len();
                sizes.push((target, size));
            }
            Err(error) => missing.push((target, error)),
        }
    }
    process::run(maven(workspace, &border, PROJECT)?.arg("verify"))?;
    let of_apps = if app_library::is_held_here() { Some(app_library::build(workspace)?) } else { None };
    println!();
    for (target, size) in sizes {
        println!("{target}: {:.2} MB", size as f64 / 1e6);
    }
    if let Some((library, size)) = of_apps {
        println!("an app's, {}: {}", library.display(), app_library::judged(size));
    }
    println!("{}", made(workspace).join("build").display());
    if !missing.is_empty() {
        println!(
            "\nNot built here; on a machine of that system `cargo build --release --package {PACKAGE} --target TARGET`, \
             the library into target/kotlin/natives under the name that JNA has for the platform, then Maven again:"
        );
        for (target, error) in missing {
            println!("  {target}: {error:#}");
        }
    }
    Ok(ExitCode::SUCCESS)
}
