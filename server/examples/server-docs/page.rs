//! The page: a table for each section.

use std::fmt::Write as _;
use std::time::Duration;

use parlor_runtime::config::{ENV_PREFIX, byte_size, duration};
use serde::Serialize;
use toml::Value;

use crate::source::{Field, Form, Kind};
use crate::{Compiled, Result};

const HEAD: &str = "\
<!-- Generated from the sources by `cargo xtask generated --write`; do not edit. -->

# Configuration

Every key of `parlor-server`, `auth-svc`, `chat-svc`, `presence-svc` and `media-svc`; what a program has no use for is checked and
otherwise left alone. Defaults come first, then the file (`parlor.toml` in the data folder, or what `--config` names), then the
environment, then flags; the later wins. Each key is a line of the file below its section, the variable named under it, and
`--set section.key=value`. Lists are written as `[\"a\", \"b\"]`, in variables and flags as well.

`--print-config` shows what is in effect and where each key comes from, `--check-config` every mistake at once. An unknown key is one.

A *duration* is written with units, such as `500ms`, `1m 30s` or `60days`; a *size* in bytes, or with `KiB`, `MiB`, `GiB` or `TiB`.
Keys of a table in braces are set together.
";

pub fn page(sections: &[Field], compiled: &Compiled) -> Result<String> {
    let mut page = Page { text: HEAD.to_owned(), compiled, known: 0 };
    for section in sections {
        page.section(section, &section.name)?;
    }
    let all = count(&Value::Table(compiled.defaults.clone()));
    if page.known != all {
        return Err(format!("{} of {all} keys with a default are described", page.known).into());
    }
    Ok(page.text)
}

struct Page<'a> {
    text: String,
    compiled: &'a Compiled,
    /// How many keys with a default were described.
    known: usize,
}

impl Page<'_> {
    fn section(&mut self, field: &Field, path: &str) -> Result<()> {
        let Form::Section(fields) = &field.form else { return Err(format!("{path} is no section").into()) };
        write!(self.text, "\n## `[{path}]`\n\n{}\n", field.doc)?;
        if fields.iter().any(|field| !matches!(field.form, Form::Section(_))) {
            self.text.push_str("\n| key | default | allowed | meaning |\n| --- | --- | --- | --- |\n");
        }
        for field in fields.iter().filter(|field| !matches!(field.form, Form::Section(_))) {
            self.row(field, &format!("{path}.{}", field.name))?;
        }
        for field in fields.iter().filter(|field| matches!(field.form, Form::Section(_))) {
            self.section(field, &format!("{path}.{}", field.name))?;
        }
        Ok(())
    }

    fn row(&mut self, field: &Field, path: &str) -> Result<()> {
        let mut names = format!("`{}`", field.name);
        if let Some(flag) = self.compiled.flags.get(path) {
            write!(names, ", `{flag}`")?;
        }
        let mut meaning = field.doc.clone();
        match &field.form {
            Form::Together(parts) => {
                for part in parts {
                    write!(names, "<br>`{}`", variable(&format!("{path}.{}", part.name)))?;
                }
            }
            Form::Choice(choices) => {
                write!(names, "<br>`{}`", variable(path))?;
                for (name, doc) in choices {
                    write!(meaning, "<br>`{name}`: {doc}")?;
                }
            }
            _ => write!(names, "<br>`{}`", variable(path))?,
        }
        let default = match self.compiled.default(path) {
            // What it would show is how a secret is shown.
            Some(_) if matches!(field.form, Form::Value { kind: Kind::Secret, .. }) => "none".to_owned(),
            Some(value) => format!("`{}`", inline(value)),
            None if field.is_optional => "none".to_owned(),
            None => return Err(format!("{path} has no default in the compiled configuration").into()),
        };
        self.known += self.compiled.default(path).map_or(0, count);
        let allowed = self.allowed(field, path)?;
        for cell in [names, default, allowed, meaning] {
            write!(self.text, "| {} ", cell.replace('|', "\\|"))?;
        }
        self.text.push_str("|\n");
        Ok(())
    }

    fn allowed(&self, field: &Field, path: &str) -> Result<String> {
        let bounds = |kind: Kind, [low, high]: &[String; 2]| {
            Ok::<_, Box<dyn std::error::Error>>(format!("{} to {}", bound(kind, low)?, bound(kind, high)?))
        };
        Ok(match &field.form {
            Form::Choice(choices) => {
                choices.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ")
            }
            Form::Together(parts) | Form::Section(parts) => {
                let part = |part: &Field| {
                    Ok(format!("{}: {}", part.name, self.allowed(part, &format!("{path}.{}", part.name))?))
                };
                parts.iter().map(part).collect::<Result<Vec<_>>>()?.join("<br>")
            }
            Form::Value { kind, is_list: true } => format!("list of {}s", noun(*kind)),
            Form::Value { kind, is_list: false } => {
                match (self.compiled.ranges.get(path), self.compiled.ranges_above_zero.get(path)) {
                    (Some(range), _) => format!("{}, {}", noun(*kind), bounds(*kind, range)?),
                    (None, Some(range)) => format!("{}, 0 or {}", noun(*kind), bounds(*kind, range)?),
                    (None, None) if *kind == Kind::Flag => "`true`, `false`".to_owned(),
                    (None, None) => noun(*kind).to_owned(),
                }
            }
        })
    }
}

fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Duration => "duration",
        Kind::Size => "size",
        Kind::Number | Kind::Fraction => "number",
        Kind::Port => "port",
        Kind::Flag => "flag",
        Kind::Text => "text",
        Kind::Secret => "secret",
        Kind::Path => "path",
        Kind::Address => "address",
        Kind::Network => "network",
    }
}

/// A bound as it would be written in the file.
fn bound(kind: Kind, debug: &str) -> Result<String> {
    #[derive(Serialize)]
    struct Size(#[serde(with = "byte_size")] u64);
    #[derive(Serialize)]
    struct Span(#[serde(with = "duration")] Duration);

    let value = match kind {
        Kind::Size => Value::try_from(Size(debug.parse()?))?,
        // `Debug` writes whole durations with a unit that reads back.
        Kind::Duration => Value::try_from(Span(humantime::parse_duration(debug)?))?,
        _ => return Ok(debug.trim_end_matches(".0").to_owned()),
    };
    Ok(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

fn variable(path: &str) -> String {
    format!("{ENV_PREFIX}{}", path.to_ascii_uppercase().replace('.', "__"))
}

/// The value as it stands in a file, a table on one line.
fn inline(value: &Value) -> String {
    match value {
        Value::Table(table) => {
            let pairs: Vec<_> =
                table.iter().map(|(key, value)| format!("{key} = {}", inline(value))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        value => value.to_string(),
    }
}

/// How many values there are in it.
fn count(value: &Value) -> usize {
    value.as_table().map_or(1, |table| table.values().map(count).sum())
}
