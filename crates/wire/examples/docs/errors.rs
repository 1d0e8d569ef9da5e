//! docs/errors.md, from the comments of `errors.proto` and the table in `reason.rs`.

use std::collections::BTreeMap;

use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::reason::{Retry, meaning, name};
use prost_types::FileDescriptorSet;

use crate::Result;
use crate::comments::Comments;

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

const GROUPS: [(i32, &str); 5] = [
    (0, "Everywhere"),
    (100, "Accounts and sessions"),
    (200, "Conversations"),
    (300, "The stream"),
    (400, "Files"),
];

pub fn page(set: &FileDescriptorSet) -> Result<String> {
    let mut comments = of_reasons(set)?;
    comments.remove(&ErrorReason::Unspecified.into());
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
            let text = comments.remove(&number).ok_or("a reason without a comment")?;
            page += &format!("| `{}` | {code:?} | {retry} | {text} |\n", name(reason));
        }
    }
    if let Some(number) = comments.keys().next() {
        return Err(format!("no group has reason {number}").into());
    }
    Ok(page)
}

/// The comment of each reason.
fn of_reasons(set: &FileDescriptorSet) -> Result<BTreeMap<i32, String>> {
    let file = set.file.iter().find(|file| file.package() == "parlor.errors.v1").ok_or("no errors.proto")?;
    let comments = Comments::of(file);
    let place =
        file.enum_type.iter().position(|found| found.name() == "ErrorReason").ok_or("no ErrorReason")?;
    let values = file.enum_type[place].value.iter().enumerate();
    Ok(values.map(|(index, value)| (value.number(), comments.of_value(&[5, place], index))).collect())
}
