//! G7: every method there is, called by everybody who could call it, about what is Ada's. What each of them gets stands in
//! [matrix.md](matrix.md); a method that is new to the protocol fails until it stands there too.

mod callers;
mod named;
mod requests;
mod table;

use std::collections::BTreeSet;

use bytes::Bytes;
use parlor_testkit::{in_time, raw_answer};
use parlor_tests::methods;
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::reason::{DOMAIN, from_status, name};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use callers::{Caller, Scene};
use named::Named;
use table::{Row, Table};

const MATRIX: &str = include_str!("matrix.md");

/// What somebody got.
struct Answer {
    /// In one word.
    word: String,
    /// Byte for byte, without the ids that were asked with.
    bytes: Vec<u8>,
}

impl Answer {
    fn new(named: &Named, answer: Result<Bytes, Status>) -> Self {
        let (word, bytes) = match answer {
            Ok(message) => ("ok".to_owned(), message.to_vec()),
            Err(status) => {
                let said = format!("{:?} {} ", status.code(), status.message());
                (word(&status), [said.as_bytes(), status.details()].concat())
            }
        };
        Self { word, bytes: without(named, bytes) }
    }
}

/// The bytes without the ids that the caller sent anyway.
fn without(named: &Named, mut bytes: Vec<u8>) -> Vec<u8> {
    let Named { conversation, user, username, stream, file, session } = named;
    for id in [conversation, user, username, stream, file, session] {
        while let Some(at) = bytes.windows(id.len()).position(|part| part == id.as_bytes()) {
            bytes[at..at + id.len()].fill(b'#');
        }
    }
    bytes
}

fn word(status: &Status) -> String {
    let ours = status.get_details_error_info().is_some_and(|info| info.domain == DOMAIN);
    match (ours, status.code()) {
        (true, _) => name(from_status(status).reason()).to_owned(),
        (false, Code::Unimplemented) => "UNIMPLEMENTED".to_owned(),
        (false, code) => format!("{code:?}"),
    }
}

async fn ask(scene: &Scene, caller: &Caller, method: &str, named: &Named) -> Answer {
    let request = requests::about(method, named);
    let path = format!("/parlor.{method}");
    let answer = raw_answer(scene.server.channel(), caller.token.as_deref(), &path, &request);
    Answer::new(named, in_time(method, answer).await)
}

/// What `caller` gets, in one word; and whether somebody who has nothing to do with Ada could tell that from an answer about
/// nothing.
async fn cell(scene: &Scene, caller: &Caller, row: &Row) -> (String, Option<String>) {
    let made_up = Named::made_up();
    let found = ask(scene, caller, &row.method, &scene.adas).await;
    if !row.names_something() || !caller.is_strange {
        return (found.word, None);
    }
    let nothing = ask(scene, caller, &row.method, &made_up).await;
    if found.bytes == nothing.bytes {
        return (found.word, None);
    }
    let texts = [&found.bytes, &nothing.bytes].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    (format!("{}*", found.word), Some(format!("{} by the {}: {texts:?}", row.method, caller.is_called)))
}

#[test]
fn every_method_of_the_protocol_is_in_the_matrix() {
    let table = Table::read(MATRIX);
    let rows: BTreeSet<String> = table.rows.iter().map(|row| format!("/parlor.{}", row.method)).collect();
    assert_eq!(rows.len(), table.rows.len(), "each once");
    let methods: BTreeSet<String> = methods::public().into_iter().chain(methods::internal()).collect();
    assert_eq!(methods.difference(&rows).collect::<Vec<_>>(), Vec::<&String>::new(), "not in the matrix");
    assert_eq!(rows.difference(&methods).collect::<Vec<_>>(), Vec::<&String>::new(), "not in the protocol");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g7_each_caller_gets_of_each_method_what_the_matrix_says() {
    let expected = Table::read(MATRIX);
    let scene = Scene::new().await;
    let callers: Vec<&str> = scene.callers.iter().map(|caller| caller.is_called).collect();
    assert_eq!(expected.callers, callers, "the columns");
    let mut found = Table { callers: expected.callers.clone(), rows: Vec::new() };
    for row in &expected.rows {
        found.rows.push(Row { cells: Vec::new(), ..row.clone() });
    }
    let mut told = Vec::new();
    // One caller after the other, so that nothing that one has done is there when another asks; those who are nearest to Ada
    // come last.
    for caller in &scene.callers {
        for row in &mut found.rows {
            let (word, difference) = cell(&scene, caller, row).await;
            row.cells.push(word);
            told.extend(difference);
        }
    }
    let wrong = expected.differences(&found);
    assert!(
        wrong.is_empty(),
        "G7: {}\n\nas it is:\n\n{found}\n\ntold from nothing:\n{}",
        wrong.join("\n"),
        told.join("\n")
    );
    // What comes and goes with the moment is no answer to expect.
    let passing =
        [ErrorReason::Unavailable, ErrorReason::Overloaded, ErrorReason::RateLimited, ErrorReason::Internal];
    for row in &expected.rows {
        let is_passing = |cell: &String| passing.iter().any(|reason| cell == name(*reason));
        assert!(!row.cells.iter().any(is_passing), "{}: {:?}", row.method, row.cells);
    }
}
