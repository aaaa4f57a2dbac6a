//! Checkers of the lock-free hand-off. `cargo xtask test` runs the model checkers loom and shuttle;
//! `cargo xtask model` adds what needs a nightly compiler, Miri and ThreadSanitizer.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::nightly;
use crate::prerequisites::Tool;
use crate::process;
use crate::suites::{Outcome, Suite, counted};
use crate::workspace::Workspace;

/// All checkers, in the order of `cargo xtask model`.
pub const CHECKERS: &[Suite] = &[
    LOOM,
    SHUTTLE,
    Suite { name: "miri", about: "the hand-off has no undefined behaviour", needs: NEEDS, run: miri },
    Suite { name: "tsan", about: "no data race in the tests of core", needs: NEEDS, run: tsan },
];

/// Exhaustive, small.
pub const LOOM: Suite =
    Suite { name: "loom", about: "every interleaving of a small hand-off", needs: NEEDS, run: loom };

/// Random, larger.
pub const SHUTTLE: Suite =
    Suite { name: "shuttle", about: "random interleavings of a larger hand-off", needs: NEEDS, run: shuttle };

const NEEDS: &[Tool] = &[Tool::Rust, Tool::CCompiler];

fn loom(workspace: &Workspace) -> Result<Outcome> {
    model(workspace, "loom")
}

fn shuttle(workspace: &Workspace) -> Result<Outcome> {
    model(workspace, "shuttle")
}

/// Compiles the unit tests of core against the checker's threads and atomics, and runs the models.
fn model(workspace: &Workspace, checker: &str) -> Result<Outcome> {
    // Not by RUSTFLAGS: dependencies give these names a meaning of their own, and would all be built again.
    let mut build = workspace.cargo(["rustc", "--package", "polyspan", "--lib", "--profile", "test"]);
    build.args(["--message-format", "json-render-diagnostics", "--", "--cfg", checker]);
    let messages = process::ask(&mut build)?;
    let tests =
        messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).find_map(|message| {
            let tests = message.get("executable")?.as_str()?;
            message.pointer("/profile/test")?.as_bool()?.then(|| tests.to_owned())
        });
    let tests = tests.context("cargo named no test program")?;
    counted(&process::watch(workspace.command(tests).arg("model::"))?)
}

fn miri(workspace: &Workspace) -> Result<Outcome> {
    let mut cargo = nightly::cargo(workspace, &["miri", "rust-src"])?;
    cargo.env("CARGO_TARGET_DIR", workspace.target.join("miri"));
    cargo.args(["miri", "test", "--package", "polyspan", "--lib", "ring::"]);
    counted(&process::watch(&mut cargo)?)
}

fn tsan(workspace: &Workspace) -> Result<Outcome> {
    let Some(target) = SANITIZED else {
        return Ok(Outcome::Skipped("ThreadSanitizer is not made for this platform".to_owned()));
    };
    let mut cargo = nightly::cargo(workspace, &["rust-src"])?;
    cargo
        .env("CARGO_TARGET_DIR", workspace.target.join("tsan"))
        .env("RUSTFLAGS", "-Zsanitizer=thread")
        // The standard library is built with the sanitizer too, or its own synchronisation looks like races.
        .args(["test", "-Zbuild-std", "--target", target, "--package", "polyspan", "--lib"]);
    counted(&process::watch(&mut cargo)?)
}

/// The target to name for ThreadSanitizer on this machine.
const SANITIZED: Option<&str> = if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
    Some("x86_64-unknown-linux-gnu")
} else if cfg!(all(target_os = "linux", target_arch = "aarch64")) {
    Some("aarch64-unknown-linux-gnu")
} else if cfg!(all(target_os = "macos", target_arch = "aarch64")) {
    Some("aarch64-apple-darwin")
} else {
    None
};
