//! `cargo xtask npm`: the npm packages of a release, from one machine, with Zig as the C compiler and linker. Builds the
//! addon of every platform that links here, says which it could not, packs them, and tries the one of this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::node::Package;
use crate::prerequisites::{self, Tool};
use crate::python_env::PythonEnv;
use crate::workspace::Workspace;
use crate::zig;

/// One entry of `bindings-node/platforms.json`.
pub struct Platform {
    /// Its package is called `@polyspan/` and this.
    pub name: String,
    /// What Rust calls it.
    pub target: String,
}

/// All platforms that there are packages for.
pub fn platforms(workspace: &Workspace) -> Result<Vec<Platform>> {
    let text =
        fs::read_to_string(workspace.join("bindings-node/platforms.json")).context("platforms.json")?;
    let table: Vec<Value> = serde_json::from_str(&text).context("platforms.json")?;
    let read = |entry: &Value| {
        let text = |key: &str| Some(entry.get(key)?.as_str()?.to_owned());
        Some(Platform { name: text("name")?, target: text("target")? })
    };
    table.iter().map(|entry| read(entry).context("platforms.json: an entry without name or target")).collect()
}

/// Builds into `target/npm`.
pub fn run(workspace: &Workspace) -> Result<ExitCode> {
    prerequisites::require(&[Tool::Rust, Tool::CCompiler, Tool::Python, Tool::Npm])?;
    let env = PythonEnv::ensure(workspace, zig::REQUIREMENTS)?;
    let mut addons = Vec::new();
    let mut missing = Vec::new();
    for platform in platforms(workspace)? {
        match zig::build(workspace, &env, "polyspan-node", &platform.target)
            .and_then(|folder| addon_in(&folder))
        {
            Ok(addon) => addons.push((platform, addon)),
            Err(error) => missing.push((platform, error)),
        }
    }
    let package = Package::prepared(workspace, None)?;
    package.build_code()?;
    let folder = workspace.target.join("npm");
    package
        .pack(&folder, addons.iter().map(|(platform, addon)| (platform.name.as_str(), addon.as_path())))?;
    let tried = package.try_packed(&folder)?;
    if !tried.success {
        bail!("the packages do not work");
    }
    println!("\nBuilt, in {}:", folder.display());
    for (platform, addon) in &addons {
        println!("  {}: an addon of {:.1} MB", platform.name, fs::metadata(addon)?.len() as f64 / 1e6);
    }
    if !missing.is_empty() {
        println!(
            "\nNot built here; on a machine of that system `cargo build --release --package polyspan-node --target \
                  TARGET`, then `node tools/pack.mjs` in bindings-node with every PLATFORM=ADDON:"
        );
        for (platform, error) in missing {
            println!("  {} ({}): {error:#}", platform.name, platform.target);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What cargo calls the library, for whichever system it is.
pub fn addon_in(folder: &Path) -> Result<PathBuf> {
    ["libpolyspan_node.so", "libpolyspan_node.dylib", "polyspan_node.dll"]
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
        .with_context(|| format!("no addon in {}", folder.display()))
}
