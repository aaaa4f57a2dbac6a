//! The suite `servers`: OpenTelemetry's instrumentation packages with real Redis, RabbitMQ, Kafka and PostgreSQL. Puts
//! the servers on the machine, as Debian's packages and Kafka's jars; the tests start and end them.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::frameworks;
use crate::node::Package;
use crate::process;
use crate::suites::{Outcome, counted};
use crate::workspace::{Workspace, cache_key};

/// Where each program is found, and the package of Debian that brings it.
const PROGRAMS: [(&str, &str); 5] = [
    ("/usr/bin/redis-server", "redis-server"),
    ("/usr/lib/rabbitmq/bin/rabbitmq-server", "rabbitmq-server"),
    ("/usr/lib/postgresql", "postgresql"),
    ("/usr/bin/java", "default-jre-headless"),
    ("/usr/bin/mvn", "maven"),
];

const KAFKA: &str = "bindings-node/test/servers/kafka.xml";
const COPY: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.9.0:copy-dependencies";

/// Runs each client twice, with the stock SDK and with ours, and compares what was recorded.
pub fn test(workspace: &Workspace) -> Result<Outcome> {
    if let Err(missing) = install(workspace) {
        return Ok(Outcome::Skipped(missing));
    }
    let package = Package::built(workspace, None)?;
    let clients = frameworks::installed(workspace, &package.folder(), "servers", || package.npm())?;
    let mut tests = package.node(["tools/test.mjs", "--servers"])?;
    tests.env("POLYSPAN_SERVERS", clients).env("POLYSPAN_KAFKA", kafka(workspace)?);
    counted(&process::watch(&mut tests)?)
}

/// Installs what is missing where that is allowed, or says why it cannot be had.
fn install(workspace: &Workspace) -> Result<(), String> {
    let missing: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(place, _)| !Path::new(place).exists())
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let wanted = missing.join(" ");
    if !Path::new("/usr/bin/apt-get").exists() || !is_root() {
        return Err(format!("not on this machine: {wanted}; on Debian, as root: apt-get install {wanted}"));
    }
    apt_get(workspace, &missing).map_err(|error| format!("cannot install {wanted}: {error:#}"))
}

fn is_root() -> bool {
    process::ask(Command::new("id").arg("-u")).is_ok_and(|user| user == "0")
}

/// With the packages' files in the cache, and none of the servers started.
fn apt_get(workspace: &Workspace, packages: &[&str]) -> Result<()> {
    let archives = workspace.cache.join("apt");
    fs::create_dir_all(archives.join("partial"))?;
    let mut option = OsString::from("Dir::Cache::archives=");
    option.push(&archives);
    let mut install = workspace.command("apt-get");
    install.args(["install", "--yes", "--no-install-recommends", "-o"]).arg(option).args(packages);
    install.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    // The lists may be too old, or none.
    process::run(&mut install).or_else(|_| {
        process::run(workspace.command("apt-get").args(["update", "--quiet"]))?;
        process::run(&mut install)
    })
}

/// The folder with Kafka's jars, made once for a version.
fn kafka(workspace: &Workspace) -> Result<PathBuf> {
    let project = workspace.join(KAFKA);
    let wanted = fs::read(&project).context("no project for Kafka")?;
    let folder = workspace.cache.join(format!("kafka-{}", cache_key([wanted.as_slice(), COPY.as_bytes()])));
    let stamp = folder.join(".installed");
    if !stamp.is_file() {
        let mut output = OsString::from("-DoutputDirectory=");
        output.push(&folder);
        let mut copy = workspace.command("mvn");
        process::run(copy.args(["--quiet", "--batch-mode", "--file"]).arg(project).arg(COPY).arg(output))?;
        fs::write(&stamp, "").with_context(|| format!("cannot write {}", stamp.display()))?;
    }
    Ok(folder)
}
