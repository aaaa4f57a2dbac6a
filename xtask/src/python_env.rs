//! Virtual environments in the cache folder: one per set of pinned requirements. Suites that
//! run Python and the demo ask for one here, and have the Python package built into it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};

use crate::prerequisites;
use crate::process;
use crate::workspace::{Workspace, cache_key};

/// Requirement files of the environment in which all Python suites run.
pub const TESTS: &[&str] = &[
    "xtask/python/build.txt",
    "tests/requirements.txt",
    "tests/requirements-sdk.txt",
    "examples/python-agent/requirements.txt",
];

/// The same without the OpenTelemetry SDK: its API package alone.
pub const TESTS_WITHOUT_SDK: &[&str] =
    &["xtask/python/build.txt", "tests/requirements.txt", "examples/python-agent/requirements.txt"];

pub struct PythonEnv {
    folder: PathBuf,
}

impl PythonEnv {
    /// Makes the environment for these requirement files, or finds it made.
    ///
    /// It is keyed by interpreter, requirements and checkout, so that the package of one checkout is
    /// never tested in another; in CI, where every run is a new clone, the checkout is left out.
    pub fn ensure(workspace: &Workspace, requirements: &[&str]) -> Result<Self> {
        let interpreter = prerequisites::python().map_err(|missing| anyhow!("this needs {missing}"))?;
        let (program, arguments) = interpreter.split_first().context("an interpreter has a name")?;
        let version = process::ask(
            Command::new(program).args(arguments).args(["-c", "import sys; print(sys.version)"]),
        )?;
        let mut parts = vec![version.into_bytes()];
        for file in requirements {
            parts.push(fs::read(workspace.join(file)).with_context(|| format!("cannot read {file}"))?);
        }
        if !workspace.ci {
            parts.push(workspace.root.as_os_str().as_encoded_bytes().to_vec());
        }
        let folder = workspace.cache.join(format!("python-{}", cache_key(parts.iter().map(Vec::as_slice))));
        let env = Self { folder };
        let complete = env.folder.join("complete");
        if complete.is_file() {
            return Ok(env);
        }
        process::run(
            workspace.command(program).args(arguments).args(["-m", "venv", "--clear"]).arg(&env.folder),
        )
        .context("the virtual environment could not be made (on Debian: `apt-get install python3-venv`)")?;
        let mut install = env.pip_install(workspace);
        for file in requirements {
            install.arg("--requirement").arg(file);
        }
        process::run(&mut install)?;
        fs::write(&complete, "").with_context(|| format!("cannot write {}", complete.display()))?;
        Ok(env)
    }

    /// An empty environment, made anew in a folder of this name in Cargo's output.
    pub fn fresh(workspace: &Workspace, name: &str) -> Result<Self> {
        let interpreter = prerequisites::python().map_err(|missing| anyhow!("this needs {missing}"))?;
        let (program, arguments) = interpreter.split_first().context("an interpreter has a name")?;
        let env = Self { folder: workspace.target.join(name) };
        env.make(workspace, program, arguments)?;
        Ok(env)
    }

    fn make(&self, workspace: &Workspace, program: &str, arguments: &[String]) -> Result<()> {
        process::run(
            workspace.command(program).args(arguments).args(["-m", "venv", "--clear"]).arg(&self.folder),
        )
        .context("the virtual environment could not be made (on Debian: `apt-get install python3-venv`)")
    }

    /// The interpreter, started in the root of the checkout as an activated environment would.
    pub fn python(&self, workspace: &Workspace) -> Command {
        let mut command =
            workspace.command(self.programs().join(if cfg!(windows) { "python.exe" } else { "python" }));
        command.env("VIRTUAL_ENV", &self.folder).env_remove("PYTHONHOME").env_remove("PYTHONPATH");
        if let Ok(path) = workspace.path_with(&self.programs()) {
            command.env("PATH", path);
        }
        command
    }

    /// Has `command` find this environment's programs.
    pub fn activate(&self, command: &mut Command, workspace: &Workspace) -> Result<()> {
        command.env("VIRTUAL_ENV", &self.folder).env("PATH", workspace.path_with(&self.programs())?);
        Ok(())
    }

    fn programs(&self) -> PathBuf {
        self.folder.join(if cfg!(windows) { "Scripts" } else { "bin" })
    }

    /// `pip install`, to be given what.
    pub fn pip_install(&self, workspace: &Workspace) -> Command {
        let mut command = self.python(workspace);
        command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        command
    }

    /// A command of maturin on the Python package.
    pub fn maturin(&self, workspace: &Workspace, command: &str) -> Command {
        let mut maturin = self.python(workspace);
        maturin.env("CARGO_TARGET_DIR", &workspace.target);
        maturin.args(["-m", "maturin", command, "--manifest-path", PACKAGE_MANIFEST]);
        maturin
    }

    /// Builds the Python package as a wheel in the given cargo profile, and installs it.
    pub fn install_package(&self, workspace: &Workspace, profile: &str) -> Result<()> {
        let wheels = self.folder.join("wheels");
        if wheels.exists() {
            fs::remove_dir_all(&wheels).with_context(|| format!("cannot empty {}", wheels.display()))?;
        }
        let mut build = self.maturin(workspace, "build");
        build.args(["--profile", profile, "--interpreter", "python", "--out"]).arg(&wheels);
        process::run(build.arg("--quiet")).context("the Python package could not be built")?;
        let mut install = self.pip_install(workspace);
        install.args(["--no-index", "--no-deps", "--force-reinstall"]);
        process::run(install.arg(only_file(&wheels)?))
    }
}

/// The crate of the Python package.
pub const PACKAGE_MANIFEST: &str = "bindings-python/Cargo.toml";

fn only_file(folder: &Path) -> Result<PathBuf> {
    let mut entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    match (entries.next().transpose()?, entries.next()) {
        (Some(entry), None) => Ok(entry.path()),
        _ => bail!("expected exactly one wheel in {}", folder.display()),
    }
}
