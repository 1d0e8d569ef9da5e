//! Every command in every document is run, or says there why it is not.

mod blocks;
mod cargo;
mod languages;
mod mentions;
mod session;

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use parlor_tests::is_apart;

use blocks::{Block, Usage, blocks, spans};
use languages::Languages;
use mentions::Helps;
use session::Session;

/// Folders of the checkout with documents of ours, and how deep.
const FOLDERS: [(&str, usize); 3] = [("", 0), ("docs", 0), ("examples", 1)];

/// A document.
struct Document {
    /// Where it is, from the top of the checkout.
    name: String,
    text: String,
}

#[test]
fn every_command_of_every_document_runs() {
    // Documents say which programs they mean.
    if is_apart() {
        return;
    }
    let languages = Languages::prepare();
    let mut report = String::new();
    let mut failures = String::new();
    for Document { name, text } in documents() {
        let blocks = blocks(&text).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        let (run, left_out): (Vec<_>, Vec<_>) =
            blocks.into_iter().partition(|block| languages.can_run(block));
        for block in left_out {
            let why = match &block.usage {
                Usage::NotRun(reason) => reason,
                _ => "SKIPPED: its language is not installed",
            };
            writeln!(report, "not run: {name}:{}: {why}", block.line).expect("a String takes all");
        }
        let count = run.iter().filter(|block| block.usage != Usage::Text).count();
        if count == 0 {
            continue;
        }
        match Session::new(&languages).run(&name, &run) {
            Ok(_) => writeln!(report, "{name}: {count} blocks").expect("a String takes all"),
            Err(written) => writeln!(failures, "{name}: {written}").expect("a String takes all"),
        }
    }
    // Beside the output that is captured: nobody should take it for more than it is.
    let _ = std::io::stderr().write_all(report.as_bytes());
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn commands_in_running_text_are_there() {
    let mut helps = Helps::default();
    let mut faults = String::new();
    for Document { name, text } in documents() {
        let left_out = blocks(&text).unwrap_or_else(|fault| panic!("{name}: {fault}")).into_iter();
        let left_out = left_out.filter(|block| matches!(block.usage, Usage::NotRun(_)));
        let lines = left_out.flat_map(|block| {
            block.body.lines().map(|line| (block.line, line.to_owned())).collect::<Vec<_>>()
        });
        for (line, code) in spans(&text).into_iter().chain(lines) {
            if let Some(fault) = helps.fault(&code) {
                writeln!(faults, "{name}:{line}: {fault}").expect("a String takes all");
            }
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

impl Languages {
    fn can_run(&self, block: &Block) -> bool {
        match block.usage {
            Usage::NotRun(_) => false,
            Usage::Python => self.python_bin.is_some(),
            Usage::TypeScript => self.node_modules.is_some(),
            _ => true,
        }
    }
}

fn documents() -> Vec<Document> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for (folder, depth) in FOLDERS {
        find(&root, Path::new(folder), depth, &mut files);
    }
    files.sort();
    assert!(
        files.iter().any(|file| file == Path::new("README.md")),
        "they are looked for in the wrong place: {files:?}"
    );
    let read = |file: PathBuf| Document {
        text: fs::read_to_string(root.join(&file)).expect("a document is text"),
        name: file.display().to_string(),
    };
    files.into_iter().map(read).collect()
}

fn find(root: &Path, folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(root.join(folder)).expect("the checkout has it") {
        let name = folder.join(entry.expect("it can be read").file_name());
        if root.join(&name).is_dir() && depth > 0 {
            find(root, &name, depth - 1, files);
        } else if name.extension().is_some_and(|extension| extension == "md") {
            files.push(name);
        }
    }
}
