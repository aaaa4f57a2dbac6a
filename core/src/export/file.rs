//! The file exporter: OTLP JSON, one request (of spans, log records or metrics) a line, as the OpenTelemetry Collector's
//! file exporter writes and its `otlpjsonfile` receiver reads; with rotation by size.
//!
//! What a batch's `send` has written survives the end of the process; what was written before a `flush`
//! survives a power loss as well. Several processes may append to one file: each line is one write.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::otlp::{OtlpBatch, json};
use super::{Outcome, SendContext, Sink, blocking};
use crate::error::{Error, ErrorCode};
use crate::semantics::Dialect;
use crate::stats::DropReason;

/// Options of a [`FileSink`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileOptions {
    /// The file that is written. It is appended to when it exists; its directory must exist.
    pub path: PathBuf,
    /// A line that would make the file larger starts a new one, and the old becomes `path.1`; 0 for one
    /// file that grows. Default: 64 MiB.
    pub max_bytes: u64,
    /// How many files are kept: `path`, `path.1` (the newest of the old ones) and so on. Default: 5.
    pub max_files: u32,
    /// Whose names the lines use. Default: the GenAI conventions'.
    pub semantics: Dialect,
}

impl FileOptions {
    /// The default options for a path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), max_bytes: 64 << 20, max_files: 5, semantics: Dialect::default() }
    }
}

/// Appends batches to a file.
#[derive(Debug)]
pub struct FileSink(Arc<Mutex<RotatingFile>>);

impl FileSink {
    /// Opens the file.
    ///
    /// # Errors
    /// `invalid_option` when `max_files` is 0; `io` naming `path` when it cannot be opened for appending.
    pub fn new(options: FileOptions) -> Result<Self, Error> {
        Self::writing(options, json::write_request_json)
    }

    /// Opens the file for batches of log records.
    ///
    /// # Errors
    /// As [`FileSink::new`].
    pub fn of_logs(options: FileOptions) -> Result<Self, Error> {
        Self::writing(options, json::write_logs_json)
    }

    /// Opens the file for batches of metrics.
    ///
    /// # Errors
    /// As [`FileSink::new`].
    pub fn of_metrics(options: FileOptions) -> Result<Self, Error> {
        Self::writing(options, json::write_metrics_json)
    }

    fn writing(options: FileOptions, write_json: WriteJson) -> Result<Self, Error> {
        if options.max_files == 0 {
            return Err(Error::invalid_option("max_files", "0", "at least 1"));
        }
        let refused = |error: io::Error| {
            let path = options.path.display();
            Error::new(ErrorCode::Io, format!("path: {path} cannot be opened for appending: {error}"))
        };
        let file = RotatingFile::open(options.clone(), write_json).map_err(refused)?;
        Ok(Self(Arc::new(Mutex::new(file))))
    }

    async fn sync(&self) {
        let file = Arc::clone(&self.0);
        // A disk that cannot be synced fails the next write as well, and that is counted.
        let _ = tokio::task::spawn_blocking(move || lock(&file).sync()).await;
    }
}

impl Sink<OtlpBatch> for FileSink {
    async fn send(&mut self, batch: OtlpBatch, context: &SendContext) -> Outcome {
        let file = Arc::clone(&self.0);
        blocking::write(batch.spans, context, move || lock(&file).append(&batch)).await
    }

    async fn flush(&mut self) {
        self.sync().await;
    }

    async fn shutdown(&mut self) {
        self.sync().await;
    }
}

fn lock(file: &Mutex<RotatingFile>) -> MutexGuard<'_, RotatingFile> {
    file.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug)]
struct RotatingFile {
    options: FileOptions,
    file: File,
    /// Whether names in the directory changed since the last sync.
    renamed: bool,
    line: String,
    write_json: WriteJson,
}

/// Writes an encoded request as a line of JSON.
type WriteJson = fn(&mut String, &[u8]) -> Option<()>;

