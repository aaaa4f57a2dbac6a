//! The Swift package: the native library and its generated bindings, put beside the sources; the package's tests, the
//! example that uses it, and where benches/run.py finds what it measures.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::collector;
use crate::counts::Counts;
use crate::process;
use crate::python_env::{self, PythonEnv};
use crate::suites::{Outcome, counted};
use crate::swift_chroot::Toolchain;
use crate::swift_guide;
use crate::uniffi::{self, Border};
use crate::workspace::Workspace;

const PACKAGE: &str = "bindings-kotlin/swift";
const EXAMPLE: &str = "examples/swift-app";
const BENCH: &str = "benches/swift-subjects";
const TRACING: &str = "bindings-kotlin/swift-tracing";
/// How all of them are formatted.
const FORMAT: &str = "bindings-kotlin/swift/.swift-format";

/// Builds the package and runs its tests, then the example against a real Collector.
pub fn test(workspace: &Workspace) -> Result<Outcome> {
    let package = match Package::ready(workspace, "debug")? {
        Ok(package) => package,
        Err(missing) => return Ok(Outcome::Skipped(missing)),
    };
    package.lint()?;
    swift_guide::write(workspace, &package.folder(PACKAGE).join("Tests/PolyspanTests/Guide.swift"))?;
    let mut total = Counts::default();
    if let Outcome::Ran(counts) = counted(&process::watch(&mut package.swift(PACKAGE, "test")?)?)? {
        total.add(counts);
    }
    let app = package.example()?;
    let collector = collector::ensure(workspace)?;
    let env = PythonEnv::ensure(workspace, python_env::TESTS)?;
    env.install_package(workspace, "dev")?;
    let mut pytest = env.python(workspace);
    pytest.env("POLYSPAN_OTELCOL", collector).env("POLYSPAN_SWIFT_APP", words(&app)?);
    pytest.args(["-m", "pytest", "tests/e2e/test_swift.py"]);
    if let Outcome::Ran(counts) = counted(&process::watch(&mut pytest)?)? {
        total.add(counts);
    }
    Ok(Outcome::Ran(total))
}

/// Builds what benches/run.py measures and prints the words that start it, as JSON.
pub fn bench(workspace: &Workspace) -> Result<()> {
    let package = match Package::ready(workspace, "release")? {
        Ok(package) => package,
        Err(missing) => bail!("{missing}"),
    };
    let program = package.program(BENCH, "PolyspanBench")?;
    // It refuses to measure any other library.
    let mut bench = workspace.command("env");
    bench.arg(format!("BENCH_LIBRARY={}", uniffi::library_in(&package.library())?.display()));
    bench.arg(program.get_program()).args(program.get_args());
    println!("{}", words(&bench)?);
    Ok(())
}

/// A command as a list of its words in JSON.
fn words(command: &Command) -> Result<String> {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    let words: Option<Vec<&str>> = words.map(OsStr::to_str).collect();
    serde_json::to_string(&words.context("a path that is no text")?).context("words are text")
}

/// The packages in cargo's output, laid out as in the checkout, with what is generated, so that a build there stays usable
/// from one checkout to the next: a file is written only where it differs.
pub struct Package<'a> {
    workspace: &'a Workspace,
    toolchain: Toolchain,
    profile: &'static str,
}

impl<'a> Package<'a> {
    /// Sets it up over a native library of that profile, `debug` or `release`; or says why there is no Swift.
    pub fn ready(workspace: &'a Workspace, profile: &'static str) -> Result<Result<Self, String>> {
        let toolchain = match Toolchain::ensure(workspace)? {
            Ok(toolchain) => toolchain,
            Err(missing) => return Ok(Err(missing)),
        };
        let package = Self { workspace, toolchain, profile };
        for folder in [PACKAGE, EXAMPLE, BENCH] {
            mirror(&workspace.join(folder), &package.folder(folder))?;
        }
        package.generate()?;
        Ok(Ok(package))
    }

    fn folder(&self, of: &str) -> PathBuf {
        self.workspace.target.join("swift").join(of)
    }

