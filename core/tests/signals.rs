//! Signals belong to the application's threads: the engine's never take one.
//!
//! Linux only, because what a thread blocks is read from /proc.
#![cfg(all(target_os = "linux", feature = "otlp-http"))]
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::time::Duration;

use polyspan::Options;
use polyspan::config::ExporterOptions;

/// The name of each thread of this process, by its number, and what it blocks.
fn threads() -> BTreeMap<OsString, (String, u64)> {
    let tasks = fs::read_dir("/proc/self/task").unwrap().filter_map(|task| {
        let task = task.unwrap();
        // A thread may be gone by the time it is looked at.
        let status = fs::read_to_string(task.path().join("status")).ok()?;
        let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap();
        let name = fs::read_to_string(task.path().join("comm")).ok()?;
        Some((task.file_name(), (name.trim().to_owned(), u64::from_str_radix(mask.trim(), 16).unwrap())))
    });
    tasks.collect()
}

fn blocks(mask: u64, signal: libc::c_int) -> bool {
    mask >> (signal - 1) & 1 == 1
}

#[test]
fn the_engine_s_threads_leave_signals_to_the_application() {
    let folder = tempfile::tempdir().unwrap();
    let file = polyspan::export::file::FileOptions::new(folder.path().join("spans.jsonl"));
    let engine = polyspan::init(Options::new("service").exporter(ExporterOptions::File(file))).unwrap();
    let before = threads();
    let ours = ["polyspan-export", "polyspan-helper"];
    let named = |threads: &BTreeMap<OsString, (String, u64)>, name: &str| {
        threads.values().find(|(known, _)| known == name).map(|(_, mask)| *mask)
    };
    // A helper writes the file, and goes when it has had nothing to do for a second.
    let after = loop {
        engine.span("written").start().end();
        engine.flush(Duration::from_secs(10)).unwrap();
        let threads = threads();
        if ours.iter().all(|name| named(&threads, name).is_some()) {
            break threads;
        }
    };
    for name in ours {
        let mask = named(&after, name).unwrap();
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGCHLD, libc::SIGUSR1, libc::SIGALRM]
        {
            assert!(blocks(mask, signal), "{name} takes signal {signal}: {mask:x}");
        }
        for signal in [libc::SIGSEGV, libc::SIGBUS, libc::SIGABRT, libc::SIGPROF] {
            assert!(!blocks(mask, signal), "{name} blocks signal {signal}: {mask:x}");
        }
    }
    for (number, thread) in before {
        assert_eq!(after.get(&number), Some(&thread), "the application's threads are as they were");
    }
    engine.shutdown(Duration::from_secs(10)).unwrap();
}
