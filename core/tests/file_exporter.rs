//! The file exporter on a real file system: what stands in the files, and what is counted when they fail.
#![cfg(feature = "engine")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use polyspan::export::file::{FileOptions, FileSink};
use polyspan::export::otlp::OtlpBatch;
use polyspan::export::{Outcome, SendContext, Sink};
use polyspan::{DropReason, ErrorCode};
use prost::Message;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::Instant;

fn request(name: &str) -> ExportTraceServiceRequest {
    let span = Span { trace_id: vec![1; 16], span_id: vec![2; 8], name: name.to_owned(), ..Span::default() };
    let scope_spans = vec![ScopeSpans { spans: vec![span], ..ScopeSpans::default() }];
    ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..Default::default() }] }
}

fn batch(name: &str) -> OtlpBatch {
    OtlpBatch::new(request(name).encode_to_vec(), 1)
}

async fn write(sink: &mut FileSink, name: &str) -> Outcome {
    sink.send(batch(name), &SendContext::unbounded(1)).await
}

fn names(path: impl AsRef<Path>) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let parse = |line: &str| serde_json::from_str::<ExportTraceServiceRequest>(line).unwrap();
    text.lines().map(|line| parse(line).resource_spans[0].scope_spans[0].spans[0].name.clone()).collect()
}

fn sink(path: &Path) -> FileSink {
    FileSink::new(FileOptions::new(path)).unwrap()
}

#[tokio::test]
async fn every_batch_is_a_line_that_the_generated_types_read() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("traces.jsonl");
    let mut sink = sink(&path);
    for name in ["one", "two\nlines"] {
        assert_eq!(write(&mut sink, name).await, Outcome::exported(1));
    }
    sink.flush().await;
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<ExportTraceServiceRequest> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, [request("one"), request("two\nlines")]);
    assert!(text.ends_with("}\n"));
}

#[tokio::test]
async fn a_restart_appends_and_closes_a_torn_line() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("traces.jsonl");
    write(&mut sink(&path), "before").await;
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{whole}{}", &whole[..20])).unwrap();
    write(&mut sink(&path), "after").await;
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[1], &whole[..20], "the torn line costs itself only");
    assert!(lines[2].contains("after"));
    write(&mut sink(&path), "again").await;
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 4);
}

#[tokio::test]
async fn a_line_torn_by_another_process_is_closed() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("traces.jsonl");
    let mut sink = sink(&path);
    write(&mut sink, "before").await;
    fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"resource").unwrap();
    write(&mut sink, "after").await;
    write(&mut sink, "again").await;
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!((lines.len(), lines[1]), (4, "{\"resource"));
    assert!(lines[2].contains("after") && lines[3].contains("again"));
}

#[tokio::test]
async fn rotation_keeps_the_newest_files() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("traces.jsonl");
    let line = {
        write(&mut sink(&path), "00").await;
        fs::metadata(&path).unwrap().len()
    };
    fs::remove_file(&path).unwrap();
    let options = FileOptions { max_bytes: 2 * line, max_files: 3, ..FileOptions::new(&path) };
    let mut sink = FileSink::new(options).unwrap();
    for number in 0..9 {
        assert_eq!(write(&mut sink, &format!("{number:02}")).await, Outcome::exported(1));
    }
    assert_eq!(names(&path), ["08"]);
    assert_eq!(names(path.with_extension("jsonl.1")), ["06", "07"]);
    assert_eq!(names(path.with_extension("jsonl.2")), ["04", "05"]);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 3);
}

