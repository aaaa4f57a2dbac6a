//! The examples of docs/swift.md as functions that are compiled and run with the tests of the Swift package.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::workspace::Workspace;

const GUIDE: &str = "docs/swift.md";

/// On Linux requests have a module of their own.
const IMPORTS: &str = "import Foundation\nimport Polyspan\n\n#if canImport(FoundationNetworking)\nimport \
                       FoundationNetworking\n#endif\n";

/// Writes a file with a function for each example, and what each says that it prints; `GuideTests` runs them.
pub fn write(workspace: &Workspace, file: &Path) -> Result<()> {
    let guide = fs::read_to_string(workspace.join(GUIDE)).with_context(|| format!("cannot read {GUIDE}"))?;
    let examples = examples(&guide);
    let mut source = format!("// The examples of {GUIDE}.\n\n{IMPORTS}");
    let mut listed = String::new();
    for (at, example) in examples.iter().enumerate() {
        let number = at + 1;
        // What waits has to run in a task; what does not would mean other functions there.
        let waits = if example.contains("await ") { "async " } else { "" };
        let body: Vec<_> = example.lines().filter(|line| !line.starts_with("import ")).collect();
        source += &format!("\nprivate func example{number}() {waits}throws {{\n{}\n}}\n", body.join("\n"));
        let says: Vec<_> =
            body.iter().filter_map(|line| says(line)).map(|said| format!("{said:?}")).collect();
        let run = if waits.is_empty() { "try " } else { "try await " };
        listed += &format!(
            "    Example(number: {number}, says: [{}]) {{ {run}example{number}() }},\n",
            says.join(", ")
        );
    }
    source += &format!("\nlet guide: [Example] = [\n{listed}]\n");
    if fs::read_to_string(file).is_ok_and(|found| found == source) {
        return Ok(());
    }
    fs::write(file, source).with_context(|| format!("cannot write {}", file.display()))
}

/// What stands between the fences.
fn examples(guide: &str) -> Vec<String> {
    let mut lines = guide.lines();
    let mut found = Vec::new();
    while lines.by_ref().any(|line| line == "```swift") {
        let example = lines.by_ref().take_while(|line| *line != "```");
        found.push(example.collect::<Vec<_>>().join("\n"));
    }
    found
}

/// What stands behind a line that prints is what it prints.
fn says(line: &str) -> Option<&str> {
    let (code, said) = line.rsplit_once(" // ")?;
    let code = code.trim();
    (code.starts_with("print(") && code.ends_with(')')).then_some(said)
}
