//! `check-history`: what clients wrote down, held against the guarantees.

use parlor_history::{Guarantee, History, Violation, read};
use serde_json::json;

use crate::args::CheckHistory;
use crate::outcome::{Failure, Outcome};
use crate::output::Output;

pub fn run(out: &mut Output, check: &CheckHistory) -> Outcome {
    let history = read(&check.files)?;
    let found = history.check();
    for of_one in found.chunk_by(|one, next| one.guarantee == next.guarantee) {
        for violation in of_one.iter().take(check.most) {
            show(out, &history, violation)?;
        }
        let more = of_one.len().saturating_sub(check.most);
        if let (Some(first), 1..) = (of_one.first(), more) {
            left_out(out, first.guarantee, more);
        }
    }
    let lines = history.lines().len();
    if found.is_empty() {
        good(out, &history)
    } else {
        Err(Failure::Broken { violations: found.len(), lines })
    }
}

/// The guarantee, what was seen, and the lines that show it as they stand in their files, without the entries that do not
/// matter.
fn show(out: &mut Output, history: &History, violation: &Violation) -> Outcome {
    let (guarantee, what) = (format!("{:?}", violation.guarantee), &violation.what);
    let (mut objects, mut text) = (Vec::new(), format!("{guarantee} is broken: {what}"));
    for (index, line) in history.slice(violation) {
        let place = history.place(index).map_or_else(String::new, |place| place.to_string());
        let line = serde_json::to_string(&line).map_err(std::io::Error::from)?;
        text.push_str(&format!("\n  {place}: {line}"));
        objects.push(json!({ "place": place, "line": line }));
    }
    out.result(&json!({ "guarantee": guarantee, "what": what, "shown_by": objects }), || text)
}

fn left_out(out: &Output, guarantee: Guarantee, more: usize) {
    out.notice("left_out", &format!("{more} more violations of {guarantee:?}; --most N shows them"));
}

/// A check of little proves little: so it says of how much.
fn good(out: &mut Output, history: &History) -> Outcome {
    let all = history.summary();
    let object = json!({
        "lines": all.lines,
        "invoked": all.invoked,
        "acked": all.acked,
        "refused": all.refused,
        "unknown": all.unknown,
        "taken_in": all.taken_in,
    });
    out.result(&object, || {
        format!(
            "good: {} lines, {} appends asked for, {} acked, {} refused, {} attempts without an answer, \
             {} entries taken in",
            all.lines, all.invoked, all.acked, all.refused, all.unknown, all.taken_in
        )
    })
}
