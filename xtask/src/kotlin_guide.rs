//! The examples of docs/kotlin.md as sources that are compiled and run with the tests of the Maven artifact.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::uniffi::empty;
use crate::workspace::Workspace;

const GUIDE: &str = "docs/kotlin.md";

/// Writes a file for each example: a package of its own with a function `example`, which `GuideTest` calls.
pub fn write(workspace: &Workspace, folder: &Path) -> Result<()> {
    let guide = fs::read_to_string(workspace.join(GUIDE)).with_context(|| format!("cannot read {GUIDE}"))?;
    empty(folder)?;
    for (at, example) in examples(&guide).iter().enumerate() {
        let path = folder.join(format!("Example{}.kt", at + 1));
        fs::write(&path, source(at + 1, example))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// What stands between the fences.
fn examples(guide: &str) -> Vec<String> {
    let mut lines = guide.lines();
    let mut found = Vec::new();
    while lines.by_ref().any(|line| line == "```kotlin") {
        let example = lines.by_ref().take_while(|line| *line != "```");
        found.push(example.collect::<Vec<_>>().join("\n"));
    }
    found
}

/// Examples may wait, as in a coroutine; what they import goes before what they get anyway.
fn source(number: usize, example: &str) -> String {
    let (imports, body): (Vec<_>, Vec<_>) = example.lines().partition(|line| line.starts_with("import "));
    format!(
        "// Example {number} of {GUIDE}.\n\npackage dev.polyspan.guide.example{number}\n\nimport dev.polyspan.*\n{}\n\
         import kotlinx.coroutines.*\n\nfun example(): Unit = runBlocking {{\n{}\n}}\n",
        imports.join("\n"),
        body.join("\n"),
    )
}
