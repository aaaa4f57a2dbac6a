//! The one task runner: `cargo xtask <habit>`. Every habit sets up what it needs by itself, in the
//! cache folder, and says what is missing when it cannot. README and `.ci/run` call nothing else.

mod bench;
mod collector;
mod counts;
mod prerequisites;
mod process;
mod python_env;
mod suites;
mod wasm;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, tests and tries Polyspan", disable_help_subcommand = false)]
struct Arguments {
    #[command(subcommand)]
    habit: Habit,
}

#[derive(Subcommand)]
enum Habit {
    /// Run every test suite, or those named
    Test {
        /// Names of suites, as `--list` shows them; all of them when none is given
        suites: Vec<String>,
        /// Show the suites and stop
        #[arg(long)]
        list: bool,
    },
    /// Measure Polyspan beside its peers and print one table
    Bench {
        /// Arguments of benches/run.py, for example --quick, --list or --only python
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Build the OpenTelemetry Collector of the end-to-end tests and print its path
    Collector,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match perform(arguments.habit) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(habit: Habit) -> anyhow::Result<ExitCode> {
    let workspace = Workspace::locate()?;
    match habit {
        Habit::Test { list: true, .. } => {
            suites::list();
            Ok(ExitCode::SUCCESS)
        }
        Habit::Test { suites, .. } => suites::test(&workspace, &suites),
        Habit::Bench { arguments } => bench::run(&workspace, &arguments),
        Habit::Collector => {
            prerequisites::require(&[prerequisites::Tool::Go])?;
            println!("{}", collector::ensure(&workspace)?.display());
            Ok(ExitCode::SUCCESS)
        }
    }
}
