//! `bench-subject`: records the workload with one library, in a process of its own, and prints what it cost
//! as one line of JSON. `benches/run.py` calls it, with the peers in turn.
//!
//! ```text
//! bench-subject SUBJECT bursts|rate|flat-out [--otlp URL] [--gzip] [--unsampled] [--traces N] [--burst N]
//!               [--pause-us N] [--callers N] [--apart] [--spans-per-second N] [--seconds N]
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod meter;
mod runs;
#[cfg(all(test, feature = "ours", feature = "peers"))]
mod shape;
mod subjects;
mod workload;

use std::collections::HashMap;
use std::error::Error;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use runs::Drive;
use subjects::{Setup, Target};

const SWITCHES: [&str; 3] = ["gzip", "unsampled", "apart"];

/// `--name value` pairs, and switches without a value.
struct Options(HashMap<String, String>);

impl Options {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut options = HashMap::new();
        while let Some(word) = words.next() {
            let name = word.strip_prefix("--").ok_or_else(|| format!("unexpected `{word}`"))?.to_owned();
            let value = if SWITCHES.contains(&name.as_str()) {
                String::new()
            } else {
                words.next().ok_or_else(|| format!("`{word}` needs a value"))?
            };
            options.insert(name, value);
        }
        Ok(Self(options))
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn number<T: FromStr>(&self, name: &str, default: T) -> Result<T, Box<dyn Error>>
    where
        T::Err: Error + 'static,
    {
        Ok(self.0.get(name).map_or(Ok(default), |text| text.parse())?)
    }
}

fn main() -> ExitCode {
    match start() {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("bench-subject: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<String, Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let (subject, drive) = words
        .next()
        .zip(words.next())
        .ok_or("usage: bench-subject SUBJECT bursts|rate|flat-out [options]")?;
    let options = Options::parse(words)?;
    let length = Duration::from_secs_f64(options.number("seconds", 20.0)?);
    let drive = match drive.as_str() {
        "bursts" => Drive::Bursts {
            traces: options.number("traces", 25_000)?,
            burst: options.number("burst", 64)?,
            pause: Duration::from_micros(options.number("pause-us", 4_000)?),
            callers: options.number("callers", 1)?,
            apart: options.has("apart"),
        },
        "rate" => Drive::Rate { spans_per_second: options.number("spans-per-second", 100_000.0)?, length },
        "flat-out" => Drive::FlatOut { length },
        other => return Err(format!("`{other}` is no drive").into()),
    };
    let target = options.0.get("otlp").map_or(Target::Null, |endpoint| Target::Otlp {
        endpoint: endpoint.clone(),
        gzip: options.has("gzip"),
    });
    let setup =
        Setup { target, sampled: !options.has("unsampled"), tuned: matches!(drive, Drive::Bursts { .. }) };
    let turns = workload::turns()?;
    let line = match subject.as_str() {
        #[cfg(feature = "peers")]
        "opentelemetry" => runs::run::<subjects::opentelemetry::OpenTelemetry>(&setup, &turns, &drive)?,
        #[cfg(feature = "peers")]
        "fastrace" => runs::run::<subjects::fastrace::Fastrace>(&setup, &turns, &drive)?,
        #[cfg(feature = "ours")]
        "polyspan" => runs::run::<subjects::polyspan::Polyspan>(&setup, &turns, &drive)?,
        #[cfg(feature = "ours")]
        "polyspan_plain" => runs::run::<subjects::polyspan::Plain>(&setup, &turns, &drive)?,
        other => return Err(format!("`{other}` is no subject").into()),
    };
    Ok(line.to_string())
}
