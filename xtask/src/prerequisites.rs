//! What a habit assumes on a machine, checked before anything is built, with a message that says what
//! is missing and how to get it.

use std::env;
use std::process::Command;

use anyhow::{Result, bail};

use crate::process;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    Rust,
    Python,
    CCompiler,
    Go,
    /// With Node.js.
    Npm,
    /// With a JDK.
    Maven,
}

/// What is missing of `tools`, and how to get it.
pub fn missing(tools: &[Tool]) -> Vec<String> {
    tools.iter().filter_map(|tool| tool.check().err()).collect()
}

/// Checks all of `tools` and names every one that is missing, not only the first.
pub fn require(tools: &[Tool]) -> Result<()> {
    let missing = missing(tools);
    if !missing.is_empty() {
        bail!("this needs what is not on this machine:\n  - {}", missing.join("\n  - "));
    }
    Ok(())
}

/// The command words of a Python that is new enough, or why there is none.
pub fn python() -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for words in python_candidates() {
        let Some((program, arguments)) = words.split_first() else { continue };
        match process::ask(Command::new(program).args(arguments).arg("--version")) {
            Ok(version) if at_least(&version, 3, 11) => return Ok(words),
            Ok(version) => found.push(version),
            Err(_) => {}
        }
    }
    let found = if found.is_empty() { String::new() } else { format!(" (found {})", found.join(", ")) };
    Err(format!(
        "Python 3.11 or later{found}: install it from your system's packages or python.org, or set POLYSPAN_PYTHON \
         to its path"
    ))
}

fn python_candidates() -> Vec<Vec<String>> {
    match env::var("POLYSPAN_PYTHON") {
        Ok(given) if !given.is_empty() => vec![vec![given]],
        _ => {
            let words = |text: &str| text.split(' ').map(str::to_owned).collect();
            ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11", "py -3"]
                .map(words)
                .to_vec()
        }
    }
}

impl Tool {
    fn check(self) -> Result<(), String> {
        match self {
            Self::Rust => rust(),
            Self::Python => python().map(drop),
            Self::CCompiler => c_compiler(),
            Self::Go => go(),
            Self::Npm => npm(),
            Self::Maven => maven(),
        }
    }
}

fn rust() -> Result<(), String> {
    // The library itself needs 1.89; a benchmark peer needs more.
    let how = "Rust 1.91 or later, kept by rustup: see rustup.rs, then `rustup update stable`";
    let version = process::ask(Command::new("rustc").arg("--version")).map_err(|_| how.to_owned())?;
    if !at_least(&version, 1, 91) {
        return Err(format!("{how} (found {version})"));
    }
    process::ask(Command::new("rustup").arg("--version")).map(drop).map_err(|_| {
        "rustup, which installs the formatter, the linter and the WebAssembly target: see rustup.rs"
            .to_owned()
    })
}

fn c_compiler() -> Result<(), String> {
    let named = env::var("CC").ok().filter(|name| !name.is_empty());
    let names: Vec<&str> = match &named {
        Some(name) => vec![name],
        None => vec!["cc", "gcc", "clang", "cl"],
    };
    if names.iter().any(|name| Command::new(name).arg("--version").output().is_ok()) {
        return Ok(());
    }
    Err("a C compiler and linker: `apt-get install build-essential`, `xcode-select --install`, or the Build Tools of \
         Visual Studio"
        .to_owned())
}

fn go() -> Result<(), String> {
    // From 1.21 on Go fetches the toolchain that go.mod asks for by itself.
    let how = "Go 1.21 or later, for the OpenTelemetry Collector of the end-to-end tests: see go.dev/dl";
    match process::ask(Command::new("go").arg("version")) {
        Ok(version) if at_least(&version, 1, 21) => Ok(()),
        Ok(version) => Err(format!("{how} (found {version})")),
        Err(_) => Err(how.to_owned()),
    }
}

fn npm() -> Result<(), String> {
    let how = "Node.js 20 or later with npm, for the npm package: see nodejs.org";
    match process::ask(Command::new("node").arg("--version")) {
        Ok(version) if at_least(&version, 20, 0) => {}
        Ok(version) => return Err(format!("{how} (found Node.js {version})")),
        Err(_) => return Err(how.to_owned()),
    }
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    process::ask(Command::new(npm).arg("--version"))
        .map(drop)
        .map_err(|_| format!("{how} (found Node.js without npm: on Debian `apt-get install npm`)"))
}

fn maven() -> Result<(), String> {
    let how = "Maven 3.8 or later with JDK 17 or later, for Kotlin: on Debian `apt-get install maven default-jdk-headless`";
    match process::ask(Command::new("javac").arg("--version")) {
        // A first release has one number.
        Ok(version) if at_least(&format!("{version}.0"), 17, 0) => {}
        Ok(version) => return Err(format!("{how} (found {version})")),
        Err(_) => return Err(how.to_owned()),
    }
    let program = if cfg!(windows) { "mvn.cmd" } else { "mvn" };
    match process::ask(Command::new(program).arg("--version")) {
        Ok(version) if at_least(&version, 3, 8) => Ok(()),
        Ok(version) => Err(format!("{how} (found {})", version.lines().next().unwrap_or_default())),
        Err(_) => Err(format!("{how} (found a JDK alone)")),
    }
}

/// Compares the first `number.number` in a program's version line.
pub fn at_least(line: &str, major: u32, minor: u32) -> bool {
    let version = line.split(' ').find_map(|word| {
        let mut numbers = word.trim_start_matches(|c: char| c.is_ascii_alphabetic()).split('.');
        let major = numbers.next()?.parse::<u32>().ok()?;
        let digits: String = numbers.next()?.chars().take_while(char::is_ascii_digit).collect();
        Some((major, digits.parse::<u32>().ok()?))
    });
    version.is_some_and(|version| version >= (major, minor))
}

#[cfg(test)]
mod tests {
    use super::at_least;

    #[test]
    fn versions_are_read_from_each_tool_s_line() {
        assert!(at_least("rustc 1.95.0 (59807616e 2026-04-14)", 1, 88));
        assert!(!at_least("rustc 1.87.0 (17067e9ac 2025-05-09)", 1, 88));
        assert!(at_least("Python 3.15.0rc1", 3, 11));
        assert!(at_least("Python 3.14t", 3, 11));
        assert!(at_least("v20.20.2", 20, 0));
        assert!(!at_least("v18.20.4", 20, 0));
        assert!(!at_least("Python 3.9.18", 3, 11));
        assert!(at_least("go version go1.26.8 linux/amd64", 1, 21));
        assert!(at_least("javac 17.0.15", 17, 0));
        assert!(at_least("Apache Maven 3.8.7\nMaven home: /usr/share/maven", 3, 8));
        assert!(!at_least("go version go1.19.8 linux/amd64", 1, 21));
        assert!(!at_least("nothing here", 0, 0));
    }
}
