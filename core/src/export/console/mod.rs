//! The console exporter: finished traces as trees that a developer reads.
//!
//! [`ConsoleEncoder`] holds spans back until their tree is complete; [`ConsoleSink`] draws and writes it.

mod gather;
mod logs;
mod metrics;
mod preview;
mod tree;

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use gather::{ConsoleEncoder, GatheredTrace};
pub(crate) use logs::ConsoleLogEncoder;
pub(crate) use metrics::ConsoleMetricEncoder;

use super::{Outcome, SendContext, Sink, blocking};
use crate::stats::DropReason;

/// How often a lane should look for complete trees: the schedule delay of its batches.
pub const CONSOLE_DELAY: Duration = Duration::from_millis(100);

/// Writes trees to a stream.
#[derive(Debug)]
pub struct ConsoleSink<W> {
    writer: Arc<Mutex<W>>,
    colour: bool,
}

impl ConsoleSink<io::Stderr> {
    /// A sink for the standard error stream; without a wish, it is coloured if that is a terminal.
    pub fn stderr(colour: Option<bool>) -> Self {
        let stream = io::stderr();
        let colour = colour.unwrap_or_else(|| stream.is_terminal());
        Self::to_writer(stream, colour)
    }
}

impl<W: Write + Send + 'static> ConsoleSink<W> {
    /// A sink for any writer.
    pub fn to_writer(writer: W, colour: bool) -> Self {
        Self { writer: Arc::new(Mutex::new(writer)), colour }
    }
}

impl<W: Write + Send + 'static> Sink<Vec<GatheredTrace>> for ConsoleSink<W> {
    async fn send(&mut self, traces: Vec<GatheredTrace>, context: &SendContext) -> Outcome {
        let spans = traces.iter().fold(0u32, |sum, trace| sum.saturating_add(trace.spans.len() as u32));
        let colour = self.colour;
        let draw = move || {
            let mut text = String::new();
            for trace in &traces {
                tree::draw(&mut text, trace, colour);
            }
            text
        };
        self.print(spans, draw, context).await
    }
}

impl<W: Write + Send + 'static> ConsoleSink<W> {
    /// Writes the text that `draw` makes of so many spans, log records or data points.
    async fn print(
        &self,
        records: u32,
        draw: impl FnOnce() -> String + Send + 'static,
        context: &SendContext,
    ) -> Outcome {
        let writer = Arc::clone(&self.writer);
        let print = move || {
            let text = draw();
            let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
            match writer.write_all(text.as_bytes()).and_then(|()| writer.flush()) {
                Ok(()) => Outcome::exported(records),
                Err(error) => Outcome::dropped(
                    DropReason::Io,
                    records,
                    format!("the console cannot be written: {error}"),
                ),
            }
        };
        blocking::write(records, context, print).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::sync::watch;
    use tokio::time::Instant;

    use super::*;
    use crate::frame::record::SpanData;

    fn traces(names: &[&str]) -> Vec<GatheredTrace> {
        let span = |name: &str| SpanData { name: name.to_owned(), ..SpanData::default() };
        let trace = |name: &&str| GatheredTrace { spans: vec![span(name)], continued: false };
        names.iter().map(trace).collect()
    }

    /// A writer that hands on what it is given, or fails.
    struct Pipe(Option<mpsc::Sender<String>>);

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let reader = self.0.as_ref().ok_or(io::ErrorKind::BrokenPipe)?;
            reader.send(String::from_utf8_lossy(bytes).into_owned()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn traces_are_written_and_counted() {
        let (pipe, reader) = mpsc::channel();
        let mut sink = ConsoleSink::to_writer(Pipe(Some(pipe)), false);
        let outcome = sink.send(traces(&["one", "two"]), &SendContext::unbounded(1)).await;
        assert_eq!(outcome, Outcome::exported(2));
        let text = reader.recv().unwrap();
        let names: Vec<_> = text.lines().filter(|line| line.starts_with(['o', 't'])).collect();
        let header = "trace 00000000000000000000000000000000 · 1 span · 0 ns";
        assert_eq!(names, [header, "one 0 ns", header, "two 0 ns"]);
    }

    #[tokio::test]
    async fn a_console_that_is_gone_is_counted_and_said() {
        let mut sink = ConsoleSink::to_writer(Pipe(None), false);
        let outcome = sink.send(traces(&["one", "two"]), &SendContext::unbounded(1)).await;
        assert_eq!(outcome.dropped, [(DropReason::Io, 2)]);
        assert!(outcome.message.unwrap().contains("broken pipe"));
    }

    /// A writer that waits until the test lets go of the other end.
    struct Stuck(mpsc::Receiver<()>);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_console_that_hangs_is_left_at_the_deadline() {
        let (release, stuck) = mpsc::channel();
        let mut sink = ConsoleSink::to_writer(Stuck(stuck), false);
        let (_set, deadline) = watch::channel(Some(Instant::now() + Duration::from_millis(20)));
        let context = SendContext::new(deadline, 1);
        let outcome = sink.send(traces(&["one"]), &context).await;
        assert_eq!((outcome.unknown, outcome.spans()), (1, 1));
        let outcome = sink.send(traces(&["two"]), &context).await;
        assert_eq!(outcome.dropped, [(DropReason::Shutdown, 1)]);
        drop(release);
    }
}
