//! `people` and `profile`.

use parlor_client::Client;
use parlor_wire::auth::v1::{AccountKind, Profile};
use serde_json::json;

use crate::entry::kind_name;
use crate::names;
use crate::outcome::Outcome;
use crate::output::Output;
use crate::text::{harmless, one_line};

pub async fn search(client: &Client, out: &mut Output, prefix: &str, limit: usize) -> Outcome {
    let mut left = limit;
    let mut page_token = String::new();
    while left > 0 {
        let page = client.search(prefix, &page_token).await?;
        for profile in page.profiles.iter().take(left) {
            show(out, profile)?;
        }
        left = left.saturating_sub(page.profiles.len());
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    Ok(())
}

pub async fn profile(
    client: &Client,
    out: &mut Output,
    person: Option<String>,
    name: Option<String>,
    bio: Option<String>,
) -> Outcome {
    let profile = match person {
        Some(person) => client.profile(names::user(client, &person).await?).await?,
        None if name.is_some() || bio.is_some() => client.update_profile(name, bio).await?,
        None => client.own_profile().await?,
    };
    show(out, &profile)
}

fn show(out: &mut Output, profile: &Profile) -> Outcome {
    let object = json!({
        "user_id": profile.user_id,
        "username": profile.username,
        "display_name": profile.display_name,
        "bio": profile.bio,
        "kind": kind_name(profile.kind().as_str_name(), "ACCOUNT_KIND_"),
    });
    out.result(&object, || {
        let service = if profile.kind() == AccountKind::Service { "  [service]" } else { "" };
        let bio = if profile.bio.is_empty() {
            String::new()
        } else {
            format!("\n    {}", harmless(&profile.bio).replace('\n', "\n    "))
        };
        format!(
            "@{}  {}  {}{service}{bio}",
            profile.username,
            one_line(&profile.display_name),
            profile.user_id
        )
    })
}
