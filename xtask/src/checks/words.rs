//! Words that do not belong into the code.
//!
//! Strings are never looked into; comments only for notes without an owner. In tests a wait says what it waits for, in
//! a comment that begins with `waits:` on its line or directly above, so that nobody sleeps for luck.

use std::ffi::OsStr;
use std::path::Path;

use anyhow::Result;

use crate::check::{Outcome, verdict};
use crate::source::{self, Line};
use crate::workspace::Workspace;

const EXTENSIONS: &[&str] = &["rs", "proto", "sql", "cql", "ts", "js", "mjs", "py", "sh"];
const WAITS: &str = "waits:";

pub fn run(workspace: &Workspace) -> Result<Outcome> {
    let texts = workspace.texts(EXTENSIONS)?;
    let findings: Vec<_> = texts.iter().flat_map(|(path, text)| examine(path, text)).collect();
    verdict(&findings, format!("{} files", texts.len()))
}

fn examine(path: &Path, text: &str) -> Vec<String> {
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    let rust = extension == "rs";
    let lines = if rust { source::lines(text) } else { split_at_comments(text, extension) };
    let is_test = if is_test_file(path) { vec![true; lines.len()] } else { source::in_test_module(&lines) };

    let mut findings = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let mut report = |why: &str| findings.push(format!("{}:{}: {why}", path.display(), index + 1));
        if let Some(note) = ownerless_note(&line.comment) {
            report(&format!("`{note}` without an owner: do it, or write `{note}(name): ...`"));
        }
        if is_test[index] && calls_sleep(&line.code, extension) && !is_explained(&lines[..=index]) {
            report(&format!(
                "a sleep in a test: await the condition, or say what it waits for: `{WAITS} ...`"
            ));
        }
        if rust {
            code_rules(&lines[index..]).iter().for_each(|why| report(why));
        }
    }
    findings
}

/// What is wrong with the first of `lines`, as Rust.
fn code_rules(lines: &[Line]) -> Vec<&'static str> {
    let code = &lines[0].code;
    let mut found = Vec::new();
    if code.contains("#[ignore") {
        found.push("`#[ignore]`: a test that does not run guards nothing; mend or delete it");
    }
    if code.contains("#[allow(") || code.contains("#![allow(") {
        let attribute = attribute(lines);
        if !source::words(&attribute).any(|(_, word)| word == "reason") {
            found.push("a bare `allow`: write `#[expect(lint, reason = \"...\")]`");
        }
    }
    if source::words(code).any(|(at, word)| names_unbounded_queue(word, &code[at + word.len()..])) {
        found.push("an unbounded queue: every queue has a bound (G8)");
    }
    found
}

/// `unbounded_channel`, `UnboundedSender`, `unbounded()`; not `Bound::Unbounded`, nor a sentence made a name.
fn names_unbounded_queue(word: &str, after: &str) -> bool {
    let kind = word.strip_prefix("unbounded_").or_else(|| word.strip_prefix("Unbounded")).unwrap_or_default();
    let names_kind = ["channel", "Sender", "Receiver"].iter().any(|queue| kind.starts_with(queue));
    names_kind || (word == "unbounded" && (after.starts_with('(') || after.starts_with("::<")))
}

/// The attribute that opens on the first line, up to its closing bracket.
fn attribute(lines: &[Line]) -> String {
    let mut text = String::new();
    for line in lines {
        text.push_str(&line.code);
        if text.contains(")]") {
            break;
        }
    }
    text
}

/// The first note, such as FIXME(ada), that has nobody in parentheses.
fn ownerless_note(comment: &str) -> Option<&'static str> {
    let owned =
        |rest: &str| rest.strip_prefix('(').is_some_and(|rest| rest.find(')').is_some_and(|end| end > 0));
    ["TODO", "FIXME"].into_iter().find(|note| {
        let mut words = source::words(comment).filter(|(_, word)| word == note);
        words.any(|(at, word)| !owned(&comment[at + word.len()..]))
    })
}

/// A call of something named `sleep`; in shell, the command.
fn calls_sleep(code: &str, extension: &str) -> bool {
    let defines =
        |before: &str| ["fn", "def", "function"].iter().any(|word| before.trim_end().ends_with(word));
    source::words(code).filter(|(_, word)| matches!(*word, "sleep" | "sleep_until" | "setTimeout")).any(
        |(at, word)| {
            let (before, after) = (&code[..at], &code[at + word.len()..]);
            let called = if extension == "sh" { after.starts_with(' ') } else { after.starts_with('(') };
            called && !defines(before)
        },
    )
}

/// Whether the last of `lines`, or the comment directly above it, says what it waits for.
fn is_explained(lines: &[Line]) -> bool {
    let says =
        |line: &Line| line.comment.trim().strip_prefix(WAITS).is_some_and(|reason| !reason.trim().is_empty());
    let Some((last, above)) = lines.split_last() else { return false };
    let is_comment = |line: &&Line| line.code.trim().is_empty() && !line.comment.is_empty();
    says(last) || above.iter().rev().take_while(is_comment).any(says)
}

fn is_test_file(path: &Path) -> bool {
    let stem = path.file_stem().and_then(OsStr::to_str).unwrap_or_default();
    let in_folder =
        path.parent().is_some_and(|folder| folder.iter().any(|part| part == "tests" || part == "testkit"));
    in_folder || stem == "tests" || stem.ends_with("_test") || stem.ends_with("_tests")
}

/// Languages other than Rust: what follows the comment mark is the comment. A mark inside a string hides the rest of
/// its line, which no rule here minds.
fn split_at_comments(text: &str, extension: &str) -> Vec<Line> {
    let mark = match extension {
        "py" | "sh" => "#",
        "sql" | "cql" => "--",
        _ => "//",
    };
    let split = |line: &str| {
        let (code, comment) = line.split_once(mark).unwrap_or((line, ""));
        Line { code: code.to_owned(), comment: comment.trim_start_matches(['/', '#', '!']).trim().to_owned() }
    };
    text.lines().map(split).collect()
}

#[cfg(test)]
mod tests;
