//! The fenced blocks of a document, and what is to be done with each.
//!
//! It stands in the block's first line, where a reader of the source sees it:
//!
//! - `sh`: run. `sh serving`: run until the section (`## `) ends; what comes after waits for its first line of output.
//!   `sh background`: the same without waiting. `sh typing: TEXT`: run at a terminal, where TEXT answers every question.
//!   `sh not-run: REASON`: not run.
//! - `python`, `ts`: run. `toml`: loaded as configuration. `text`: for people.

/// A block.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    /// The line of its first line, from 1.
    pub line: usize,
    /// The number of its section: how many headings `## ` came before.
    pub section: usize,
    pub usage: Usage,
    pub body: String,
}

/// What is done with it.
#[derive(Debug, PartialEq, Eq)]
pub enum Usage {
    /// Commands.
    Run,
    /// Programs, one a line, that say something when they can be used.
    Serve,
    /// Programs, one a line.
    Background,
    /// Commands that ask; this is the answer.
    Type(String),
    /// Commands that are not run, and why.
    NotRun(String),
    Python,
    TypeScript,
    Configuration,
    Text,
}

/// All blocks of `text`.
///
/// # Errors
/// Where a block does not say what it is, and what it says.
pub fn blocks(text: &str) -> Result<Vec<Block>, String> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().enumerate();
    let mut section = 0;
    while let Some((index, opening)) = lines.next() {
        section += usize::from(opening.starts_with("## "));
        let Some(info) = opening.trim_start().strip_prefix("```") else { continue };
        let line = index + 1;
        let usage = usage(info.trim()).ok_or_else(|| format!("line {line}: a block cannot be {info:?}"))?;
        let mut body = String::new();
        loop {
            let (_, inside) = lines.next().ok_or_else(|| format!("line {line}: the block has no end"))?;
            if inside.trim_start().starts_with("```") {
                break;
            }
            body.push_str(inside);
            body.push('\n');
        }
        blocks.push(Block { line, section, usage, body });
    }
    Ok(blocks)
}

fn usage(info: &str) -> Option<Usage> {
    let after = |marker: &str| {
        let text = info.strip_prefix(marker)?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    Some(match info {
        "sh" => Usage::Run,
        "sh serving" => Usage::Serve,
        "sh background" => Usage::Background,
        "python" => Usage::Python,
        "ts" => Usage::TypeScript,
        "toml" => Usage::Configuration,
        "text" => Usage::Text,
        _ => match (after("sh typing:"), after("sh not-run:")) {
            (Some(answer), _) => Usage::Type(answer),
            (_, Some(reason)) => Usage::NotRun(reason),
            _ => return None,
        },
    })
}

/// The code in running text, with the number of its line. It may go on in the next line.
pub fn spans(text: &str) -> Vec<(usize, String)> {
    let mut in_block = false;
    let prose = text.lines().map(|line| {
        let is_fence = line.trim_start().starts_with("```");
        in_block ^= is_fence;
        if in_block || is_fence { "" } else { line }
    });
    let prose = prose.collect::<Vec<_>>().join("\n");
    let mut line = 1;
    let mut spans = Vec::new();
    for (index, part) in prose.split('`').enumerate() {
        if index % 2 == 1 {
            spans.push((line, part.split_whitespace().collect::<Vec<_>>().join(" ")));
        }
        line += part.matches('\n').count();
    }
    spans
}

#[test]
fn each_block_says_what_it_is() {
    let text = "a\n```sh\nls\n```\n## b\n```sh typing: a b\nc\n\nd\n```\n  ```sh not-run: it is slow\n  e\n  ```\n```text\n```\n";
    let found = blocks(text).expect("all of them do");
    let (run, typed) = (Usage::Run, Usage::Type("a b".to_owned()));
    let (not_run, shown) = (Usage::NotRun("it is slow".to_owned()), Usage::Text);
    let block = |line, section, usage, body: &str| Block { line, section, usage, body: body.to_owned() };
    let wanted = [
        block(2, 0, run, "ls\n"),
        block(6, 1, typed, "c\n\nd\n"),
        block(11, 1, not_run, "  e\n"),
        block(14, 1, shown, ""),
    ];
    assert_eq!(found, wanted);
}

#[test]
fn a_block_that_says_nothing_is_refused() {
    for info in ["", "bash", "sh not-run:", "sh not-run", "sh later", "sh typing:"] {
        let refused = blocks(&format!("\n```{info}\nls\n```\n")).expect_err(info);
        assert!(refused.starts_with("line 2: "), "{refused}");
    }
    assert_eq!(blocks("```sh\nls\n"), Err("line 1: the block has no end".to_owned()));
}

#[test]
fn code_in_running_text_is_found_over_the_end_of_a_line() {
    let text = "a `b c` d\n```sh\n`no`\n```\n`e\n  f`, `g`\n";
    let span = |line, code: &str| (line, code.to_owned());
    assert_eq!(spans(text), [span(1, "b c"), span(5, "e f"), span(6, "g")]);
}
