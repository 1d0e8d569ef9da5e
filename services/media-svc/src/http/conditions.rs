//! Which bytes a GET or HEAD gives: preconditions and ranges (RFC 9110, 13 and 14), in the order that it asks for.
//!
//! There is one strong entity tag and no date, so conditions on dates are met by nothing and ignored. Of several ranges all
//! comes, as the RFC allows: nobody needs them for a file, and many small ones would be work for nothing.

use std::ops::Range;

use http::{HeaderMap, HeaderName, Method, header};

/// What to answer to a GET or HEAD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 200: all of it.
    Whole,
    /// 206: these bytes.
    Part(Range<u64>),
    /// 304: the client has it.
    NotModified,
    /// 412: the client wants another one.
    Failed,
    /// 416: there are no such bytes.
    Unsatisfiable,
}

/// What to answer to a request with these headers for `size` bytes, at least 1, with this tag (in quotation marks).
#[must_use]
pub fn answer(method: &Method, headers: &HeaderMap, tag: &str, size: u64) -> Answer {
    if let Some(tags) = list(headers, &header::IF_MATCH)
        && !tags.iter().any(|listed| *listed == "*" || *listed == tag)
    {
        return Answer::Failed;
    }
    if let Some(tags) = list(headers, &header::IF_NONE_MATCH)
        && tags.iter().any(|listed| *listed == "*" || listed.trim_start_matches("W/") == tag)
    {
        return Answer::NotModified;
    }
    let same = headers.get(header::IF_RANGE).is_none_or(|wanted| wanted.as_bytes() == tag.as_bytes());
    let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    match range.filter(|_| method == Method::GET && same).and_then(parse) {
        None => Answer::Whole,
        Some(asked) => asked.of(size).map_or(Answer::Unsatisfiable, Answer::Part),
    }
}

/// The entity tags of a header; none if it is not there. What is no text matches nothing.
fn list<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<Vec<&'a str>> {
    let lines = headers.get_all(name);
    let tags = lines.iter().filter_map(|line| line.to_str().ok());
    headers.contains_key(name).then(|| tags.flat_map(|line| line.split(',')).map(str::trim).collect())
}

/// A range as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// "5-" and "5-9"; the last byte is one of it.
    From(u64, Option<u64>),
    /// "-5": the last five.
    Last(u64),
}

impl Asked {
    fn of(self, size: u64) -> Option<Range<u64>> {
        let range = match self {
            Self::From(first, None) => first..size,
            Self::From(first, Some(last)) => first..size.min(last.saturating_add(1)),
            Self::Last(count) => size.saturating_sub(count)..size,
        };
        (range.start < range.end).then_some(range)
    }
}

/// One range of bytes. Anything else is to be ignored.
fn parse(text: &str) -> Option<Asked> {
    let (unit, range) = text.split_once('=')?;
    let (first, last) = range.trim().split_once('-')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    match (number(first), number(last)) {
        (None, Some(count)) if first.is_empty() => Some(Asked::Last(count)),
        (Some(first), None) if last.is_empty() => Some(Asked::From(first, None)),
        (Some(first), Some(last)) if first <= last => Some(Asked::From(first, Some(last))),
        _ => None,
    }
}

