//! Lines of Rust source, code and comment apart.
//!
//! Enough of Rust's lexical grammar to tell what is code, what is a comment and what is the text of a literal, so that
//! a rule about code is not tripped by prose. It does not parse: macros and attributes are code like any other.

/// One line of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// The code, with what stands inside string literals left out.
    pub code: String,
    /// The text of the comment, without the slashes.
    pub comment: String,
}

/// Where the reader stands between two characters.
#[derive(Clone, Copy)]
enum State {
    Code,
    LineComment,
    BlockComment { depth: usize },
    Str,
    RawStr { hashes: usize },
}

/// Splits `text` into its lines.
pub fn lines(text: &str) -> Vec<Line> {
    let mut state = State::Code;
    text.lines()
        .map(|raw| {
            if matches!(state, State::LineComment) {
                state = State::Code;
            }
            let mut line = Line::default();
            let mut rest = raw;
            while !rest.is_empty() {
                rest = step(rest, &mut state, &mut line);
            }
            line
        })
        .collect()
}

/// Takes one token off the front of `rest`, which is not empty.
fn step<'a>(rest: &'a str, state: &mut State, line: &mut Line) -> &'a str {
    let first = rest.chars().next().expect("the caller stops at the end of the line");
    let after = |bytes: usize| &rest[bytes..];
    let one = first.len_utf8();
    match *state {
        State::Code => return step_code(rest, first, state, line),
        State::LineComment => {
            line.comment.push(first);
            return after(one);
        }
        State::BlockComment { depth } if rest.starts_with("*/") => {
            *state = if depth == 1 { State::Code } else { State::BlockComment { depth: depth - 1 } };
            return after(2);
        }
        State::BlockComment { depth } if rest.starts_with("/*") => {
            *state = State::BlockComment { depth: depth + 1 };
            return after(2);
        }
        State::BlockComment { .. } => line.comment.push(first),
        State::Str if first == '\\' => {
            return after(one + rest[one..].chars().next().map_or(0, char::len_utf8));
        }
        State::Str if first == '"' => {
            line.code.push('"');
            *state = State::Code;
        }
        State::RawStr { hashes } if rest.starts_with(&format!("\"{}", "#".repeat(hashes))) => {
            line.code.push('"');
            *state = State::Code;
            return after(1 + hashes);
        }
        State::Str | State::RawStr { .. } => {}
    }
    after(one)
}

fn step_code<'a>(rest: &'a str, first: char, state: &mut State, line: &mut Line) -> &'a str {
    if let Some(comment) = rest.strip_prefix("//") {
        *state = State::LineComment;
        return comment.trim_start_matches(['/', '!']).trim_start();
    }
    if let Some(comment) = rest.strip_prefix("/*") {
        *state = State::BlockComment { depth: 1 };
        return comment;
    }
    if let Some(literal) = char_literal(rest) {
        return &rest[literal.len()..];
    }
    if let Some((hashes, opening)) = raw_string(rest, &line.code) {
        *state = State::RawStr { hashes };
        line.code.push('"');
        return &rest[opening..];
    }
    if first == '"' {
        *state = State::Str;
    }
    line.code.push(first);
    &rest[first.len_utf8()..]
}

/// The character literal `rest` opens with; a lifetime or a label is none.
fn char_literal(rest: &str) -> Option<&str> {
    let body = rest.strip_prefix('\'')?;
    let first = body.chars().next()?;
    let end = if first == '\\' {
        let escaped = 1 + body[1..].chars().next()?.len_utf8();
        escaped + body[escaped..].find('\'')?
    } else {
        first.len_utf8()
    };
    body[end..].starts_with('\'').then(|| &rest[..end + 2])
}

/// The number of `#` and the length of the opening of a raw string, if `rest` begins with one.
fn raw_string(rest: &str, before: &str) -> Option<(usize, usize)> {
    if before.ends_with(is_word) && !before.ends_with('b') && !before.ends_with('c') {
        return None;
    }
    let hashed = rest.strip_prefix('r')?;
    let opened = hashed.trim_start_matches('#');
    let hashes = hashed.len() - opened.len();
    opened.starts_with('"').then_some((hashes, 1 + hashes + 1))
}

/// Every identifier in `code`, with its byte position.
pub fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let ends = |(start, _): (usize, &str)| {
        let rest = &code[start..];
        (start, &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())])
    };
    let starts = code.match_indices(is_word);
    starts.filter(|(at, _)| !code[..*at].ends_with(is_word)).map(ends)
}

/// Whether `code` names `path`: whole identifiers, as in `tonic` or `Instant::now`.
pub fn names(code: &str, path: &str) -> bool {
    let ends = |rest: &str| rest.strip_prefix(path).is_some_and(|after| !after.starts_with(is_word));
    words(code).any(|(at, _)| ends(&code[at..]))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// For each line, whether it belongs to a module under `#[cfg(test)]`. Relies on rustfmt: the module's closing brace
/// stands alone, as far to the right as the attribute.
pub fn in_test_module(lines: &[Line]) -> Vec<bool> {
    let indent = |line: &Line| line.code.len() - line.code.trim_start().len();
    let mut closing = None;
    let mut attribute = None;
    lines
        .iter()
        .map(|line| {
            let code = line.code.trim();
            if let Some(column) = closing {
                if code == "}" && indent(line) == column {
                    closing = None;
                }
                return true;
            }
            if code == "#[cfg(test)]" {
                attribute = Some(indent(line));
            } else if let Some(column) = attribute.filter(|_| !code.is_empty() && !code.starts_with("#[")) {
                attribute = None;
                if words(code).any(|(_, word)| word == "mod") && code.ends_with('{') {
                    closing = Some(column);
                    return true;
                }
            }
            false
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Vec<String> {
        lines(text).into_iter().map(|line| line.code).collect()
    }

    #[test]
    fn comments_and_the_insides_of_strings_are_not_code() {
        assert_eq!(code("a(\"// b \\\" c\"); // d"), ["a(\"\"); "]);
        assert_eq!(lines("x; /// y")[0].comment, "y");
        assert_eq!(code("a /* b\n c /* d */ e\n */ f"), ["a ", "", " f"]);
        assert_eq!(code("let s = \"one\n two\"; three"), ["let s = \"", "\"; three"]);
        assert_eq!(code(r##"r#"a " b"# c"##), ["\"\" c"]);
        assert_eq!(code("br\"a\\\" c"), ["b\"\" c"]);
        assert_eq!(code("var\"a\""), ["var\"\""]);
    }

    #[test]
    fn a_quote_in_a_character_does_not_open_a_string() {
        assert_eq!(code("['\"', '\\'', '\\u{1F600}', 'é'] b // c"), ["[, , , ] b "]);
        assert_eq!(code("fn f<'a>(x: &'a str) {} // c"), ["fn f<'a>(x: &'a str) {} "]);
    }

    #[test]
    fn words_are_whole_identifiers() {
        let found: Vec<_> = words("a_b::c(été, 7d)").collect();
        assert_eq!(found, [(0, "a_b"), (5, "c"), (7, "été"), (14, "7d")]);
    }

    #[test]
    fn a_test_module_ends_at_its_brace_and_a_declaration_has_no_lines() {
        let text =
            "#[cfg(test)]\nmod tests;\na\n#[cfg(test)]\n#[rustfmt::skip]\nmod more {\n    {\n    }\n}\nb";
        let inside = in_test_module(&lines(text));
        let marks: String = inside.iter().map(|inside| if *inside { 'T' } else { '.' }).collect();
        assert_eq!(marks, ".....TTTT.");
    }
}