    /// Holds the sources to their format, where the toolchain brings the program for that.
    fn lint(&self) -> Result<()> {
        let format = || {
            let mut swift = self.toolchain.command(self.workspace, &self.workspace.root, "swift");
            swift.arg("format");
            swift
        };
        if process::ask(format().arg("--version")).is_err() {
            eprintln!("the toolchain has no `swift format`: the format of the sources is not looked at");
            return Ok(());
        }
        let mut lint = format();
        lint.args(["lint", "--strict", "--recursive", "--configuration", FORMAT]);
        process::run(lint.args([PACKAGE, EXAMPLE, BENCH, TRACING]))
    }

    /// The words that run the example, which is built.
    pub fn example(&self) -> Result<Command> {
        self.program(EXAMPLE, "ParcelApp")
    }

    fn program(&self, of: &str, name: &str) -> Result<Command> {
        process::run(self.swift(of, "build")?.args(["--product", name]))?;
        let program = self.scratch(of).join(self.profile).join(name);
        Ok(self.toolchain.command(self.workspace, &self.folder(of), program))
    }

    fn scratch(&self, of: &str) -> PathBuf {
        self.folder(of).join(format!(".build-{}", self.profile))
    }

    /// `swift <command>` over one of the packages, which finds the native library.
    fn swift(&self, of: &str, command: &str) -> Result<Command> {
        let mut swift = self.toolchain.command(self.workspace, &self.folder(of), "swift");
        swift.env("POLYSPAN_VECTORS", self.workspace.join("tests/vectors"));
        swift.env("POLYSPAN_LIBRARY_FOLDER", self.library());
        swift.args([command, "--scratch-path"]).arg(self.scratch(of));
        swift.args(["--configuration", self.profile]);
        Ok(swift)
    }

    fn library(&self) -> PathBuf {
        self.workspace.target.join(self.profile)
    }

    /// Builds the native library, and puts what UniFFI writes from it beside the sources.
    fn generate(&self) -> Result<()> {
        let border = Border::built(self.workspace, "swift")?;
        if self.profile == "release" {
            // The sources are the same; the generator is no part of what is measured.
            process::run(&mut self.workspace.cargo(["build", "--release", "--package", uniffi::PACKAGE]))?;
        }
        for entry in fs::read_dir(&border.sources).context("the generated bindings")? {
            let path = entry?.path();
            let into = match path.extension().and_then(OsStr::to_str) {
                Some("swift") => "Sources/PolyspanNative",
                Some("h") => "Sources/CPolyspan",
                // The package has a module map of its own.
                _ => continue,
            };
            let name = path.file_name().context("a generated file has a name")?;
            put(&path, &self.folder(PACKAGE).join(into).join(name))?;
        }
        Ok(())
    }
}

/// What UniFFI writes is not in the checkout, nor is what the guide's examples become.
const GENERATED: [&str; 3] = ["PolyspanNative.swift", "CPolyspan.h", "Guide.swift"];

/// Makes `to` hold what `from` does; what was generated or built in it stays.
fn mirror(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot create {}", to.display()))?;
    let is_made = |name: &OsStr| {
        name.as_encoded_bytes().starts_with(b".build") || GENERATED.iter().any(|one| name == *one)
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(from).with_context(|| format!("cannot list {}", from.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        if is_made(&name) {
            continue;
        }
        let target = to.join(&name);
        if entry.file_type()?.is_dir() {
            mirror(&entry.path(), &target)?;
        } else {
            put(&entry.path(), &target)?;
        }
        names.push(name);
    }
    for entry in fs::read_dir(to).with_context(|| format!("cannot list {}", to.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        if !is_made(&name) && !names.contains(&name) {
            let path = entry.path();
            let gone =
                if entry.file_type()?.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            gone.with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// Copies a file unless the copy is the same already: what is older than what was built of it is not built again.
fn put(from: &Path, to: &Path) -> Result<()> {
    let content = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    if fs::read(to).is_ok_and(|found| found == content) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    fs::write(to, content).with_context(|| format!("cannot write {}", to.display()))
}
