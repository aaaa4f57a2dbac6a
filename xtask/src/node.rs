//! The npm package `polyspan`: its dependencies from the lock file, its addon, its tests, types and style; and the
//! packages that npm publishes, tried as they are installed.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::counts::Counts;
use crate::frameworks;
use crate::npm::addon_in;
use crate::process::{self, Finished};
use crate::suites::{Outcome, counted};
use crate::workspace::{Workspace, cache_key};

const PACKAGE: &str = "bindings-node";

/// The generations of OpenTelemetry's SDK and all of its instrumentations, which do not go together, and how tests learn
/// where they are.
const SDKS: [(&str, &str); 3] =
    [("sdk2", "POLYSPAN_SDK2"), ("sdk3", "POLYSPAN_SDK3"), ("automatic", "POLYSPAN_AUTOMATIC")];

/// Builds the package and runs its checks: the linter, the compiler over sources and tests, and the tests.
pub fn test(workspace: &Workspace) -> Result<Outcome> {
    let package = Package::built(workspace, None)?;
    process::run(&mut package.node(["node_modules/@biomejs/biome/bin/biome", "ci", "."])?)?;
    let mut counts = Counts::passed(1);
    let mut tests = package.node(["tools/test.mjs"])?;
    for (name, variable) in SDKS {
        let folder = frameworks::installed(workspace, &package.folder(), name, || package.npm())?;
        tests.env(variable, folder);
    }
    if let Outcome::Ran(tests) = counted(&process::watch(&mut tests)?)? {
        counts.add(tests);
    }
    let frameworks = frameworks::installed(workspace, &package.folder(), "frameworks", || package.npm())?;
    let mut tests = package.node(["tools/frameworks.mjs"])?;
    if let Outcome::Ran(tests) = counted(&process::watch(tests.arg(frameworks))?)? {
        counts.add(tests);
    }
    Ok(Outcome::Ran(counts))
}

/// Packs what npm would publish for this machine, and tries it installed: its size, programs, types and bundlers, and
/// the other JavaScript runtimes.
pub fn test_installed(workspace: &Workspace) -> Result<Outcome> {
    let package = Package::prepared(workspace, None)?;
    process::run(&mut workspace.cargo(["build", "--release", "--package", "polyspan-node"]))?;
    package.build_code()?;
    let folder = workspace.target.join("npm-here");
    package.pack(&folder, [("here", addon_in(&workspace.target.join("release"))?.as_path())])?;
    counted(&package.try_packed(&folder)?)
}

/// The package in the checkout, and the folder of the Node.js to use where it is not on the PATH.
pub struct Package<'a> {
    workspace: &'a Workspace,
    node: Option<PathBuf>,
}

impl<'a> Package<'a> {
    /// With its tools installed, compiled from this checkout.
    pub fn built(workspace: &'a Workspace, node: Option<PathBuf>) -> Result<Self> {
        let package = Self::prepared(workspace, node)?;
        package.build()?;
        Ok(package)
    }

    /// With its tools installed.
    pub fn prepared(workspace: &'a Workspace, node: Option<PathBuf>) -> Result<Self> {
        let package = Self { workspace, node };
        package.install()?;
        Ok(package)
    }

    pub fn folder(&self) -> PathBuf {
        self.workspace.join(PACKAGE)
    }

    fn command(&self, program: &str) -> Result<Command> {
        let mut command = self.workspace.command(program);
        command.current_dir(self.folder());
        if let Some(folder) = &self.node {
            command.env("PATH", self.workspace.path_with(folder)?);
        }
        Ok(command)
    }

    pub fn node<const N: usize>(&self, arguments: [&str; N]) -> Result<Command> {
        let mut command = self.command("node")?;
        command.args(arguments);
        Ok(command)
    }

    pub fn npm(&self) -> Result<Command> {
        self.command(if cfg!(windows) { "npm.cmd" } else { "npm" })
    }

    /// Installs what the lock file names, unless that has been done.
    fn install(&self) -> Result<()> {
        let lock = fs::read(self.folder().join("package-lock.json")).context("package-lock.json")?;
        let key = cache_key([lock.as_slice()]);
        let stamp = self.folder().join("node_modules").join(".installed");
        if fs::read_to_string(&stamp).is_ok_and(|found| found == key) {
            return Ok(());
        }
        // Not `npm ci`: it wants every platform's optional packages in the lock file, which no single machine's registry
        // has to offer.
        process::run(self.npm()?.args(["install", "--no-save", "--no-audit", "--no-fund"]))?;
        fs::write(&stamp, key).with_context(|| format!("cannot write {}", stamp.display()))
    }

    /// The addon in the shared target folder, and the package around it.
    fn build(&self) -> Result<()> {
        process::run(&mut self.workspace.cargo(["build", "--package", "polyspan-node"]))?;
        let addon = addon_in(&self.workspace.target.join("debug"))?;
        process::run(self.node(["tools/build.mjs"])?.arg(addon))
    }

    /// The package without a new addon beside it.
    pub fn build_code(&self) -> Result<()> {
        process::run(&mut self.node(["tools/build.mjs"])?)
    }

    /// Packs the package, and one for each of these platforms with its addon, into `folder`.
    pub fn pack<'b>(
        &self,
        folder: &Path,
        addons: impl IntoIterator<Item = (&'b str, &'b Path)>,
    ) -> Result<()> {
        let mut pack = self.node(["tools/pack.mjs"])?;
        pack.arg(folder);
        for (platform, addon) in addons {
            let mut pair = OsString::from(platform);
            pair.push("=");
            pair.push(addon);
            pack.arg(pair);
        }
        process::run(&mut pack)
    }

    /// Tries what was packed as its users have it, in every runtime.
    pub fn try_packed(&self, folder: &Path) -> Result<Finished> {
        process::run(&mut self.workspace.cargo(["build", "--package", "polyspan-test-receiver"]))?;
        let mut test = self.node(["tools/test.mjs", "--installed"])?;
        test.arg(folder)
            .env("POLYSPAN_RUNTIMES", &self.workspace.cache)
            .env("POLYSPAN_TEST_RECEIVER", self.workspace.program("polyspan-test-receiver"));
        process::watch(&mut test)
    }
}
