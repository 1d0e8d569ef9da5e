//! Accounts from another system.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write as _};
use std::path::Path;

use auth_svc::{App, EmailAddress, ImportOutcome, ImportedUser, Parts, PasswordHash};
use parlor_runtime::data_dir::DataDir;
use parlor_types::{DisplayName, Id as _, UserId, Username, limits};
use serde::Deserialize;

use super::print;
use crate::config::Config;
use crate::failure::{Code, Failure};
use crate::program::Service;

/// A line of the file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    user_id: Option<String>,
    username: String,
    display_name: Option<String>,
    password_hash: String,
    email: Option<String>,
}

/// A line that is good, with its number, from 1.
#[derive(Debug)]
struct Numbered {
    number: usize,
    user: ImportedUser,
}

/// A line that is not.
#[derive(Debug, PartialEq, Eq)]
struct BadLine {
    number: usize,
    reason: String,
}

/// Adds the people in `file` (`-`: standard input) to a server that is stopped.
///
/// # Errors
/// A line is bad: then nothing is imported. The server runs, or its store cannot be used.
pub async fn import_users(config: Config, file: &Path) -> Result<(), Failure> {
    let read_error = |error| Failure::io("read", file, &error);
    let lines = if file == Path::new("-") {
        read(io::stdin().lock()).map_err(read_error)?
    } else {
        read(BufReader::new(File::open(file).map_err(read_error)?)).map_err(read_error)?
    };
    let lines = lines.map_err(|bad| Failure::new(Code::Data, refusal(&bad)))?;
    let _data = DataDir::open(&config.server.data, &[Service::Auth.part()])?;
    let auth = App::build(config.auth, Parts::default()).await?;
    let (numbers, users): (Vec<_>, Vec<_>) = lines.into_iter().map(|line| (line.number, line.user)).unzip();
    let outcomes = auth.import_users(users).await.map_err(|error| {
        let message =
            format!("{error}; what was imported before stays, so the same file may be imported again");
        Failure::new(Code::Io, message)
    })?;
    let taken: Vec<_> = numbers
        .into_iter()
        .zip(&outcomes)
        .filter_map(|(number, outcome)| matches!(outcome, ImportOutcome::Taken).then_some(number))
        .collect();
    name_taken(&taken);
    print(&format!("imported {}, there already {}\n", outcomes.len() - taken.len(), taken.len()))
}

/// All lines, or all that are bad.
fn read(text: impl BufRead) -> io::Result<Result<Vec<Numbered>, Vec<BadLine>>> {
    let mut good: Vec<Numbered> = Vec::new();
    let mut bad = Vec::new();
    let mut seen = Seen::default();
    for (index, text) in text.lines().enumerate() {
        let (number, text) = (index + 1, text?);
        if text.trim().is_empty() {
            continue;
        }
        let parsed = parse(&text).and_then(|(line, user)| Ok(seen.is_new(number, line)?.then_some(user)));
        match parsed {
            Ok(Some(user)) => good.push(Numbered { number, user }),
            Ok(None) => {}
            Err(reason) => bad.push(BadLine { number, reason }),
        }
    }
    Ok(if bad.is_empty() { Ok(good) } else { Err(bad) })
}

