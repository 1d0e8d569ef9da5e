//! What of a file a GET wants: conditions and ranges, as headers have them. What is given lies in the file, only a GET gets a part,
//! and who asks for just that part gets it.

use http::Method;
use http::header::{self, HeaderMap, HeaderValue};
use media_svc::{HttpAnswer, http_answer};

use crate::Target;
use crate::input::{Input, Script};

/// The tag of the file.
const TAG: &str = "\"0123456789abcdef\"";

pub(super) const TARGET: Target = Target {
    name: "range",
    about: "ranges and conditions of a download over HTTP",
    run,
    seeds,
    max_len: 512,
};

fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let method = if input.flag() { Method::HEAD } else { Method::GET };
    let size = input.number().max(1);
    let names = [header::RANGE, header::IF_RANGE, header::IF_MATCH, header::IF_NONE_MATCH];
    let mut headers = HeaderMap::new();
    while !input.is_over() {
        let name = &names[usize::from(input.byte()) % names.len()];
        if let Ok(value) = HeaderValue::from_bytes(input.bytes()) {
            headers.append(name, value);
        }
    }
    let is_asked = method == Method::GET && headers.contains_key(header::RANGE);
    match http_answer(&method, &headers, TAG, size) {
        HttpAnswer::Whole => {}
        HttpAnswer::Part(range) => {
            assert!(is_asked, "a part that nobody asked for");
            assert!(range.start < range.end && range.end <= size, "{range:?} of {size} bytes");
            let just = format!("bytes={}-{}", range.start, range.end - 1);
            let just = HeaderMap::from_iter([(header::RANGE, just.parse().expect("a header"))]);
            assert_eq!(http_answer(&method, &just, TAG, size), HttpAnswer::Part(range));
        }
        HttpAnswer::Unsatisfiable => assert!(is_asked, "a range that nobody asked for"),
        HttpAnswer::NotModified => assert!(headers.contains_key(header::IF_NONE_MATCH)),
        HttpAnswer::Failed => assert!(headers.contains_key(header::IF_MATCH)),
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let seed = |headers: &[(u8, &str)]| {
        let asked = Script::default().byte(0).byte(100);
        headers.iter().fold(asked, |script, (name, value)| script.byte(*name).bytes(value.as_bytes())).end()
    };
    vec![
        seed(&[(0, "bytes=0-")]),
        seed(&[(0, "bytes=10-19")]),
        seed(&[(0, "bytes=-5"), (1, TAG)]),
        seed(&[(0, "bytes=0-1,3-4")]),
        seed(&[(0, "bytes=99-18446744073709551615")]),
        seed(&[(2, TAG), (0, "bytes=100-")]),
        seed(&[(3, "W/\"0123456789abcdef\", \"x\""), (0, "bytes=5-")]),
        seed(&[(2, "*"), (3, "\"x\"")]),
    ]
}
