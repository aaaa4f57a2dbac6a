//! The Next.js example: its packages from their lock file, the npm package of this checkout among them, a Chromium to
//! visit it with; its end-to-end tests and its demo.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::collector;
use crate::frameworks;
use crate::node::Package;
use crate::process;
use crate::python_env::{self, PythonEnv};
use crate::suites::{Outcome, counted};
use crate::wasm;
use crate::workspace::Workspace;

const EXAMPLE: &str = "examples/nextjs-agent";

/// Where Chromium is found; `CHROMIUM` names another one.
const CHROMIUM: [&str; 4] =
    ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/snap/bin/chromium"];

/// Builds the example with each bundler, runs it in each way, and visits it with a real browser.
pub fn test(workspace: &Workspace) -> Result<Outcome> {
    let application = match Application::ready(workspace)? {
        Ok(application) => application,
        Err(missing) => return Ok(Outcome::Skipped(missing)),
    };
    let collector = collector::ensure(workspace)?;
    let env = PythonEnv::ensure(workspace, python_env::TESTS)?;
    env.install_package(workspace, "dev")?;
    let mut pytest = env.python(workspace);
    application.known_to(workspace, &mut pytest)?;
    pytest.env("POLYSPAN_OTELCOL", collector).env("POLYSPAN_NEXT_APP", &application.folder);
    pytest.args(["-m", "pytest", "tests/e2e/test_nextjs.py"]);
    counted(&process::watch(&mut pytest)?)
}

/// The example in a folder of its own with all it needs, not yet built.
pub struct Application {
    pub folder: PathBuf,
    node: Option<PathBuf>,
}

impl Application {
    /// Sets it up anew, or says what this machine cannot have.
    pub fn ready(workspace: &Workspace) -> Result<Result<Self, String>> {
        let node = match wasm::node_folder(workspace) {
            Ok(node) => node,
            Err(error) => return Ok(Err(format!("no Node.js to run it in: {error:#}"))),
        };
        if let Err(missing) = chromium() {
            return Ok(Err(missing));
        }
        let package = Package::built(workspace, node.clone())?;
        let example = workspace.join(EXAMPLE);
        let packages = frameworks::from_lock(workspace, &example, "node-nextjs", || package.npm())?;
        let folder = workspace.target.join("nextjs-agent");
        empty(&folder)?;
        copy(&example, &folder)?;
        link(&packages.join("node_modules"), &folder.join("node_modules"))?;
        let own = folder.join("node_modules").join("polyspan");
        copy(&package.folder().join("dist"), &own.join("dist"))?;
        for file in ["package.json", "polyspan.node"] {
            fs::copy(package.folder().join(file), own.join(file))
                .with_context(|| format!("cannot copy {file}"))?;
        }
        Ok(Ok(Self { folder, node }))
    }

    /// Puts its Node.js before others, where it has one of its own.
    pub fn known_to(&self, workspace: &Workspace, command: &mut Command) -> Result<()> {
        if let Some(folder) = &self.node {
            command.env("PATH", workspace.path_with(folder)?);
        }
        Ok(())
    }
}

/// Finds a Chromium, or installs it from the system's packages where that is allowed; else why there is none.
fn chromium() -> Result<(), String> {
    let is_there = || {
        std::env::var_os("CHROMIUM").is_some_and(|path| Path::new(&path).is_file())
            || CHROMIUM.iter().any(|path| Path::new(path).exists())
    };
    if is_there() {
        return Ok(());
    }
    let install = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        process::run(command.args(["install", "--yes", "--no-install-recommends", "chromium"]))
    };
    // The lists of packages may be missing or old.
    let update = || process::run(Command::new("apt-get").arg("update"));
    let installed = install().or_else(|_| update().and_then(|()| install()));
    match installed {
        Ok(()) if is_there() => Ok(()),
        Ok(()) => Err("no Chromium: the package of that name has none".to_owned()),
        Err(error) => {
            Err(format!("no Chromium, and it cannot be installed from Debian's packages: {error:#}"))
        }
    }
}

fn empty(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot empty {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Copies a folder, without what was built or installed in it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    walk(from, to, &|from, to| fs::copy(from, to).map(drop))
}

/// The same without using space again, where the file system can do that.
fn link(from: &Path, to: &Path) -> Result<()> {
    walk(from, to, &|from, to| fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(drop)))
}

fn walk(from: &Path, to: &Path, put: &dyn Fn(&Path, &Path) -> std::io::Result<()>) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot create {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot list {}", from.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        let (source, target) = (entry.path(), to.join(&name));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if name != "node_modules" && name != ".next"
                || from.components().any(|part| part.as_os_str() == "node_modules")
            {
                walk(&source, &target, put)?;
            }
        } else if kind.is_symlink() {
            symlink(&fs::read_link(&source)?, &target)?;
        } else {
            put(&source, &target).with_context(|| format!("cannot copy {}", source.display()))?;
        }
    }
    Ok(())
}

/// Programs in `node_modules/.bin` are links.
#[cfg(unix)]
fn symlink(to: &Path, at: &Path) -> Result<()> {
    std::os::unix::fs::symlink(to, at).with_context(|| format!("cannot link {}", at.display()))
}

/// Npm makes none there.
#[cfg(not(unix))]
fn symlink(_: &Path, _: &Path) -> Result<()> {
    Ok(())
}
