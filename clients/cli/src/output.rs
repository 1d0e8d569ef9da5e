//! The only place that writes to standard output and standard error.

use std::io::{self, BufWriter, StdoutLock, Write as _};

use serde_json::{Value, json};

use crate::outcome::Outcome;

/// Standard output, locked for as long as the command runs.
pub struct Output {
    json: bool,
    stdout: BufWriter<StdoutLock<'static>>,
}

impl Output {
    pub fn new(json: bool) -> Self {
        Self { json, stdout: BufWriter::new(io::stdout().lock()) }
    }

    /// Results are objects.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// One result: the object or the text, as asked for.
    pub fn result(&mut self, object: &Value, text: impl FnOnce() -> String) -> Outcome {
        let line = if self.json { object.to_string() } else { text() };
        Ok(writeln!(self.stdout, "{line}")?)
    }

    /// A line that only people need, between results.
    pub fn heading(&mut self, text: &str) -> Outcome {
        if !self.json {
            writeln!(self.stdout, "{text}")?;
        }
        Ok(())
    }

    /// Nothing that was written waits any more.
    pub fn flush(&mut self) -> Outcome {
        Ok(self.stdout.flush()?)
    }

    /// Something to know that is no result, on standard error.
    pub fn notice(&self, name: &str, text: &str) {
        if self.json {
            notice_line(&json!({ "notice": name, "message": text }).to_string());
        } else {
            notice_line(&format!("parlor: {text}"));
        }
    }
}

/// A line on standard error. If nobody reads it nobody misses it.
pub fn notice_line(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
