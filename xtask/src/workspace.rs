//! Where things are: the checkout, the cache folder outside it, and whether this is a CI run.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

pub struct Workspace {
    pub root: PathBuf,
    /// Holds what is slow to make and does not belong to one checkout. `POLYSPAN_CACHE`, or
    /// `polyspan` in the user's cache folder.
    pub cache: PathBuf,
    /// Cargo's output. In CI it lies in the cache, because each run is a fresh clone.
    pub target: PathBuf,
    /// `CI=true` or `CI=1`: a suite that has to be skipped fails.
    pub ci: bool,
}

impl Workspace {
    pub fn locate() -> Result<Self> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR").context("start this with `cargo xtask`")?;
        let root = Path::new(&manifest).parent().context("xtask lies inside the workspace")?.to_path_buf();
        let ci = matches!(env::var("CI").as_deref(), Ok("1" | "true"));
        let cache = cache_folder()?;
        fs::create_dir_all(&cache)
            .with_context(|| format!("cannot create the cache folder {}", cache.display()))?;
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => root.join(folder),
            None if ci => cache.join("target"),
            None => root.join("target"),
        };
        Ok(Self { root, cache, target, ci })
    }

    pub fn join(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// `cargo` of the toolchain in use, started in the root of the checkout.
    pub fn cargo<I: IntoIterator<Item = &'static str>>(&self, arguments: I) -> Command {
        let mut command = self.command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.env("CARGO_TARGET_DIR", &self.target).args(arguments);
        command
    }

    pub fn command(&self, program: impl Into<OsString>) -> Command {
        let mut command = Command::new(program.into());
        command.current_dir(&self.root);
        // Set by `cargo run` for this program; a nested cargo or build script must not see them.
        for name in ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_PKG_NAME", "CARGO_PKG_VERSION"] {
            command.env_remove(name);
        }
        command
    }

    /// A program of this workspace that `cargo build` made.
    pub fn program(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }

    /// The PATH with `folder` in front.
    pub fn path_with(&self, folder: &Path) -> Result<OsString> {
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(folder.to_path_buf()).chain(env::split_paths(&path));
        env::join_paths(folders).context("PATH cannot be extended")
    }
}

fn cache_folder() -> Result<PathBuf> {
    let given = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = given("POLYSPAN_CACHE") {
        if folder.is_relative() {
            bail!("POLYSPAN_CACHE must be an absolute path, it is {}", folder.display());
        }
        return Ok(folder);
    }
    let parent = if cfg!(windows) {
        given("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        given("HOME").map(|home| home.join("Library/Caches"))
    } else {
        given("XDG_CACHE_HOME")
            .filter(|p| p.is_absolute())
            .or_else(|| given("HOME").map(|home| home.join(".cache")))
    };
    Ok(parent
        .context("no home folder is known: set POLYSPAN_CACHE to a folder for build results")?
        .join("polyspan"))
}

/// A short key for a cache entry, from everything that the entry depends on.
pub fn cache_key<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::cache_key;

    #[test]
    fn a_key_depends_on_where_parts_begin() {
        assert_ne!(cache_key([b"ab".as_slice(), b"c"]), cache_key([b"a".as_slice(), b"bc"]));
        assert_eq!(cache_key([b"ab".as_slice()]).len(), 12);
    }
}
