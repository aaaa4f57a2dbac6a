//! `cargo xtask demo`: the example agent, sending to a receiver on this machine, and what arrived there as
//! a tree. The first thing a new user runs.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::kotlin_app;
use crate::nextjs::Application;
use crate::prerequisites::{self, Tool};
use crate::process;
use crate::python_env::PythonEnv;
use crate::swift;
use crate::trace_tree;
use crate::workspace::Workspace;

const REQUIREMENTS: &[&str] = &["xtask/python/build.txt", "examples/python-agent/requirements.txt"];

/// Builds what is needed, runs the example, draws its trace. Fails unless every span arrived.
pub fn run(workspace: &Workspace) -> Result<ExitCode> {
    prerequisites::require(&[Tool::Rust, Tool::CCompiler, Tool::Python])?;
    process::run(&mut workspace.cargo(["build", "--package", "polyspan-test-receiver"]))?;
    let env = PythonEnv::ensure(workspace, REQUIREMENTS)?;
    // Nothing is timed here, and the receiver has most of it compiled already.
    env.install_package(workspace, "dev")?;

    let mut agent = env.python(workspace);
    agent.arg("examples/python-agent/run.py");
    let said = received(workspace, &mut agent)?;
    let Received { ended, exported, dropped, received } = said;
    println!("{ended} ended / {exported} exported / {dropped} dropped / {received} received");
    if ended == 0 || [exported, received] != [ended; 2] {
        bail!("not every span arrived");
    }
    Ok(ExitCode::SUCCESS)
}

/// The Next.js application in front of the agent, built, run and visited with Chromium; one trace from the click on.
pub fn run_next(workspace: &Workspace) -> Result<ExitCode> {
    prerequisites::require(&[Tool::Rust, Tool::CCompiler, Tool::Python])?;
    process::run(&mut workspace.cargo(["build", "--package", "polyspan-test-receiver"]))?;
    let application = match Application::ready(workspace)? {
        Ok(application) => application,
        Err(missing) => bail!("{missing}"),
    };
    let env = PythonEnv::ensure(workspace, REQUIREMENTS)?;
    env.install_package(workspace, "dev")?;
    let next = ["node", "node_modules/next/dist/bin/next"];
    let mut build = workspace.command(next[0]);
    application.known_to(workspace, &mut build)?;
    process::run(build.current_dir(&application.folder).args([next[1], "build"]))?;
    let mut run = env.python(workspace);
    application.known_to(workspace, &mut run)?;
    run.arg("examples/nextjs-agent/run.py").arg(&application.folder).args(next).args(["start", "-p", "0"]);
    let Received { ended, exported, dropped, received } = received(workspace, &mut run)?;
    println!("{ended} ended / {exported} exported / {dropped} dropped in Python, {received} received in all");
    if ended == 0 || exported != ended || received <= ended {
        bail!("not every span arrived");
    }
    Ok(ExitCode::SUCCESS)
}

/// The app in Kotlin that asks the agent; one trace from the tap on.
pub fn run_kotlin(workspace: &Workspace) -> Result<ExitCode> {
    prerequisites::require(&[Tool::Rust, Tool::CCompiler, Tool::Python, Tool::Maven])?;
    process::run(&mut workspace.cargo(["build", "--package", "polyspan-test-receiver"]))?;
    let classes = kotlin_app::built(workspace)?;
    let env = PythonEnv::ensure(workspace, REQUIREMENTS)?;
    env.install_package(workspace, "dev")?;
    let mut run = env.python(workspace);
    run.args(["examples/kotlin-app/run.py", "java", "-cp"]).arg(classes).arg("AppKt");
    let Received { ended, exported, dropped, received } = received(workspace, &mut run)?;
    println!("{ended} ended / {exported} exported / {dropped} dropped / {received} received");
    if ended == 0 || [exported, received] != [ended; 2] {
        bail!("not every span arrived");
    }
    Ok(ExitCode::SUCCESS)
}

