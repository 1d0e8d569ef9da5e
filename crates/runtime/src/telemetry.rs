//! Structured logs to standard error. What they must never hold (texts of messages, names, tokens) is up to those
//! who log; nothing here filters it.

use std::io::{self, IsTerminal};

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::config::{Problems, Validate, choice};

/// How to log.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// A level, or directives such as `info,chat_svc::log=debug`.
    pub filter: String,
    /// `text`: lines for people; `json`: one object a line.
    #[serde(deserialize_with = "choice::deserialize")]
    pub format: Format,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Why logging could not begin.
#[derive(Debug, Error)]
pub enum TelemetryError {
    /// The filter is not a list of directives.
    #[error("telemetry.filter: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { filter: "info".to_owned(), format: Format::Text }
    }
}

impl Validate for Telemetry {
    fn check(&self, problems: &mut Problems) {
        if let Err(error) = EnvFilter::try_new(&self.filter) {
            let allowed =
                "a level (error, warn, info, debug, trace) or directives such as info,chat_svc=debug";
            problems.add("filter", format!("is {:?}, allowed is {allowed}: {error}", self.filter));
        }
    }
}

/// Logs from here on, in the whole process. Whoever comes second changes nothing: the first configuration stays.
///
/// # Errors
/// The filter cannot be parsed.
pub fn init(telemetry: &Telemetry) -> Result<(), TelemetryError> {
    let subscriber = subscriber(telemetry, io::stderr, io::stderr().is_terminal())?;
    if tracing::subscriber::set_global_default(subscriber).is_err() {
        tracing::debug!("logging had begun already");
    }
    Ok(())
}

fn subscriber<W>(
    telemetry: &Telemetry,
    writer: W,
    colours: bool,
) -> Result<Box<dyn Subscriber + Send + Sync>, TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(&telemetry.filter)?)
        .with_ansi(colours)
        .with_writer(writer);
    Ok(match telemetry.format {
        Format::Text => Box::new(lines.finish()),
        Format::Json => Box::new(lines.json().flatten_event(true).finish()),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(filter: &str, format: Format) -> String {
        let written = Written::default();
        let copy = written.clone();
        let telemetry = Telemetry { filter: filter.to_owned(), format };
        let subscriber = subscriber(&telemetry, move || copy.clone(), false).expect("a good filter");
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(seq = 7, "appended");
            tracing::debug!("detail");
        });
        let bytes = written.0.lock().expect("nobody panicked").clone();
        String::from_utf8(bytes).expect("logs are UTF-8")
    }

    #[test]
    fn the_filter_and_the_format_are_followed() {
        let text = logged("info", Format::Text);
        assert!(text.contains("appended seq=7") && !text.contains("detail"), "{text}");
        assert!(logged("parlor_runtime=debug", Format::Text).contains("detail"));
        assert_eq!(logged("error", Format::Text), "");
        let json = logged("info", Format::Json);
        assert!(json.starts_with('{') && json.contains(r#""message":"appended","seq":7"#), "{json}");
        assert_eq!(json.lines().count(), 1);
    }

    #[test]
    fn a_second_start_changes_nothing_and_a_bad_filter_is_an_error() {
        let quiet = Telemetry { filter: "error".to_owned(), format: Format::Text };
        init(&quiet).unwrap();
        init(&quiet).unwrap();
        let bad = Telemetry { filter: "chat_svc=loud".to_owned(), format: Format::Text };
        assert!(matches!(init(&bad), Err(TelemetryError::Filter(_))));
        let mut problems = Problems::default();
        bad.check(&mut problems);
        assert_eq!(problems.iter().count(), 1);
        quiet.check(&mut problems);
        assert_eq!(problems.iter().count(), 1);
    }
}
