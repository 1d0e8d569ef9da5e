//! `status` and `watch`.

use std::time::SystemTime;

use parlor_client::core::{Event, MAX_WATCHED};
use parlor_client::{Client, Error, LiveOptions, News};
use parlor_types::UserId;
use parlor_wire::presence::v1::{self as wire, Availability, Presence, Status};
use parlor_wire::to_time;
use serde_json::{Value, json};

use super::tail::stopped;
use crate::args::{self, Appearance, Term};
use crate::entry::kind_name;
use crate::names::{self, Names};
use crate::outcome::{Failure, Outcome};
use crate::output::Output;
use crate::text::{local, one_line, rfc3339};

pub async fn status(client: &Client, out: &mut Output, wishes: args::Status) -> Outcome {
    let changes = wishes.clear || wishes.appear.is_some() || wishes.text.is_some() || wishes.term.is_some();
    let mut status = client.status().await?;
    if changes {
        status = client.set_status(wanted(status, wishes, SystemTime::now())).await?;
    }
    let appearance = match status.appearance() {
        wire::Appearance::Unspecified => wire::Appearance::Online,
        other => other,
    };
    let appearance = kind_name(appearance.as_str_name(), "APPEARANCE_");
    let until = status.until.map(|until| rfc3339(Some(until)));
    let object = json!({ "appearance": appearance, "text": status.text, "until": until });
    out.result(&object, || {
        let text =
            if status.text.is_empty() { String::new() } else { format!(": {}", one_line(&status.text)) };
        let until =
            status.until.map(|until| format!(", until {}", local(Some(until), SystemTime::UNIX_EPOCH)));
        format!("{}{text}{}", appearance.replace('_', " "), until.unwrap_or_default())
    })
}

/// What is not said stays as it is.
fn wanted(present: Status, wishes: args::Status, now: SystemTime) -> Status {
    if wishes.clear {
        return Status::default();
    }
    let appearance = wishes.appear.map(|appearance| match appearance {
        Appearance::Online => wire::Appearance::Online,
        Appearance::Away => wire::Appearance::Away,
        Appearance::DoNotDisturb => wire::Appearance::DoNotDisturb,
        Appearance::Invisible => wire::Appearance::Invisible,
    });
    Status {
        appearance: appearance.map_or(present.appearance, Into::into),
        text: wishes.text.unwrap_or(present.text),
        until: match wishes.term {
            Some(Term::For(term)) => Some(to_time(now + term)),
            Some(Term::Forever) => None,
            None => present.until,
        },
    }
}

/// Until interrupted. It looks on from behind: nobody is shown online for watching.
pub async fn watch(client: &Client, out: &mut Output, people: &[String]) -> Outcome {
    if people.len() > MAX_WATCHED {
        return Err(Failure::Usage(format!("at most {MAX_WATCHED} people can be watched at once")));
    }
    let users = names::users(client, people).await?;
    let mut names = Names::default();
    names.learn(client, users.iter().copied()).await?;
    let options = LiveOptions { foreground: false, ..LiveOptions::default() };
    let (live, mut events) = client.live_with(options).await?;
    live.watch(users).await?;
    while let Some(news) = events.next().await {
        match news {
            News::Event(Event::Presence { user, presence }) => {
                let presence = presence.unwrap_or_else(|| unknown(user));
                out.result(&object(&presence, &names), || line(&presence, &names, SystemTime::now()))?;
                out.flush()?;
            }
            News::Event(Event::Online) => out.notice("connected", "connected"),
            News::Event(Event::Offline(_)) => {
                out.notice("disconnected", "the connection is lost; trying again");
            }
            News::Event(Event::Stopped(problem)) => return Err(stopped(problem)),
            News::Event(_) | News::Missed(_) => {}
        }
    }
    Err(Error::Stopped.into())
}

fn unknown(user: UserId) -> Presence {
    Presence { user_id: user.to_string(), ..Presence::default() }
}

fn object(presence: &Presence, names: &Names) -> Value {
    json!({
        "user_id": presence.user_id,
        "username": names.username(&presence.user_id),
        "availability": availability(presence),
        "last_seen": presence.last_seen.map(|at| rfc3339(Some(at))),
        "text": presence.text,
    })
}

fn availability(presence: &Presence) -> String {
    match presence.availability() {
        Availability::Unspecified => "unknown".to_owned(),
        known => kind_name(known.as_str_name(), "AVAILABILITY_"),
    }
}

fn line(presence: &Presence, names: &Names, now: SystemTime) -> String {
    let last_seen = presence.last_seen.map(|at| format!(", last seen {}", local(Some(at), now)));
    let text =
        if presence.text.is_empty() { String::new() } else { format!(": {}", one_line(&presence.text)) };
    let availability = availability(presence).replace('_', " ");
    format!("{}  {availability}{}{text}", names.show(&presence.user_id), last_seen.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use parlor_types::Id as _;
    use prost_types::Timestamp;

    use super::*;

    #[test]
    fn a_status_changes_in_what_is_said() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
        let present = Status { text: "lunch".into(), ..Status::default() };
        let nothing = || args::Status { appear: None, text: None, term: None, clear: false };
        let away = args::Status {
            appear: Some(Appearance::Away),
            term: Some(Term::For(Duration::from_secs(60))),
            ..nothing()
        };
        let expected = Status {
            appearance: wire::Appearance::Away.into(),
            text: "lunch".into(),
            until: Some(Timestamp { seconds: 1_060, nanos: 0 }),
        };
        assert_eq!(wanted(present, away, now), expected);
        let forever = args::Status { term: Some(Term::Forever), text: Some(String::new()), ..nothing() };
        let changed = wanted(expected.clone(), forever, now);
        assert_eq!((changed.until, changed.text.as_str()), (None, ""));
        assert_eq!(wanted(expected, args::Status { clear: true, ..nothing() }, now), Status::default());
    }

    #[test]
    fn presence_is_one_line() {
        let mut presence = unknown(UserId::from_bytes([0xab; 16]));
        let shown = |presence: &Presence| line(presence, &Names::default(), SystemTime::UNIX_EPOCH);
        assert_eq!(shown(&presence), "abababab  unknown");
        presence.availability = Availability::DoNotDisturb.into();
        presence.text = "in a\nmeeting".into();
        assert_eq!(shown(&presence), "abababab  do not disturb: in a\u{240a}meeting");
        assert_eq!(object(&presence, &Names::default())["availability"], "do_not_disturb");
    }
}