/// The lines so far, by what must be unique. User names and addresses as they are compared.
#[derive(Default)]
struct Seen {
    by_key: HashMap<(&'static str, String), (usize, Line)>,
}

impl Seen {
    /// `false` for a line that was there before in the same words.
    fn is_new(&mut self, number: usize, line: Line) -> Result<bool, String> {
        let (username, id, email) = (Some(&line.username), line.user_id.as_ref(), line.email.as_ref());
        let keys = [("user name", username), ("id", id), ("e-mail address", email)];
        let mut is_new = true;
        for (what, value) in keys.into_iter().filter_map(|(what, value)| Some((what, value?.clone()))) {
            match self.by_key.get(&(what, value.clone())) {
                Some((_, before)) if *before == line => is_new = false,
                Some((before, _)) => {
                    return Err(format!("the {what} stands in line {before} with something else"));
                }
                None => {
                    self.by_key.insert((what, value), (number, line.clone()));
                }
            }
        }
        Ok(is_new)
    }
}

fn parse(text: &str) -> Result<(Line, ImportedUser), String> {
    let mut line: Line = serde_json::from_str(text)
        .map_err(|error| format!("not an object of the right form, at column {}", error.column()))?;
    let user_id = match &line.user_id {
        Some(id) => Some(UserId::parse(id).ok_or("user_id: must be a UUID in its canonical form")?),
        None => None,
    };
    let username = Username::new(&line.username).map_err(|rule| format!("username: {rule}"))?;
    let display_name =
        line.display_name.as_deref().map(|name| DisplayName::new(name, limits::MAX_DISPLAY_NAME));
    let display_name = display_name.transpose().map_err(|rule| format!("display_name: {rule}"))?;
    let password =
        PasswordHash::parse(&line.password_hash).map_err(|error| format!("password_hash: {error}"))?;
    let email = line.email.as_deref().map(EmailAddress::new).transpose();
    let email = email.map_err(|rule| format!("email: {rule}"))?;
    line.username = username.as_str().to_owned();
    line.email = email.as_ref().map(|address| address.compared().to_owned());
    Ok((line, ImportedUser { user_id, username, display_name, password, email }))
}

fn refusal(bad: &[BadLine]) -> String {
    let lines = bad.iter().map(|bad| format!("\n  line {}: {}", bad.number, bad.reason));
    format!("nothing was imported, as {} of the lines cannot be:{}", bad.len(), lines.collect::<String>())
}

/// Told apart from failures: it is also what importing again looks like.
fn name_taken(numbers: &[usize]) {
    let mut out = io::stderr().lock();
    for number in numbers {
        // The result on standard output counts them in any case.
        let _ = writeln!(
            out,
            "line {number}: the user name, the id or the e-mail address belongs to an account that was there before"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$\
                        0bWWUZSoKpaCUWRePfKDXkzV5iTCEV8sZvGMR6FvIPk";

    fn line(username: &str, rest: &str) -> String {
        format!("{{\"username\": \"{username}\", \"password_hash\": \"{HASH}\"{rest}}}\n")
    }

    fn bad(text: &str) -> Vec<(usize, String)> {
        let bad = read(text.as_bytes()).unwrap().unwrap_err();
        bad.into_iter().map(|bad| (bad.number, bad.reason)).collect()
    }

    #[test]
    fn good_lines_keep_their_numbers_and_repeated_ones_count_once() {
        let id = ", \"user_id\": \"0f0e1c3e-7d0c-4b5f-9a51-0a4f6d1c2b3a\", \"display_name\": \"Ben\"";
        let text =
            [line("Ada", ""), "\n".to_owned(), line("ben", id), line("ada", ""), line("ben", id)].concat();
        let good = read(text.as_bytes()).unwrap().unwrap();
        let found: Vec<_> = good.iter().map(|line| (line.number, line.user.username.as_str())).collect();
        assert_eq!(found, [(1, "ada"), (3, "ben")]);
        assert_eq!(good[1].user.display_name.as_ref().map(DisplayName::as_str), Some("Ben"));
        assert!(good[1].user.user_id.is_some());
    }

    #[test]
    fn every_bad_line_is_named_with_its_reason() {
        let id = ", \"user_id\": \"0f0e1c3e-7d0c-4b5f-9a51-0a4f6d1c2b3a\"";
        let text = [
            line("ada", id),
            "{\"username\": \"ben\"}\n".to_owned(),
            line("x", ""),
            line("cleo", ", \"user_id\": \"7\""),
            line("dan", ", \"display_name\": \" \""),
            line("eve", "").replace("argon2id", "argon2i"),
            line("fay", ", \"password\": \"123\""),
            line("ada", ""),
            line("gil", id),
            line("hal", ", \"email\": \"hal\""),
            line("ida", ", \"email\": \"ida@example.org\""),
            line("joe", ", \"email\": \"Ida@Example.org\""),
        ];
        let bad = bad(&text.concat());
        let expected = [
            (2, "not an object"),
            (3, "username: must be"),
            (4, "user_id: must be"),
            (5, "display_name: must not be empty"),
            (6, "password_hash: "),
            (7, "not an object"),
            (8, "the user name stands in line 1"),
            (9, "the id stands in line 1"),
            (10, "email: must be at most"),
            (12, "the e-mail address stands in line 11"),
        ];
        assert_eq!(bad.len(), expected.len(), "{bad:?}");
        for ((number, reason), (line, start)) in bad.iter().zip(expected) {
            assert!(*number == line && reason.contains(start), "{number} {reason}");
        }
    }

    #[test]
    fn a_refusal_repeats_no_hash() {
        let reasons = bad(&format!("{}{}", line("x", ""), line("fay", ", \"password\": \"correct horse\"")));
        assert!(
            reasons.iter().all(|(_, reason)| !reason.contains("argon2") && !reason.contains("horse")),
            "{reasons:?}"
        );
    }
}
