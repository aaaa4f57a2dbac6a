//! `cargo xtask maven --app`: the native library as an app on a phone gets it, built for Linux on x86-64, where its size
//! is held. `docs/decisions/native-size.md` says what makes it small; here is what that is in words of cargo.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use anyhow::{Context, Result, bail};

use crate::prerequisites::{self, Tool};
use crate::process;
use crate::uniffi::{PACKAGE, library_in};
use crate::workspace::Workspace;

/// Where the size is held.
const TARGET: &str = "x86_64-unknown-linux-gnu";
/// What the library is to weigh there at most, stripped, with TLS.
const MOST_BYTES: u64 = 4_000_000;

/// Identical functions are there once, and relocations are packed.
const LINKER: [&str; 2] = ["-Clink-arg=-Wl,--icf=all", "-Clink-arg=-Wl,-z,pack-relative-relocs"];

/// Whether this machine is one on which the size is held.
pub const fn is_held_here() -> bool {
    cfg!(all(target_os = "linux", target_arch = "x86_64"))
}

/// Builds it and says what it weighs; too much is a failure.
pub fn run(workspace: &Workspace) -> Result<ExitCode> {
    prerequisites::require(&[Tool::Rust, Tool::CCompiler])?;
    if !is_held_here() {
        bail!("the size of an app's library is held on Linux on x86-64 alone");
    }
    let (library, size) = build(workspace)?;
    println!("{}: {}", library.display(), judged(size));
    Ok(if size > MOST_BYTES { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Its size in words.
pub fn judged(size: u64) -> String {
    let than = if size > MOST_BYTES { "more than" } else { "of" };
    format!("{size} bytes, {than} the {MOST_BYTES} that it may have")
}

/// Builds it; where it lies, and its size.
pub fn build(workspace: &Workspace) -> Result<(PathBuf, u64)> {
    let mut build = workspace.cargo(["rustc", "--profile", "phone", "--package", PACKAGE, "--lib"]);
    build.args(["--crate-type", "cdylib", "--no-default-features", "--features", "jvm", "--target", TARGET]);
    process::run(build.env("CARGO_ENCODED_RUSTFLAGS", flags()?))?;
    let library = library_in(&workspace.target.join(TARGET).join("phone"))?;
    let size = fs::metadata(&library).with_context(|| library.display().to_string())?.len();
    Ok((library, size))
}

/// The flags of the compiler, as cargo takes them apart.
fn flags() -> Result<OsString> {
    let mut flags: Vec<OsString> = LINKER.map(OsString::from).to_vec();
    for sources in sources_of_dependencies()? {
        let mut flag = OsString::from("--remap-path-prefix=");
        flag.push(sources);
        flag.push("/=");
        flags.push(flag);
    }
    Ok(flags.join(&OsString::from("\x1f")))
}

/// The folders that the sources of dependencies lie in. Their names are in the library, once for each file in which
/// something may panic, and what stands before the dependency's own name tells nobody anything.
fn sources_of_dependencies() -> Result<Vec<PathBuf>> {
    let home = env::var_os("CARGO_HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    let home = home.or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")));
    let sources = home.context("neither CARGO_HOME nor HOME is set")?.join("registry").join("src");
    let mut folders = Vec::new();
    // There is none where dependencies are vendored.
    for folder in fs::read_dir(sources).into_iter().flatten() {
        folders.push(folder?.path());
    }
    folders.sort();
    Ok(folders)
}