/// Digits alone; more than can be counted are as many as can be.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const TAG: &str = "\"abc\"";

    fn asked(method: &Method, lines: &[(HeaderName, &str)]) -> Answer {
        let value = |text: &str| HeaderValue::from_str(text).unwrap();
        let mut headers = HeaderMap::new();
        for (name, text) in lines {
            headers.append(name, value(text));
        }
        answer(method, &headers, TAG, 10)
    }

    fn get(lines: &[(HeaderName, &str)]) -> Answer {
        asked(&Method::GET, lines)
    }

    #[test]
    fn a_range_gives_what_there_is_of_it() {
        for (range, wanted) in [
            ("bytes=0-0", 0..1),
            ("bytes=0-9", 0..10),
            ("bytes=0-10", 0..10),
            ("bytes=0-", 0..10),
            ("bytes=9-", 9..10),
            ("bytes=3-5", 3..6),
            ("bytes=9-9", 9..10),
            ("bytes=-1", 9..10),
            ("bytes=-10", 0..10),
            ("bytes=-11", 0..10),
            ("BYTES = 3-5", 3..6),
            ("bytes=5-99999999999999999999999", 5..10),
            ("bytes=0-18446744073709551615", 0..10),
        ] {
            assert_eq!(get(&[(header::RANGE, range)]), Answer::Part(wanted), "{range}");
        }
    }

    #[test]
    fn a_range_that_holds_nothing_is_refused() {
        for range in ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999999-"] {
            assert_eq!(get(&[(header::RANGE, range)]), Answer::Unsatisfiable, "{range}");
        }
    }

    #[test]
    fn what_is_no_single_range_of_bytes_is_ignored() {
        for range in [
            "bytes=5-3",
            "bytes=-",
            "bytes=",
            "bytes",
            "",
            "5-9",
            "items=0-1",
            "bytes=0-1,3-4",
            "bytes=a-b",
            "bytes=+1-2",
            "bytes=1-+2",
            "bytes=1--2",
            "bytes=0x1-2",
            "bytes=1 - 2",
        ] {
            assert_eq!(get(&[(header::RANGE, range)]), Answer::Whole, "{range}");
        }
        let head = asked(&Method::HEAD, &[(header::RANGE, "bytes=3-5")]);
        assert_eq!(head, Answer::Whole, "a range is defined for GET alone");
    }

    #[test]
    fn a_range_of_other_bytes_is_all_of_these() {
        let range = (header::RANGE, "bytes=3-5");
        assert_eq!(get(&[range.clone(), (header::IF_RANGE, TAG)]), Answer::Part(3..6));
        for other in ["\"abd\"", "W/\"abc\"", "abc", "Wed, 21 Oct 2015 07:28:00 GMT", ""] {
            assert_eq!(get(&[range.clone(), (header::IF_RANGE, other)]), Answer::Whole, "{other}");
        }
        assert_eq!(get(&[(header::RANGE, "bytes=10-"), (header::IF_RANGE, "\"abd\"")]), Answer::Whole);
    }

    #[test]
    fn who_has_it_is_told_so() {
        for tags in [TAG, "*", "W/\"abc\"", "\"x\", \"abc\"", "\"x\" ,W/\"abc\""] {
            for method in [Method::GET, Method::HEAD] {
                assert_eq!(asked(&method, &[(header::IF_NONE_MATCH, tags)]), Answer::NotModified, "{tags}");
            }
        }
        let two_lines = [(header::IF_NONE_MATCH, "\"x\""), (header::IF_NONE_MATCH, TAG)];
        assert_eq!(get(&two_lines), Answer::NotModified);
        let before_ranges = [(header::IF_NONE_MATCH, TAG), (header::RANGE, "bytes=99-")];
        assert_eq!(get(&before_ranges), Answer::NotModified);
        for tags in ["\"abd\"", "abc", ""] {
            assert_eq!(get(&[(header::IF_NONE_MATCH, tags)]), Answer::Whole, "{tags}");
        }
    }

    #[test]
    fn who_wants_another_one_gets_none() {
        for (tags, wanted) in [
            (TAG, Answer::Whole),
            ("*", Answer::Whole),
            ("\"x\", \"abc\"", Answer::Whole),
            ("\"abd\"", Answer::Failed),
            ("W/\"abc\"", Answer::Failed),
        ] {
            assert_eq!(get(&[(header::IF_MATCH, tags)]), wanted, "{tags}");
        }
        assert_eq!(get(&[(header::IF_MATCH, "\"x\""), (header::IF_NONE_MATCH, TAG)]), Answer::Failed);
    }
}
