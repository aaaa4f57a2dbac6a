//! Starting other programs. Each is printed before it runs, so that a log tells what failed.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Write};
#[cfg(unix)]
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};
use std::{env, thread};

use anyhow::{Context, Result, bail};

/// What a program printed on its standard output, and whether it succeeded.
pub struct Finished {
    pub success: bool,
    pub output: String,
}

/// In CI a program that takes longer hangs: it is ended, with all it has started, and the others have most of an
/// hour left.
const TIME_LIMIT: Duration = Duration::from_secs(25 * 60);
/// What a program's children may still print after it has ended.
const AFTERWARDS: Duration = Duration::from_secs(2);

/// Runs to the end with our own standard streams; an exit code other than 0 is an error.
pub fn run(command: &mut Command) -> Result<()> {
    announce(command);
    let mut child = spawn(command)?;
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        end_if_late(&mut child, start, command)?;
        thread::sleep(Duration::from_millis(20));
    };
    if !status.success() {
        bail!("{} failed ({status})", name(command));
    }
    Ok(())
}

/// Runs quietly and returns the standard output; for questions such as `--version`.
pub fn ask(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| cannot_start(command))?;
    if !output.status.success() {
        bail!(
            "{} failed ({}): {}",
            name(command),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    // Some programs answer on standard error.
    let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    Ok(String::from_utf8_lossy(&text).trim().to_owned())
}

/// Runs with its standard output shown as it comes and kept; for test runners, whose closing lines
/// are read.
pub fn watch(command: &mut Command) -> Result<Finished> {
    announce(command);
    let mut child = spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()))?;
    let (sender, lines) = mpsc::channel();
    if let Some(stream) = child.stdout.take() {
        thread::spawn(move || {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
                if sender.send(std::mem::take(&mut line)).is_err() {
                    return;
                }
            }
        });
    }
    let start = Instant::now();
    let mut output = String::new();
    loop {
        match lines.recv_timeout(AFTERWARDS) {
            Ok(line) => {
                io::stdout().write_all(&line)?;
                output.push_str(&String::from_utf8_lossy(&line));
            }
            Err(RecvTimeoutError::Disconnected) => break,
            // A child that it has left behind may keep the stream open for ever.
            Err(RecvTimeoutError::Timeout) if child.try_wait()?.is_some() => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
        end_if_late(&mut child, start, command)?;
    }
    Ok(Finished { success: child.wait()?.success(), output })
}

fn in_ci() -> bool {
    env::var_os("CI").is_some()
}

/// In CI a program gets a process group of its own, so that it can be ended with its children; at a terminal
/// that would take Ctrl-C from it.
fn spawn(command: &mut Command) -> Result<Child> {
    #[cfg(unix)]
    if in_ci() {
        command.process_group(0);
    }
    command.spawn().with_context(|| cannot_start(command))
}

fn end_if_late(child: &mut Child, start: Instant, command: &Command) -> Result<()> {
    if !in_ci() || start.elapsed() < TIME_LIMIT {
        return Ok(());
    }
    #[cfg(unix)]
    Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).status()?;
    child.kill()?;
    child.wait()?;
    bail!("{} hangs: ended after {} minutes", name(command), TIME_LIMIT.as_secs() / 60)
}

fn announce(command: &Command) {
    let arguments: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
    eprintln!("$ {} {}", name(command), arguments.join(" "));
}

fn name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()
}

fn cannot_start(command: &Command) -> String {
    format!("cannot start {}", name(command))
}
