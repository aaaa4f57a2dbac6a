//! What the npm package is tested with (frameworks that it has an entry for, the SDKs of OpenTelemetry), installed
//! from lock files of their own into the cache. Called by `node.rs`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::process;
use crate::workspace::{Workspace, cache_key};

const FILES: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];

/// The folder with the `node_modules` of those that `test/NAME/packages` lists; `npm` makes the command of that name.
///
/// It lies in the cache, because it is large and every checkout with the same lock file can use it.
pub fn installed(
    workspace: &Workspace,
    package: &Path,
    name: &str,
    npm: impl FnOnce() -> Result<std::process::Command>,
) -> Result<PathBuf> {
    let wanted = package.join("test").join(name).join("packages");
    from_lock(workspace, &wanted, &format!("node-{name}"), npm)
}

/// A folder in the cache with the `node_modules` that the lock file in `wanted` names.
pub fn from_lock(
    workspace: &Workspace,
    wanted: &Path,
    name: &str,
    npm: impl FnOnce() -> Result<std::process::Command>,
) -> Result<PathBuf> {
    let lock = fs::read(wanted.join("package-lock.json")).context("no package-lock.json")?;
    let folder = workspace.cache.join(format!("{name}-{}", cache_key([lock.as_slice()])));
    let stamp = folder.join("node_modules").join(".installed");
    if stamp.is_file() {
        return Ok(folder);
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    for file in FILES {
        fs::copy(wanted.join(file), folder.join(file)).with_context(|| format!("cannot copy {file}"))?;
    }
    let mut install = npm()?;
    install.args(["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts"]);
    process::run(install.current_dir(&folder))?;
    fs::write(&stamp, "").with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(folder)
}