/// The app in Swift in front of the agent, whose network goes and comes back; one trace from what its user does on.
pub fn run_swift(workspace: &Workspace) -> Result<ExitCode> {
    prerequisites::require(&[Tool::Rust, Tool::CCompiler, Tool::Python])?;
    process::run(&mut workspace.cargo(["build", "--package", "polyspan-test-receiver"]))?;
    let app = match swift::Package::ready(workspace, "debug")? {
        Ok(package) => package.example()?,
        Err(missing) => bail!("{missing}"),
    };
    let env = PythonEnv::ensure(workspace, REQUIREMENTS)?;
    env.install_package(workspace, "dev")?;
    let mut run = env.python(workspace);
    run.arg("examples/swift-app/run.py").arg(app.get_program()).args(app.get_args());
    let Received { ended, exported, dropped, received } = received(workspace, &mut run)?;
    println!("{ended} ended / {exported} exported / {dropped} dropped / {received} received");
    if ended == 0 || [exported, received] != [ended; 2] {
        bail!("not every span arrived");
    }
    Ok(ExitCode::SUCCESS)
}

/// What the programs of an example counted, and what arrived.
struct Received {
    ended: usize,
    exported: usize,
    dropped: usize,
    received: usize,
}

/// Runs an example with a receiver, and draws what arrived there.
fn received(workspace: &Workspace, example: &mut Command) -> Result<Received> {
    let receiver = Receiver::start(workspace)?;
    example.env("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.endpoint);
    // Settings of the user's own, which would send the spans elsewhere or nowhere.
    for name in [
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "OTEL_SDK_DISABLED",
        "OTEL_TRACES_EXPORTER",
        "OTEL_TRACES_SAMPLER",
    ] {
        example.env_remove(name);
    }
    println!();
    let said = process::watch(example)?;
    let requests = receiver.stop()?;
    if !said.success {
        bail!("the example failed");
    }
    let received = trace_tree::count(&requests);
    println!("\n{}", trace_tree::draw(&requests));
    let [ended, exported, dropped] =
        said.output.lines().filter_map(counts).fold([0; 3], |[e, x, d], counts| {
            let [ended, exported, dropped] = counts;
            [e + ended, x + exported, d + dropped]
        });
    Ok(Received { ended, exported, dropped, received })
}

/// What each program of the example says of itself: `NAME: N ended / N exported / N dropped`.
fn counts(line: &str) -> Option<[usize; 3]> {
    let (_, counts) = line.split_once(": ")?;
    let mut numbers = [0; 3];
    for ((part, word), number) in counts.split(" / ").zip(["ended", "exported", "dropped"]).zip(&mut numbers)
    {
        *number = part.strip_suffix(word)?.trim().parse().ok()?;
    }
    Some(numbers)
}

/// The receiver of the tests: prints a JSON object a line, ends with its standard input.
struct Receiver {
    process: Child,
    commands: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    endpoint: String,
}

impl Receiver {
    fn start(workspace: &Workspace) -> Result<Self> {
        let mut command = workspace.command(workspace.program("polyspan-test-receiver"));
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("no receiver")?;
        let commands = process.stdin.take().context("the receiver has an input")?;
        let output = process.stdout.take().context("the receiver has an output")?;
        let mut receiver =
            Self { process, commands, lines: BufReader::new(output).lines(), endpoint: String::new() };
        receiver.endpoint = receiver
            .next("listening")?
            .get("endpoint")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        Ok(receiver)
    }

    /// All requests that arrived, in OTLP/JSON; the receiver ends.
    fn stop(mut self) -> Result<Vec<Value>> {
        writeln!(self.commands, "summary")?;
        let mut requests = Vec::new();
        let mut expected = None;
        // Requests and the summary are printed by two threads of its own.
        while expected != Some(requests.len()) {
            let mut line = self.read()?;
            match line.get("event").and_then(Value::as_str) {
                Some("request") => {
                    requests.push(line.get_mut("request").map(Value::take).unwrap_or_default())
                }
                Some("summary") => {
                    expected = line.get("requests").and_then(Value::as_u64).map(|count| count as usize)
                }
                _ => {}
            }
        }
        drop(self.commands);
        self.process.wait()?;
        Ok(requests)
    }

    fn next(&mut self, event: &str) -> Result<Value> {
        loop {
            let line = self.read()?;
            if line.get("event").and_then(Value::as_str) == Some(event) {
                return Ok(line);
            }
        }
    }

    fn read(&mut self) -> Result<Value> {
        let line = self.lines.next().context("the receiver ended early")??;
        serde_json::from_str(&line).with_context(|| format!("the receiver printed {line:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::counts;

    #[test]
    fn the_example_s_account_is_read() {
        assert_eq!(counts("support-agent: 12 ended / 11 exported / 1 dropped"), Some([12, 11, 1]));
        assert_eq!(counts("answer: there is no order"), None);
    }
}
