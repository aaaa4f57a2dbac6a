//! The example app in Kotlin: built against the artifact of this checkout, its demo and its end-to-end test.

use std::env::consts;
use std::ffi::OsString;

use anyhow::{Context, Result};

use crate::collector;
use crate::kotlin;
use crate::process;
use crate::python_env::{self, PythonEnv};
use crate::suites::{Outcome, counted};
use crate::uniffi::{Border, empty};
use crate::workspace::Workspace;

const PROJECT: &str = "examples/kotlin-app/pom.xml";

/// The app beside its services, sending to a real Collector.
pub fn test(workspace: &Workspace) -> Result<Outcome> {
    let app = built(workspace)?;
    let collector = collector::ensure(workspace)?;
    let env = PythonEnv::ensure(workspace, python_env::TESTS)?;
    env.install_package(workspace, "dev")?;
    let mut pytest = env.python(workspace);
    pytest.env("POLYSPAN_OTELCOL", collector).env("POLYSPAN_KOTLIN_APP", app);
    pytest.args(["-m", "pytest", "tests/e2e/test_kotlin.py"]);
    counted(&process::watch(&mut pytest)?)
}

/// Builds the app; the class path that it runs with.
pub fn built(workspace: &Workspace) -> Result<OsString> {
    let border = Border::built(workspace, "kotlin")?;
    let natives = kotlin::made(workspace).join("natives");
    empty(&natives)?;
    kotlin::put(&natives, &kotlin::platform(consts::OS, consts::ARCH), &border.library)?;
    // Maven finds the artifact where it keeps what it downloads.
    let mut install = kotlin::maven(workspace, &border, kotlin::PROJECT)?;
    process::run(install.args(["install", "-Dmaven.test.skip=true"]))?;
    let folder = workspace.target.join("kotlin-app");
    let mut build = kotlin::maven(workspace, &border, PROJECT)?;
    build.arg(format!("-Dpolyspan.app={}", folder.to_str().context("a path that is no text")?));
    process::run(build.arg("process-classes"))?;
    let libraries = folder.join("libraries").join("*");
    Ok(std::env::join_paths([folder.join("classes"), libraries])?)
}
