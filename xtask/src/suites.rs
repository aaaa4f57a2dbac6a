//! `cargo xtask test`: the list of all suites, what each needs, running them and the closing table.
//! A new suite is one entry of `SUITES` and, where no runner below fits, one function.

use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::collector;
use crate::counts::Counts;
use crate::kotlin;
use crate::kotlin_app;
use crate::model;
use crate::nextjs;
use crate::node;
use crate::prerequisites::{self, Tool};
use crate::process::{self, Finished};
use crate::python_env::{self, PythonEnv};
use crate::servers;
use crate::swift;
use crate::wasm;
use crate::workspace::Workspace;

pub struct Suite {
    pub name: &'static str,
    pub about: &'static str,
    pub needs: &'static [Tool],
    pub run: fn(&Workspace) -> Result<Outcome>,
}

/// How a suite ended. An error of its function counts as one failure.
pub enum Outcome {
    Ran(Counts),
    /// What the suite needs cannot be had on this platform. In CI that is a failure.
    Skipped(String),
}

/// All suites, in the order of `cargo xtask test`: the quick ones first.
pub const SUITES: &[Suite] = &[
    Suite { name: "fmt", about: "Rust sources are formatted", needs: &[Tool::Rust], run: fmt },
    Suite {
        name: "ruff",
        about: "Python sources are formatted and linted",
        needs: &[Tool::Python],
        run: ruff,
    },
    Suite { name: "types", about: "Python type annotations hold", needs: RUST_PYTHON, run: types },
    Suite { name: "clippy", about: "no warning of the Rust compiler or linter", needs: RUST, run: clippy },
    Suite { name: "features", about: "core compiles with every set of features", needs: RUST, run: features },
    Suite { name: "docs", about: "Rust documentation builds without a warning", needs: RUST, run: docs },
    Suite { name: "rust", about: "unit, integration and documentation tests", needs: RUST, run: rust },
    model::LOOM,
    model::SHUTTLE,
    Suite {
        name: "wasm",
        about: "core without threads or clock, in WebAssembly",
        needs: RUST_PYTHON,
        run: wasm,
    },
    Suite {
        name: "python",
        about: "the Python package, with and without the OpenTelemetry SDK",
        needs: RUST_PYTHON,
        run: python,
    },
    Suite { name: "node", about: "the npm package: tests, types, style", needs: RUST_NPM, run: node::test },
    Suite {
        name: "npm",
        about: "the npm package as installed: size, bundlers, Node.js 20 to 26, Bun, Deno",
        needs: RUST_NPM,
        run: node::test_installed,
    },
    Suite {
        name: "servers",
        about: "the npm package with real Redis, RabbitMQ, Kafka, PostgreSQL",
        needs: RUST_NPM,
        run: servers::test,
    },
    Suite {
        name: "kotlin",
        about: "the Maven artifact, from Kotlin and from Java",
        needs: RUST_MAVEN,
        run: kotlin::test,
    },
    Suite {
        name: "swift",
        about: "the Swift package and its example, with a toolchain of their own",
        needs: RUST_PYTHON_GO,
        run: swift::test,
    },
    Suite { name: "e2e", about: "whole programs and a real Collector", needs: RUST_PYTHON_GO, run: e2e },
    Suite {
        name: "kotlin-app",
        about: "an app in Kotlin, its services, and a real Collector",
        needs: RUST_PYTHON_GO_MAVEN,
        run: kotlin_app::test,
    },
    Suite {
        name: "next",
        about: "a Next.js application, from a real browser to a real Collector",
        needs: ALL,
        run: nextjs::test,
    },
];

const RUST: &[Tool] = &[Tool::Rust, Tool::CCompiler];
const RUST_PYTHON: &[Tool] = &[Tool::Rust, Tool::CCompiler, Tool::Python];
const RUST_NPM: &[Tool] = &[Tool::Rust, Tool::CCompiler, Tool::Npm];
const RUST_MAVEN: &[Tool] = &[Tool::Rust, Tool::CCompiler, Tool::Maven];
const RUST_PYTHON_GO: &[Tool] = &[Tool::Rust, Tool::CCompiler, Tool::Python, Tool::Go];
const RUST_PYTHON_GO_MAVEN: &[Tool] = &[Tool::Rust, Tool::CCompiler, Tool::Python, Tool::Go, Tool::Maven];
const ALL: &[Tool] = &[Tool::Rust, Tool::CCompiler, Tool::Python, Tool::Go, Tool::Npm];

