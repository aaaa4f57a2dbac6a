//! The ways a subject is driven: in bursts that its export thread can follow, at a held rate, or flat out.

use std::error::Error;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::meter::{self, Lap};
use crate::subjects::{Setup, Subject};
use crate::workload::{SPANS_PER_TRACE, Turn};

/// Traces recorded before anything is read.
const WARM_UP: usize = 256;

/// How a run is driven.
#[derive(Debug, Clone)]
pub enum Drive {
    /// Bursts with a pause after each, so that nothing is dropped; each caller's own time is read around its
    /// bursts. All callers start a burst together.
    Bursts { traces: usize, burst: usize, pause: Duration, callers: usize, apart: bool },
    /// A held rate in spans per second; a late burst is made up for.
    Rate { spans_per_second: f64, length: Duration },
    /// As fast as one thread can.
    FlatOut { length: Duration },
}

/// One caller going round the turns.
struct Caller<'a, S> {
    subject: &'a S,
    turns: std::iter::Cycle<std::slice::Iter<'a, Turn>>,
}

impl<'a, S: Subject> Caller<'a, S> {
    fn new(subject: &'a S, turns: &'a [Turn]) -> Self {
        Self { subject, turns: turns.iter().cycle() }
    }

    fn traces(&mut self, count: usize) {
        for turn in self.turns.by_ref().take(count) {
            self.subject.trace(turn);
        }
    }
}

/// Records for `drive` and says what it cost, as one JSON object.
///
/// # Errors
/// The subject cannot be set up, or the threads cannot be placed.
pub fn run<S: Subject>(setup: &Setup, turns: &[Turn], drive: &Drive) -> Result<Value, Box<dyn Error>> {
    let apart = if let Drive::Bursts { apart: true, .. } = drive { Some(meter::two_cpus()?) } else { None };
    if let Some((_, background)) = apart {
        // What the subject starts inherits this; the caller moves away after the warm-up.
        meter::bind_to(background)?;
    }
    let rss_before = meter::peak_rss_kib();
    let subject = S::start(setup)?;
    Caller::new(&subject, turns).traces(WARM_UP);
    subject.flush();
    if let Some((caller, _)) = apart {
        meter::bind_to(caller)?;
    }
    let before = (meter::process_cpu(), Instant::now());
    let (traces, calls) = match *drive {
        Drive::Bursts { traces, burst, pause, callers, .. } => {
            let laps = bursts(&subject, turns, (traces, burst), pause, callers);
            (
                laps.iter().map(|(traces, _)| traces).sum(),
                laps.iter().fold(Lap::default(), |sum, (_, lap)| Lap {
                    cpu: sum.cpu + lap.cpu,
                    wall: sum.wall + lap.wall,
                }),
            )
        }
        Drive::Rate { spans_per_second, length } => at_rate(&subject, turns, spans_per_second, length),
        Drive::FlatOut { length } => flat_out(&subject, turns, length),
    };
    let recording = before.1.elapsed();
    subject.flush();
    let with_flush = before.1.elapsed();
    let process = meter::process_cpu().saturating_sub(before.0);
    let account = subject.stop();
    let spans = u64::try_from(traces)? * SPANS_PER_TRACE;
    let each = |time: Duration| time.as_nanos() as f64 / spans as f64;
    Ok(json!({
        "spans": spans,
        "spans_with_warm_up": spans + u64::try_from(WARM_UP)? * SPANS_PER_TRACE,
        "call_cpu_ns": each(calls.cpu),
        "call_wall_ns": each(calls.wall),
        "process_cpu_ns": each(process),
        "recording_seconds": recording.as_secs_f64(),
        "total_seconds": with_flush.as_secs_f64(),
        "rss_before_kib": rss_before,
        "peak_rss_kib": meter::peak_rss_kib(),
        "account": {"ended": account.ended, "exported": account.exported, "left_out": account.left_out, "dropped": account.dropped},
    }))
}

fn bursts<S: Subject>(
    subject: &S,
    turns: &[Turn],
    (traces, burst): (usize, usize),
    pause: Duration,
    callers: usize,
) -> Vec<(usize, Lap)> {
    let together = Barrier::new(callers);
    let one = || {
        let mut caller = Caller::new(subject, turns);
        let (mut lap, mut done) = (Lap::default(), 0);
        while done < traces {
            together.wait();
            let start = Lap::now();
            caller.traces(burst);
            lap.add_since(start);
            done += burst;
            thread::sleep(pause);
        }
        (done, lap)
    };
    if callers == 1 {
        return vec![one()];
    }
    thread::scope(|scope| {
        let threads: Vec<_> = (0..callers).map(|_| scope.spawn(one)).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    })
}

fn at_rate<S: Subject>(subject: &S, turns: &[Turn], spans_per_second: f64, length: Duration) -> (usize, Lap) {
    let mut caller = Caller::new(subject, turns);
    let (start, lap) = (Instant::now(), Lap::now());
    let mut done = 0;
    loop {
        let passed = start.elapsed();
        if passed >= length {
            break;
        }
        let due = (passed.as_secs_f64() * spans_per_second / SPANS_PER_TRACE as f64) as usize;
        caller.traces(due.saturating_sub(done));
        done = done.max(due);
        thread::sleep(Duration::from_millis(1));
    }
    let mut calls = Lap::default();
    calls.add_since(lap);
    (done, calls)
}

fn flat_out<S: Subject>(subject: &S, turns: &[Turn], length: Duration) -> (usize, Lap) {
    let mut caller = Caller::new(subject, turns);
    let (start, lap) = (Instant::now(), Lap::now());
    let mut done = 0;
    while start.elapsed() < length {
        caller.traces(turns.len());
        done += turns.len();
    }
    let mut calls = Lap::default();
    calls.add_since(lap);
    (done, calls)
}
