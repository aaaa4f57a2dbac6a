//! The native library of Kotlin and Swift, and the sources that UniFFI writes from it. They are made here whenever they
//! are needed, and never kept in the repository.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::process;
use crate::workspace::Workspace;

/// The crate.
pub const PACKAGE: &str = "polyspan-uniffi";

/// A library, and what calls it.
pub struct Border {
    /// Built for this machine.
    pub library: PathBuf,
    /// The folder of the generated sources.
    pub sources: PathBuf,
}

impl Border {
    /// Builds the library for tests, and writes the sources of that `language`: `kotlin` or `swift`.
    pub fn built(workspace: &Workspace, language: &str) -> Result<Self> {
        // With the generator, so that one build makes both.
        process::run(&mut workspace.cargo(["build", "--package", PACKAGE, "--features", "cli"]))?;
        Self::of(workspace, library_in(&workspace.target.join("debug"))?, language)
    }

    fn of(workspace: &Workspace, library: PathBuf, language: &str) -> Result<Self> {
        let sources = workspace.target.join(language).join("generated");
        empty(&sources)?;
        let mut generate = workspace.command(workspace.program("uniffi-bindgen"));
        generate
            .args([
                "generate",
                "--no-format",
                "--language",
                language,
                "--config",
                "bindings-kotlin/uniffi.toml",
            ])
            .arg("--out-dir")
            .arg(&sources)
            .arg(&library);
        process::run(&mut generate)?;
        Ok(Self { library, sources })
    }
}

/// What cargo calls the library, for whichever system it is.
pub fn library_in(folder: &Path) -> Result<PathBuf> {
    ["libpolyspan_uniffi.so", "libpolyspan_uniffi.dylib", "polyspan_uniffi.dll"]
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
        .with_context(|| format!("no library in {}", folder.display()))
}

/// A folder with nothing in it.
pub fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))
}
