//! Running a test's scenario in a process of its own, and forking inside it.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use polyspan::config::{ExporterOptions, OtlpOptions};
use polyspan::export::otlp::RetryOptions;
use polyspan::{Engine, Options, Span};
use polyspan_test_receiver::{Receiver, Script};

/// Far more than anything here takes; a process that lives so long hangs.
pub const LONG: Duration = Duration::from_secs(60);

/// Names the scenario that this process is to run, and its receivers.
const SCENARIO: &str = "POLYSPAN_TEST_SCENARIO";
const ENDPOINTS: &str = "POLYSPAN_TEST_ENDPOINTS";

/// What a scenario's process left behind.
pub struct Ended {
    pub status: ExitStatus,
    /// Everything that it and its children reported, as words.
    pub reports: Vec<Vec<String>>,
    pub receivers: Vec<Receiver>,
}

impl Ended {
    /// The ids reported under these words.
    pub fn reported(&self, word: &str) -> Vec<&str> {
        let of = self.reports.iter().filter(|words| words[0] == word);
        of.flat_map(|words| &words[1..]).map(String::as_str).collect()
    }

    /// Says that the first receiver has every reported span, each once, and no other.
    pub fn has_each_once(&self, words: &[&str]) {
        assert!(self.status.success(), "{:?}", self.status);
        let mut expected: Vec<_> = words.iter().flat_map(|word| self.reported(word)).collect();
        expected.sort_unstable();
        let arrivals = self.receivers[0].log().arrivals();
        let arrived: Vec<_> = arrivals.keys().map(String::as_str).collect();
        assert_eq!(arrived, expected);
        assert!(arrivals.values().all(|times| *times == 1), "{arrivals:?}");
    }
}

/// Runs `scenario` in a process of its own, with a receiver for each script, and returns what came of it.
/// `name` is the calling test's, with its module.
pub fn run(name: &str, scripts: impl IntoIterator<Item = Script>, scenario: impl FnOnce(&[String])) -> Ended {
    if std::env::var(SCENARIO).is_ok_and(|wanted| wanted == name) {
        let endpoints = std::env::var(ENDPOINTS).unwrap();
        let endpoints: Vec<_> = endpoints.split_whitespace().map(str::to_owned).collect();
        scenario(&endpoints);
        std::process::exit(0);
    }
    let receivers: Vec<_> = scripts.into_iter().map(Receiver::start).collect();
    let endpoints: Vec<_> = receivers.iter().map(Receiver::endpoint).collect();
    let start = Instant::now();
    let mut process = Command::new(std::env::current_exe().unwrap())
        // With one thread the test harness runs the test on the main thread.
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(SCENARIO, name)
        .env(ENDPOINTS, endpoints.join(" "))
        .stdout(Stdio::piped())
        // A group of its own, so that its children can be ended with it.
        .process_group(0)
        .spawn()
        .unwrap();
    let output = BufReader::new(process.stdout.take().unwrap());
    // Ends when the process and all its children have closed their ends.
    let reading = std::thread::spawn(move || {
        let lines = output.lines().map_while(Result::ok);
        let reports = lines.filter_map(|line| Some(line.split_once('@')?.1.to_owned()));
        reports.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect::<Vec<Vec<_>>>()
    });
    let status = loop {
        if let Some(status) = process.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > LONG {
            end_all(&process);
            process.wait().unwrap();
            panic!("{name} hangs");
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    while !reading.is_finished() {
        if start.elapsed() > LONG {
            end_all(&process);
            panic!("{name} leaves a child that hangs");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ended { status, reports: reading.join().unwrap(), receivers }
}

/// Ends a scenario's process and what it forked.
fn end_all(process: &Child) {
    unsafe { libc::kill(-process.id().cast_signed(), libc::SIGKILL) };
}

/// Reports words to the test that started this process; each line is one write, so that those of several
/// processes do not mix.
pub fn report(word: &str, more: impl IntoIterator<Item = impl AsRef<str>>) {
    let mut line = format!("@{word}");
    for word in more {
        line.push(' ');
        line.push_str(word.as_ref());
    }
    line.push('\n');
    // Not by `println!`, whose lock another thread may hold when the process forks.
    let written = unsafe { libc::write(1, line.as_ptr().cast(), line.len()) };
    assert_eq!(written, line.len() as isize);
}

/// Options that keep spans back until they are flushed.
pub fn options(endpoint: &str) -> Options {
    let retry = RetryOptions {
        initial: Duration::from_millis(5),
        max: Duration::from_millis(50),
        ..RetryOptions::default()
    };
    let otlp = OtlpOptions::new().traces_endpoint(endpoint).retry(retry).ignore_environment();
    Options::new("service").schedule_delay(LONG).exporter(ExporterOptions::OtlpHttp(otlp))
}

pub fn started(endpoint: &str) -> Engine {
    polyspan::init(options(endpoint)).unwrap()
}

/// Records spans and returns their ids.
pub fn record(count: usize) -> Vec<String> {
    let span = |_| {
        let mut span = polyspan::span("span").start();
        span.set("key", "value").end();
        id(&span)
    };
    (0..count).map(span).collect()
}

pub fn id(span: &Span) -> String {
    span.context().span_id.to_hex()
}

/// Forks; the child runs `work` and ends as a program does, by `exit`. Returns the child's process id.
pub fn fork(work: impl FnOnce()) -> libc::pid_t {
    match unsafe { libc::fork() } {
        -1 => panic!("fork: {}", std::io::Error::last_os_error()),
        0 => {
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            std::process::exit(i32::from(outcome.is_err()));
        }
        child => child,
    }
}

/// Waits for a child, which must end well.
pub fn wait(child: libc::pid_t) {
    let start = Instant::now();
    let mut status = 0;
    while unsafe { libc::waitpid(child, &mut status, libc::WNOHANG) } == 0 {
        if start.elapsed() > LONG / 2 {
            unsafe { libc::kill(child, libc::SIGKILL) };
            panic!("a child hangs");
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0, "a child ended with {status:#x}");
}
