//! Prints docs/errors.md, from the comments of `errors.proto` and the table in `reason.rs`.

use std::collections::BTreeMap;
use std::io::Write as _;

use parlor_wire::DESCRIPTORS;
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::reason::{Retry, meaning, name};
use prost::Message as _;
use prost_types::FileDescriptorSet;

const HEAD: &str = "\
# Errors

Every failure has a reason. Unary calls carry it in the status details, as `google.rpc.ErrorInfo` with domain `parlor`;
the stream carries it in `Problem` and `Goodbye`. Decide on the reason alone; the gRPC code is for tools and proxies, the
message for developers. `google.rpc.RetryInfo` (on the stream: `retry_after`) says how long to wait, where waiting helps;
`google.rpc.BadRequest` (`violations`) names fields.

**Retry**: *same*: the same request, with the same op, after the advised time or with back-off; *after remedy*: the same
request once what the text says has been done; *no*: it will fail again.

This page is made from `proto/parlor/errors/v1/errors.proto` and `crates/wire/src/reason.rs`.
";

const GROUPS: [(i32, &str); 4] =
    [(0, "Everywhere"), (100, "Accounts and sessions"), (200, "Conversations"), (300, "The stream")];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let comments = comments()?;
    let mut page = HEAD.to_owned();
    for (first, title) in GROUPS {
        page += &format!("\n## {title}\n\n| reason | code | retry | meaning |\n| --- | --- | --- | --- |\n");
        for number in (first.max(1))..first + 100 {
            let Ok(reason) = ErrorReason::try_from(number) else { continue };
            let (code, retry) = meaning(reason);
            let retry = match retry {
                Retry::No => "no",
                Retry::Same => "same",
                Retry::AfterRemedy => "after remedy",
            };
            let text = &comments[&number];
            page += &format!("| `{}` | {code:?} | {retry} | {text} |\n", name(reason));
        }
    }
    std::io::stdout().write_all(page.as_bytes())?;
    Ok(())
}

/// The comment of each value, on one line.
fn comments() -> Result<BTreeMap<i32, String>, Box<dyn std::error::Error>> {
    let set = FileDescriptorSet::decode(DESCRIPTORS)?;
    let file = set.file.iter().find(|file| file.package() == "parlor.errors.v1").ok_or("no errors.proto")?;
    let reasons =
        file.enum_type.iter().position(|found| found.name() == "ErrorReason").ok_or("no ErrorReason")?;
    let mut comments = BTreeMap::new();
    for location in &file.source_code_info.as_ref().ok_or("no comments")?.location {
        // The path of a value: field 5 of the file (enum_type), then field 2 of the enum (value).
        if let [5, of, 2, index] = location.path[..]
            && usize::try_from(of)? == reasons
        {
            let value = &file.enum_type[reasons].value[usize::try_from(index)?];
            let text = location.leading_comments().split_whitespace().collect::<Vec<_>>().join(" ");
            comments.insert(value.number(), text);
        }
    }
    Ok(comments)
}
