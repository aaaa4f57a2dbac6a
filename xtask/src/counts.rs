//! Reads how many tests a run held from the closing lines of the runners in use: cargo's libtest and
//! wasm-bindgen's runner (same format), pytest, Node's, Maven's, and Swift Testing.

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: u64,
    pub failed: u64,
    pub skipped: u64,
}

impl Counts {
    pub fn passed(passed: u64) -> Self {
        Self { passed, ..Self::default() }
    }

    pub fn failed(failed: u64) -> Self {
        Self { failed, ..Self::default() }
    }

    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    /// The sum over all closing lines in `output`, or nothing when there is none.
    pub fn read(output: &str) -> Option<Self> {
        let mut total: Option<Self> = None;
        for line in output.lines() {
            let line = line.trim();
            let closing = line.strip_prefix("test result:").or_else(|| pytest_closing(line));
            let counts = closing
                .and_then(words)
                .or_else(|| node_closing(line))
                .or_else(|| maven_closing(line))
                .or_else(|| swift_closing(line));
            if let Some(counts) = counts {
                total.get_or_insert_default().add(counts);
            }
        }
        total
    }
}

/// `=== 3 passed, 1 skipped in 0.52s ===`, with or without the rulers (`pytest -q`).
fn pytest_closing(line: &str) -> Option<&str> {
    let (counts, duration) = line.trim_matches('=').trim().rsplit_once(" in ")?;
    duration.split_whitespace().next()?.strip_suffix('s')?.parse::<f64>().ok()?;
    Some(counts)
}

/// `ℹ pass 12`, or `# pass 12` where the output is no terminal: one line for each outcome.
fn node_closing(line: &str) -> Option<Counts> {
    let line = line.strip_prefix("ℹ ").or_else(|| line.strip_prefix("# "))?;
    let (word, number) = line.split_once(' ')?;
    let number = number.parse::<u64>().ok()?;
    match word {
        "pass" => Some(Counts::passed(number)),
        "fail" | "cancelled" => Some(Counts::failed(number)),
        "skipped" => Some(Counts { skipped: number, ..Counts::default() }),
        _ => None,
    }
}

/// `[INFO] Tests run: 12, Failures: 0, Errors: 0, Skipped: 1`; a class alone says how long it took as well.
fn maven_closing(line: &str) -> Option<Counts> {
    let (_, counts) = line.split_once("] Tests run: ")?;
    if counts.contains("Time elapsed") {
        return None;
    }
    let mut numbers = counts.split(", ").map(|part| part.rsplit(' ').next()?.parse::<u64>().ok());
    let (run, failures, errors, skipped) =
        (numbers.next()??, numbers.next()??, numbers.next()??, numbers.next()??);
    let failed = failures + errors;
    Some(Counts { passed: run.saturating_sub(failed + skipped), failed, skipped })
}

/// `✔ Test run with 12 tests in 3 suites passed after 0.5 seconds.`, or `✘ … failed after 0.5 seconds with 2 issues.`: an
/// issue is an expectation that was not met, so that a test may have several.
fn swift_closing(line: &str) -> Option<Counts> {
    let (_, rest) = line.split_once("Test run with ")?;
    let tests = rest.split(' ').next()?.parse::<u64>().ok()?;
    if rest.contains(" passed after ") {
        return Some(Counts::passed(tests));
    }
    let (_, issues) = rest.split_once(" failed after ")?.1.split_once(" with ")?;
    let failed = issues.split(' ').next()?.parse::<u64>().ok()?.min(tests);
    Some(Counts { passed: tests - failed, failed, skipped: 0 })
}

fn words(text: &str) -> Option<Counts> {
    let mut counts = Counts::default();
    let mut number = None;
    let mut seen = false;
    for word in text.split([' ', ',', ';', '.']).filter(|word| !word.is_empty()) {
        if let Ok(value) = word.parse::<u64>() {
            number = Some(value);
            continue;
        }
        if let Some(value) = number.take() {
            match word {
                "passed" | "xpassed" => counts.passed += value,
                "failed" | "error" | "errors" => counts.failed += value,
                "skipped" | "ignored" | "xfailed" => counts.skipped += value,
                _ => continue,
            }
            seen = true;
        }
    }
    seen.then_some(counts)
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn libtest_lines_are_summed() {
        let output = "running 2 tests\ntest a ... ok\n\ntest result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; \
                      3 filtered out; finished in 0.01s\n\ntest result: FAILED. 5 passed; 2 failed; 0 ignored; 0 \
                      measured; 0 filtered out; finished in 1.50s\n";
        assert_eq!(Counts::read(output), Some(Counts { passed: 7, failed: 2, skipped: 1 }));
    }

    #[test]
    fn pytest_lines_with_and_without_rulers() {
        let ruled = "==== 1 failed, 12 passed, 2 skipped, 1 warning in 3.21s ====";
        assert_eq!(Counts::read(ruled), Some(Counts { passed: 12, failed: 1, skipped: 2 }));
        let long = "=== 3 passed, 1 error in 75.10s (0:01:15) ===";
        assert_eq!(Counts::read(long), Some(Counts { passed: 3, failed: 1, skipped: 0 }));
        assert_eq!(Counts::read("4 passed in 0.10s"), Some(Counts::passed(4)));
    }

    #[test]
    fn node_says_each_outcome_on_a_line_of_its_own() {
        let output = "ℹ tests 9\nℹ suites 0\nℹ pass 6\nℹ fail 1\nℹ cancelled 1\nℹ skipped 1\nℹ todo 0\n";
        assert_eq!(Counts::read(output), Some(Counts { passed: 6, failed: 2, skipped: 1 }));
        assert_eq!(Counts::read("# pass 2\n# fail 0\n"), Some(Counts::passed(2)));
    }

    #[test]
    fn maven_counts_classes_and_then_all() {
        let output = "[INFO] Tests run: 4, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0.1 s -- in a.B\n[INFO]\n\
                      [ERROR] Tests run: 12, Failures: 1, Errors: 2, Skipped: 3\n";
        assert_eq!(Counts::read(output), Some(Counts { passed: 6, failed: 3, skipped: 3 }));
    }

    #[test]
    fn swift_says_all_on_one_line() {
        let passed = "✔ Test run with 12 tests in 3 suites passed after 0.512 seconds.";
        assert_eq!(Counts::read(passed), Some(Counts::passed(12)));
        let failed = "✘ Test run with 7 tests failed after 1.002 seconds with 2 issues.";
        assert_eq!(Counts::read(failed), Some(Counts { passed: 5, failed: 2, skipped: 0 }));
    }

    #[test]
    fn other_output_has_no_counts() {
        assert_eq!(
            Counts::read("12 files already formatted\nAll checks passed!\nbuilt 3 things in 2s"),
            None
        );
    }
}