#[tokio::test]
async fn one_file_may_be_all_there_is() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("traces.jsonl");
    let options = FileOptions { max_bytes: 1, max_files: 1, ..FileOptions::new(&path) };
    let mut sink = FileSink::new(options).unwrap();
    for name in ["one", "two"] {
        assert_eq!(write(&mut sink, name).await, Outcome::exported(1));
    }
    assert_eq!(names(&path), ["two"], "a line larger than the limit is still written whole");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_restart_counts_what_is_there() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("traces.jsonl");
    fs::write(&path, "{}\n".repeat(400)).unwrap();
    let options = FileOptions { max_bytes: 1000, ..FileOptions::new(&path) };
    write(&mut FileSink::new(options).unwrap(), "new").await;
    assert_eq!(names(&path), ["new"]);
    assert_eq!(fs::metadata(path.with_extension("jsonl.1")).unwrap().len(), 1200);
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_moved_away_by_a_log_rotator_is_opened_anew() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("traces.jsonl");
    let moved = directory.path().join("moved");
    let mut sink = sink(&path);
    write(&mut sink, "one").await;
    fs::rename(&path, &moved).unwrap();
    write(&mut sink, "two").await;
    fs::remove_file(&path).unwrap();
    write(&mut sink, "three").await;
    assert_eq!(names(&moved), ["one"]);
    assert_eq!(names(&path), ["three"]);
}

#[tokio::test]
async fn two_processes_may_share_a_file() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("traces.jsonl");
    let (mut one, mut other) = (sink(&path), sink(&path));
    for _ in 0..3 {
        write(&mut one, "one").await;
        write(&mut other, "other").await;
    }
    assert_eq!(names(&path), ["one", "other", "one", "other", "one", "other"]);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_counted_and_said() {
    let mut sink = sink(Path::new("/dev/full"));
    let outcome = write(&mut sink, "lost").await;
    assert_eq!((outcome.spans(), &outcome.dropped[..]), (1, &[(DropReason::Io, 1)][..]));
    assert!(outcome.message.unwrap().contains("/dev/full cannot be written: No space left"));
}

#[cfg(unix)]
#[tokio::test]
async fn spans_are_kept_when_rotation_fails() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("traces.jsonl");
    // A directory that is not empty cannot be replaced by a file.
    fs::create_dir_all(directory.path().join("traces.jsonl.1/x")).unwrap();
    let options = FileOptions { max_bytes: 1, max_files: 2, ..FileOptions::new(&path) };
    let mut sink = FileSink::new(options).unwrap();
    assert_eq!(write(&mut sink, "one").await, Outcome::exported(1));
    let outcome = write(&mut sink, "two").await;
    assert_eq!(outcome.exported, 1);
    assert!(outcome.message.unwrap().contains("is not rotated"));
    assert_eq!(names(&path), ["one", "two"]);
}

#[tokio::test]
async fn bytes_that_are_no_request_are_counted() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("traces.jsonl");
    let garbage = OtlpBatch::new(vec![0xff; 9], 4);
    let outcome = sink(&path).send(garbage, &SendContext::unbounded(1)).await;
    assert_eq!(outcome.dropped, [(DropReason::Internal, 4)]);
    assert_eq!(fs::metadata(&path).unwrap().len(), 0);
}

#[tokio::test]
async fn nothing_is_written_after_the_deadline() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("traces.jsonl");
    let context = SendContext::new(watch::channel(Some(Instant::now())).1, 1);
    let outcome = sink(&path).send(batch("late"), &context).await;
    assert_eq!(outcome.dropped, [(DropReason::Shutdown, 1)]);
    assert_eq!(fs::metadata(&path).unwrap().len(), 0);
}

#[test]
fn files_that_cannot_be_opened_are_named() {
    let directory = TempDir::new().unwrap();
    let missing = directory.path().join("missing/traces.jsonl");
    for path in [missing, directory.path().to_owned(), PathBuf::new()] {
        let error = FileSink::new(FileOptions::new(&path)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Io);
        assert!(error.message().starts_with("path: "), "{error}");
    }
    let options = FileOptions { max_files: 0, ..FileOptions::new(directory.path().join("x")) };
    assert!(FileSink::new(options).unwrap_err().message().starts_with("max_files: "));
}
