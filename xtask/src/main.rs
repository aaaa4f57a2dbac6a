//! The one task runner: `cargo xtask <habit>`. Every habit sets up what it needs by itself, in the
//! cache folder, and says what is missing when it cannot. README and `.ci/run` call nothing else.

mod app_library;
mod bench;
mod collector;
mod counts;
mod demo;
mod frameworks;
mod kotlin;
mod kotlin_app;
mod kotlin_guide;
mod maven;
mod model;
mod nextjs;
mod nightly;
mod node;
mod npm;
mod prerequisites;
mod process;
mod python_env;
mod servers;
mod soak;
mod suites;
mod swift;
mod swift_chroot;
mod swift_guide;
mod trace_tree;
mod uniffi;
mod wasm;
mod wheels;
mod workspace;
mod zig;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::model::CHECKERS;
use crate::suites::SUITES;
use crate::workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, tests and tries Polyspan", disable_help_subcommand = false)]
struct Arguments {
    #[command(subcommand)]
    habit: Habit,
}

#[derive(Subcommand)]
enum Habit {
    /// Run the example agent and draw its trace
    Demo {
        /// The Next.js application in front of it too, visited with Chromium
        #[arg(long)]
        next: bool,
        /// The app in Kotlin that asks it
        #[arg(long, conflicts_with = "next")]
        kotlin: bool,
        /// The app in Swift in front of it
        #[arg(long, conflicts_with_all = ["next", "kotlin"])]
        swift: bool,
    },
    /// Run every test suite, or those named
    Test {
        /// Names of suites, as `--list` shows them; all of them when none is given
        suites: Vec<String>,
        /// Show the suites and stop
        #[arg(long)]
        list: bool,
    },
    /// Check the lock-free hand-off with loom, shuttle, Miri and ThreadSanitizer
    Model {
        /// Names of checkers, as `--list` shows them; all of them when none is given
        checkers: Vec<String>,
        /// Show the checkers and stop
        #[arg(long)]
        list: bool,
    },
    /// Feed random bytes to everything that reads strangers' bytes
    Fuzz {
        /// Names of fuzz targets; all of them when none is given
        targets: Vec<String>,
        /// How long each target runs
        #[arg(long, default_value_t = 60)]
        seconds: u32,
    },
    /// Measure Polyspan beside its peers and print one table
    Bench {
        /// Arguments of benches/run.py, for example --quick, --list or --only python
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Let the engine work for minutes and see that its memory stays flat
    Soak {
        /// How long
        #[arg(long, default_value_t = 10.0)]
        minutes: f64,
    },
    /// Build the Python package's wheels for every Linux
    Wheels,
    /// Build the npm package and its addons for every platform that links here
    Npm,
    /// Build the Maven artifact and its native libraries for every platform that links here
    Maven {
        /// The library of this machine alone; Maven builds on it find the artifact in the cache
        #[arg(long)]
        here: bool,
        /// The native library of apps alone, whose size is said and held
        #[arg(long, conflicts_with = "here")]
        app: bool,
    },
    /// Build the Swift program that the benchmarks measure and print the words that start it
    SwiftBench,
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
        Habit::Demo { next: true, .. } => demo::run_next(&workspace),
        Habit::Demo { kotlin: true, .. } => demo::run_kotlin(&workspace),
        Habit::Demo { swift: true, .. } => demo::run_swift(&workspace),
        Habit::Demo { .. } => demo::run(&workspace),
        Habit::Test { list: true, .. } => {
            suites::list(SUITES);
            Ok(ExitCode::SUCCESS)
        }
        Habit::Model { list: true, .. } => {
            suites::list(CHECKERS);
            Ok(ExitCode::SUCCESS)
        }
        Habit::Test { suites, .. } => suites::run(&workspace, SUITES, &suites),
        Habit::Model { checkers, .. } => suites::run(&workspace, CHECKERS, &checkers),
        Habit::Fuzz { targets, seconds } => nightly::fuzz(&workspace, &targets, seconds),
        Habit::Bench { arguments } => bench::run(&workspace, &arguments),
        Habit::Soak { minutes } => soak::run(&workspace, minutes),
        Habit::Wheels => wheels::run(&workspace),
        Habit::Npm => npm::run(&workspace),
        Habit::Maven { app: true, .. } => app_library::run(&workspace),
        Habit::Maven { here: true, .. } => maven::install(&workspace),
        Habit::Maven { .. } => maven::run(&workspace),
        Habit::SwiftBench => swift::bench(&workspace).map(|()| ExitCode::SUCCESS),
        Habit::Collector => {
            prerequisites::require(&[prerequisites::Tool::Go])?;
            println!("{}", collector::ensure(&workspace)?.display());
            Ok(ExitCode::SUCCESS)
        }
    }
}
