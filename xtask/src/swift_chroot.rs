//! The Swift toolchain: the system's own where it has one, else that of Debian trixie in a folder of the cache, run there
//! with `chroot`. `swift.rs` and the demo call this.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::prerequisites::at_least;
use crate::process;
use crate::workspace::{Workspace, cache_key};

const MAKE: &str = "xtask/swift/make-chroot.sh";
const RUN: &str = "xtask/swift/in-chroot.sh";

/// The oldest Swift whose language mode the sources are written in.
const OLDEST: (u32, u32) = (6, 0);

/// A Swift that runs here.
pub enum Toolchain {
    /// On the PATH.
    System,
    /// The root of the Debian that holds it.
    Chroot(PathBuf),
}

impl Toolchain {
    /// Finds it, or makes it once; else why it cannot be had.
    pub fn ensure(workspace: &Workspace) -> Result<Result<Self, String>> {
        if is_installed() {
            return Ok(Ok(Self::System));
        }
        if let Err(missing) = chroot_works() {
            return Ok(Err(missing));
        }
        let script = fs::read(workspace.join(MAKE)).with_context(|| format!("cannot read {MAKE}"))?;
        let key = cache_key([script.as_slice(), std::env::consts::ARCH.as_bytes()]);
        let root = workspace.cache.join(format!("swift-{key}"));
        if root.is_dir() {
            return Ok(Ok(Self::Chroot(root)));
        }
        eprintln!(
            "making a Debian with the Swift toolchain: some minutes the first time, afterwards from the cache"
        );
        let unfinished = workspace.cache.join(format!("swift-unfinished-{}", std::process::id()));
        if let Err(error) = process::run(workspace.command(workspace.join(MAKE)).arg(&unfinished)) {
            // A failure to remove it must not hide why it failed.
            let _ = fs::remove_dir_all(&unfinished);
            return Ok(Err(format!("no Swift, and Debian's cannot be installed: {error:#}")));
        }
        match fs::rename(&unfinished, &root) {
            // Another run was quicker.
            Err(_) if root.is_dir() => fs::remove_dir_all(&unfinished).context("a second Swift")?,
            renamed => renamed.with_context(|| format!("cannot write {}", root.display()))?,
        }
        Ok(Ok(Self::Chroot(root)))
    }

    /// A program in `directory`, where the toolchain's libraries are. The checkout and cargo's output are seen under the
    /// same names inside, and so are variables of Polyspan's and OpenTelemetry's. What cargo adds to LD_LIBRARY_PATH is not:
    /// a program loads the native library that it was linked with.
    pub fn command(&self, workspace: &Workspace, directory: &Path, program: impl Into<OsString>) -> Command {
        match self {
            Self::System => {
                // As a word of the command, since others start some of them by their words.
                let mut command = workspace.command("env");
                command.args(["-u", "LD_LIBRARY_PATH"]).arg(program.into()).current_dir(directory);
                command
            }
            Self::Chroot(root) => {
                let mut command = workspace.command(workspace.join(RUN));
                let folders = format!("{}:{}", workspace.root.display(), workspace.target.display());
                command.arg(root).arg(folders).arg(directory).arg(program.into());
                command
            }
        }
    }
}

fn is_installed() -> bool {
    let (major, minor) = OLDEST;
    let version = process::ask(Command::new("swift").arg("--version"));
    // `Apple Swift version 6.1 (…)`, `Swift version 6.0.3 (…)`
    version.is_ok_and(|version| {
        version.lines().any(|line| line.contains("Swift") && at_least(line, major, minor))
    })
}

/// Whether a Debian can be made and entered here; installs debootstrap where that is allowed.
fn chroot_works() -> Result<(), String> {
    let no =
        |why: &str| Err(format!("no Swift {}.{} or later on this machine, and {why}", OLDEST.0, OLDEST.1));
    if !cfg!(target_os = "linux") {
        return no("a Debian that has it can be set up on Linux only: see swift.org/install");
    }
    if process::ask(Command::new("id").arg("-u")).ok().as_deref() != Some("0") {
        return no("setting up a Debian that has it needs root: see swift.org/install");
    }
    if process::ask(Command::new("unshare").args(["--mount", "true"])).is_err() {
        return no("mounting is not allowed here: see swift.org/install");
    }
    let is_there = || Command::new("debootstrap").arg("--version").output().is_ok();
    if !is_there() {
        let install = || {
            let mut command = Command::new("apt-get");
            command.env("DEBIAN_FRONTEND", "noninteractive");
            process::run(command.args(["install", "--yes", "--no-install-recommends", "debootstrap"]))
        };
        let update = || process::run(Command::new("apt-get").arg("update"));
        // Says what fails by itself.
        let _ = install().or_else(|_| update().and_then(|()| install()));
    }
    if is_there() { Ok(()) } else { no("debootstrap, which sets up a Debian that has it, is missing") }
}
