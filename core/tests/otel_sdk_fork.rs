//! An `opentelemetry_sdk` exporter in a forked child: made anew there, thread, reactor and all. A binary of
//! its own, because only one thread of this process survives the fork.
#![cfg(all(unix, feature = "opentelemetry-sdk"))]
#![allow(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::convert::Infallible;
use std::time::Duration;

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use polyspan::{Engine, Options, otel::sdk};

const SOON: Duration = Duration::from_secs(20);

/// Works only in the process that made it, within the reactor it was made in.
#[derive(Debug)]
struct Local {
    process: u32,
}

impl SpanExporter for Local {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(self.process, std::process::id());
        Ok(())
    }
}

fn exports_one_more(engine: &Engine) -> bool {
    let before = engine.stats().exported();
    drop(engine.span("work").start());
    engine.flush(SOON).is_ok() && engine.stats().exported() == before + 1 && engine.stats().adds_up()
}

#[test]
fn a_forked_child_has_an_exporter_of_its_own() {
    let local = sdk::exporter("local", || Ok::<_, Infallible>(Local { process: std::process::id() }));
    let engine = polyspan::init(Options::new("service").exporter(local)).unwrap();
    assert!(exports_one_more(&engine));
    // SAFETY: the child calls what a forked child of a program with threads may call on the platforms that
    // this runs on (its allocator is usable), and leaves without running the parent's exit handlers.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            let status = if exports_one_more(&engine) { 0 } else { 1 };
            // SAFETY: ends the process; nothing runs after it.
            unsafe { nix::libc::_exit(status) }
        }
        ForkResult::Parent { child } => {
            assert_eq!(waitpid(child, None).unwrap(), WaitStatus::Exited(child, 0));
            assert!(exports_one_more(&engine));
        }
    }
}