/// Prints the suites, one a line.
pub fn list(suites: &[Suite]) {
    for suite in suites {
        println!("{:<10} {}", suite.name, suite.about);
    }
}

/// Runs those of `suites` with these names, or all, each to its end whatever the others do.
pub fn run(workspace: &Workspace, suites: &[Suite], names: &[String]) -> Result<ExitCode> {
    let chosen = choose(suites, names)?;
    let mut total = Counts::default();
    let mut table = Vec::new();
    for suite in chosen {
        println!("\n== {}: {}", suite.name, suite.about);
        let start = Instant::now();
        let (word, counts) = judge(workspace, suite);
        total.add(counts);
        let seconds = start.elapsed().as_secs_f64();
        table.push(format!(
            "{:<10} {word:<8} {:>6} {:>6} {:>7} {seconds:>8.1}",
            suite.name, counts.passed, counts.failed, counts.skipped
        ));
    }
    println!("\n{:<10} {:<8} {:>6} {:>6} {:>7} {:>8}", "suite", "", "passed", "failed", "skipped", "seconds");
    println!("{}", table.join("\n"));
    let skipped = if total.skipped > 0 { format!(", {} skipped", total.skipped) } else { String::new() };
    println!("\n{} passed, {} failed{skipped}", total.passed, total.failed);
    Ok(if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn choose<'a>(suites: &'a [Suite], names: &[String]) -> Result<Vec<&'a Suite>> {
    if names.is_empty() {
        return Ok(suites.iter().collect());
    }
    if let Some(unknown) = names.iter().find(|name| suites.iter().all(|suite| suite.name != name.as_str())) {
        let known: Vec<_> = suites.iter().map(|suite| suite.name).collect();
        bail!("there is no suite {unknown:?}; the suites are {}", known.join(", "));
    }
    Ok(suites.iter().filter(|suite| names.iter().any(|name| name == suite.name)).collect())
}

fn judge(workspace: &Workspace, suite: &Suite) -> (&'static str, Counts) {
    let missing = prerequisites::missing(suite.needs);
    let ran = if missing.is_empty() {
        (suite.run)(workspace)
    } else {
        Ok(Outcome::Skipped(format!("it needs what is not on this machine: {}", missing.join("; "))))
    };
    match ran {
        Ok(Outcome::Ran(counts)) if counts.failed > 0 => ("FAILED", counts),
        Ok(Outcome::Ran(counts)) => ("ok", counts),
        Ok(Outcome::Skipped(reason)) => {
            println!("SKIPPED {}: {reason}", suite.name);
            if workspace.ci {
                ("FAILED", Counts::failed(1))
            } else {
                ("SKIPPED", Counts { skipped: 1, ..Counts::default() })
            }
        }
        Err(error) => {
            println!("FAILED {}: {error:#}", suite.name);
            ("FAILED", Counts::failed(1))
        }
    }
}

/// For checks that hold no tests of their own: each passes or fails as one.
fn check(mut command: Command) -> Result<Outcome> {
    process::run(&mut command)?;
    Ok(Outcome::Ran(Counts::passed(1)))
}

/// For test runners: what they counted, and a failure if they failed without counting one.
pub fn counted(finished: &Finished) -> Result<Outcome> {
    let Some(mut counts) = Counts::read(&finished.output).filter(|c| *c != Counts::default()) else {
        bail!("no test ran");
    };
    if !finished.success && counts.failed == 0 {
        counts.failed = 1;
    }
    Ok(Outcome::Ran(counts))
}

fn fmt(workspace: &Workspace) -> Result<Outcome> {
    process::run(workspace.command("rustup").args(["component", "add", "rustfmt"]))?;
    check(workspace.cargo(["fmt", "--all", "--check"]))
}

fn clippy(workspace: &Workspace) -> Result<Outcome> {
    process::run(workspace.command("rustup").args(["component", "add", "clippy"]))?;
    check(workspace.cargo([
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "--deny",
        "warnings",
    ]))
}

/// `core` is used with few of its features too; a `use` that only the default ones satisfy shows here.
fn features(workspace: &Workspace) -> Result<Outcome> {
    let mut counts = Counts::default();
    for feature in features_of_core(workspace)? {
        let mut command = workspace.cargo(["clippy", "--package", "polyspan", "--no-default-features"]);
        command.args(["--features", &feature, "--", "--deny", "warnings"]);
        // What only a larger set of features uses is unused in a smaller one.
        process::run(command.args(["--allow", "dead_code", "--allow", "unused_variables"]))?;
        counts.passed += 1;
    }
    Ok(Outcome::Ran(counts))
}

