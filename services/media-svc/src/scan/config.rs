//! The scanner's keys.

use std::sync::Arc;
use std::time::Duration;

use parlor_runtime::config::{Problems, Validate, duration};
use serde::{Deserialize, Serialize};

use super::{Command, Scanner};

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScannerConfig {
    /// A program and its arguments, such as ["clamdscan", "--fdpass", "--no-summary"], to which a file's path is added. It
    /// exits with 0 if the file is harmless, with 1 if it is harmful. Empty: nothing is scanned.
    pub command: Vec<String>,
    /// It is ended after this; the file stays in quarantine and is tried again.
    #[serde(with = "duration")]
    pub time_limit: Duration,
    /// FinishUpload waits so long for a verdict; then the file is in quarantine and looked at in the background.
    #[serde(with = "duration")]
    pub finish_wait: Duration,
    /// How many run at once.
    pub at_once: usize,
    /// A file without a verdict is tried again after this, then after twice as long, and so on.
    #[serde(with = "duration")]
    pub retry_first: Duration,
    /// But at least this often.
    #[serde(with = "duration")]
    pub retry_at_least: Duration,
}

impl Default for ScannerConfig {
    fn default() -> Self {
        Self {
            command: Vec::new(),
            time_limit: Duration::from_secs(60),
            finish_wait: Duration::from_secs(5),
            at_once: 2,
            retry_first: Duration::from_secs(10),
            retry_at_least: Duration::from_secs(3600),
        }
    }
}

impl ScannerConfig {
    /// The scanner, if there is one.
    #[must_use]
    pub fn scanner(&self) -> Option<Arc<dyn Scanner>> {
        let command = || Command::new(self.command.clone(), self.time_limit, self.at_once);
        (!self.command.is_empty()).then(|| Arc::new(command()) as _)
    }
}

impl Validate for ScannerConfig {
    fn check(&self, problems: &mut Problems) {
        let day = Duration::from_secs(24 * 3600);
        if self.command.iter().any(|part| part.is_empty() || part.contains('\0')) {
            problems.add("command", "must be a program and its arguments, none of them empty");
        }
        problems.range("time_limit", &self.time_limit, Duration::from_millis(10)..=Duration::from_secs(3600));
        problems.range("finish_wait", &self.finish_wait, Duration::ZERO..=Duration::from_secs(60));
        problems.range("at_once", &self.at_once, 1..=1024);
        problems.range("retry_first", &self.retry_first, Duration::from_millis(10)..=day);
        problems.range("retry_at_least", &self.retry_at_least, self.retry_first.min(day)..=day);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(config: &ScannerConfig) -> Vec<String> {
        let mut problems = Problems::default();
        config.check(&mut problems);
        problems.iter().map(|problem| problem.key.clone()).collect()
    }

    #[test]
    fn no_command_is_no_scanner() {
        assert!(ScannerConfig::default().scanner().is_none());
        let command = vec!["clamdscan".to_owned()];
        assert!(ScannerConfig { command, ..ScannerConfig::default() }.scanner().is_some());
    }

    #[test]
    fn every_value_out_of_range_is_named() {
        assert!(faults(&ScannerConfig::default()).is_empty());
        let day = Duration::from_secs(24 * 3600);
        let config = ScannerConfig {
            command: vec!["clamdscan".to_owned(), String::new()],
            time_limit: Duration::ZERO,
            finish_wait: day,
            at_once: 0,
            retry_first: Duration::from_secs(60),
            retry_at_least: Duration::from_secs(1),
        };
        assert_eq!(faults(&config), ["command", "time_limit", "finish_wait", "at_once", "retry_at_least"]);
    }
}