impl RotatingFile {
    fn open(options: FileOptions, write_json: WriteJson) -> io::Result<Self> {
        let file = open_for_appending(&options.path)?;
        Ok(Self { options, file, renamed: true, line: String::new(), write_json })
    }

    fn append(&mut self, batch: &OtlpBatch) -> Outcome {
        let spans = batch.spans;
        self.line.clear();
        if (self.write_json)(&mut self.line, &batch.body).is_none() {
            return Outcome::dropped(DropReason::Internal, spans, "the batch is no OTLP request");
        }
        self.line.push('\n');
        let mut outcome = Outcome::exported(spans);
        // Whatever is wrong with old files, the spans go on to the one that is open.
        if let Err(error) = self.follow().and_then(|()| self.make_room()) {
            outcome.message = Some(format!("{} is not rotated: {error}", self.options.path.display()));
        }
        if let Err(error) = self.write_line() {
            let path = self.options.path.display();
            outcome = Outcome::dropped(DropReason::Io, spans, format!("{path} cannot be written: {error}"));
        }
        if self.line.capacity() > 4 << 20 {
            self.line = String::new();
        }
        outcome
    }

    fn write_line(&mut self) -> io::Result<()> {
        if self.ends_within_a_line()? {
            self.line.insert(0, '\n');
        }
        self.file.write_all(self.line.as_bytes())
    }

    /// Whether a crash, or a write that failed half-way, left a line without its end.
    fn ends_within_a_line(&mut self) -> io::Result<bool> {
        let metadata = self.file.metadata()?;
        if !metadata.is_file() || metadata.len() == 0 {
            return Ok(false);
        }
        // Appending goes to the end wherever the file is read.
        self.file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        self.file.read_exact(&mut last)?;
        Ok(last != *b"\n")
    }

    /// Opens the path anew when someone else has moved the file away, as log rotators do.
    fn follow(&mut self) -> io::Result<()> {
        let is_current = match fs::metadata(&self.options.path) {
            Ok(found) => is_same_file(&found, &self.file.metadata()?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(error),
        };
        if !is_current {
            self.file = open_for_appending(&self.options.path)?;
            self.renamed = true;
        }
        Ok(())
    }

    /// Rotates when the line would make the file too large. A file that is new takes any line.
    fn make_room(&mut self) -> io::Result<()> {
        let most = self.options.max_bytes;
        let size = self.file.metadata()?;
        let is_full = size.len() > 0 && size.len().saturating_add(self.line.len() as u64) > most;
        if most == 0 || !is_full || !size.is_file() {
            return Ok(());
        }
        // A later flush reaches the new file only.
        self.file.sync_data()?;
        let path = &self.options.path;
        let oldest = self.options.max_files - 1;
        if oldest == 0 {
            fs::remove_file(path)?;
        } else {
            for number in (1..oldest).rev() {
                match fs::rename(numbered(path, number), numbered(path, number + 1)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            fs::rename(path, numbered(path, 1))?;
        }
        self.file = open_for_appending(path)?;
        self.renamed = true;
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        if self.renamed {
            sync_directory(&self.options.path)?;
            self.renamed = false;
        }
        Ok(())
    }
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{number}"));
    name.into()
}

fn open_for_appending(path: &Path) -> io::Result<File> {
    // Opening a pipe would wait for a reader.
    if fs::metadata(path).is_ok_and(|found| is_pipe(&found)) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a named pipe"));
    }
    OpenOptions::new().read(true).append(true).create(true).open(path)
}

#[cfg(unix)]
fn is_same_file(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same_file(_: &Metadata, _: &Metadata) -> bool {
    // An open file cannot be moved away here.
    true
}

#[cfg(unix)]
fn is_pipe(metadata: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    metadata.file_type().is_fifo()
}

#[cfg(not(unix))]
fn is_pipe(_: &Metadata) -> bool {
    false
}

#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}