/// The name of each feature, and an empty one for none.
fn features_of_core(workspace: &Workspace) -> Result<Vec<String>> {
    let metadata = process::ask(&mut workspace.cargo(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata is JSON")?;
    let packages = metadata.get("packages").and_then(Value::as_array);
    let core = packages.and_then(|packages| {
        packages.iter().find(|package| package.get("name").is_some_and(|name| name == "polyspan"))
    });
    let features = core.and_then(|core| core.get("features")?.as_object()).context("core has features")?;
    let named = features.keys().filter(|name| *name != "default").cloned();
    Ok([String::new()].into_iter().chain(named).collect())
}

fn docs(workspace: &Workspace) -> Result<Outcome> {
    let mut command = workspace.cargo(["doc", "--package", "polyspan", "--all-features", "--no-deps"]);
    command.env("RUSTDOCFLAGS", "--deny warnings");
    check(command)
}

fn rust(workspace: &Workspace) -> Result<Outcome> {
    let everything: &[&str] = &["--workspace", "--all-features"];
    // With all features the OpenTelemetry API keeps what is current, without them the engine itself.
    let own_slot: &[&str] = &["--package", "polyspan", "--test", "engine"];
    let mut total = Counts::default();
    for chosen in [everything, own_slot] {
        let mut command = workspace.cargo(["test", "--no-fail-fast"]);
        if let Outcome::Ran(counts) = counted(&process::watch(command.args(chosen))?)? {
            total.add(counts);
        }
    }
    Ok(Outcome::Ran(total))
}

fn wasm(workspace: &Workspace) -> Result<Outcome> {
    match wasm::node_folder(workspace) {
        Ok(node) => counted(&wasm::test(workspace, node.as_deref())?),
        Err(error) => Ok(Outcome::Skipped(format!("no Node.js to run it in: {error:#}"))),
    }
}

fn ruff(workspace: &Workspace) -> Result<Outcome> {
    let env = PythonEnv::ensure(workspace, python_env::TESTS)?;
    process::run(env.python(workspace).args(["-m", "ruff", "check", "."]))?;
    process::run(env.python(workspace).args(["-m", "ruff", "format", "--check", "."]))?;
    Ok(Outcome::Ran(Counts::passed(2)))
}

fn types(workspace: &Workspace) -> Result<Outcome> {
    let env = PythonEnv::ensure(workspace, python_env::TESTS)?;
    env.install_package(workspace, "dev")?;
    let mut counts = Counts::default();
    // Apart, because each folder of tests has a conftest of its own.
    for sources in ["bindings-python/python/polyspan", "bindings-python/tests", "tests/e2e"] {
        process::run(env.python(workspace).args(["-m", "mypy", sources]))?;
        counts.passed += 1;
    }
    process::run(env.python(workspace).args(["-m", "mypy.stubtest", "polyspan._polyspan"]))?;
    counts.passed += 1;
    Ok(Outcome::Ran(counts))
}

/// Twice, because a user may have the OpenTelemetry API without its SDK.
fn python(workspace: &Workspace) -> Result<Outcome> {
    let mut total = Counts::default();
    for requirements in [python_env::TESTS, python_env::TESTS_WITHOUT_SDK] {
        let env = PythonEnv::ensure(workspace, requirements)?;
        env.install_package(workspace, "dev")?;
        let mut pytest = env.python(workspace);
        pytest.args(["-m", "pytest", "--timeout", "180", "bindings-python/tests"]);
        if let Outcome::Ran(counts) = counted(&process::watch(&mut pytest)?)? {
            total.add(counts);
        }
    }
    Ok(Outcome::Ran(total))
}

fn e2e(workspace: &Workspace) -> Result<Outcome> {
    let collector = collector::ensure(workspace)?;
    process::run(&mut workspace.cargo(["build", "--package", "polyspan-test-receiver"]))?;
    let env = PythonEnv::ensure(workspace, python_env::TESTS)?;
    env.install_package(workspace, "dev")?;
    let mut pytest = env.python(workspace);
    pytest
        .env("POLYSPAN_OTELCOL", collector)
        .env("POLYSPAN_TEST_RECEIVER", workspace.program("polyspan-test-receiver"));
    pytest.args(["-m", "pytest", "tests/e2e"]);
    // Each of these has a suite of its own.
    for other in ["nextjs", "kotlin", "swift"] {
        pytest.arg(format!("--ignore=tests/e2e/test_{other}.py"));
    }
    counted(&process::watch(&mut pytest)?)
}
