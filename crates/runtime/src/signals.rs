//! The operator's signals: the first SIGTERM or SIGINT asks for a graceful stop, the second ends the process.

use std::fmt;
use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Exit code after the second signal, as a shell reports a process ended by SIGINT.
const IMPATIENT_EXIT_CODE: i32 = 130;

/// Which signal came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopSignal {
    /// SIGINT, Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl fmt::Display for StopSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        })
    }
}

/// Both signals, listened to from the moment this is made.
#[derive(Debug)]
pub struct StopSignals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl StopSignals {
    /// Takes over both signals. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// The system refuses a handler.
    pub fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the first signal. From then on the next one ends the process at once, with code 130.
    pub async fn first(self) -> StopSignal {
        self.first_then(|| std::process::exit(IMPATIENT_EXIT_CODE)).await
    }

    async fn first_then(mut self, on_second: impl FnOnce() + Send + 'static) -> StopSignal {
        let first = self.next().await;
        tokio::spawn(async move {
            let second = self.next().await;
            tracing::warn!(signal = %second, "second signal: ending now");
            on_second();
        });
        first
    }

    async fn next(&mut self) -> StopSignal {
        tokio::select! {
            _ = self.interrupt.recv() => StopSignal::Interrupt,
            _ = self.terminate.recv() => StopSignal::Terminate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn send_to_self(signal: &str) {
        let pid = std::process::id().to_string();
        let status = tokio::process::Command::new("kill").args(["-s", signal, &pid]).status().await;
        assert!(status.expect("kill is installed").success());
    }

    /// One test for all, as a signal reaches every listener of the process.
    #[tokio::test]
    async fn the_first_signal_is_answered_and_the_second_ends_it() {
        let signals = StopSignals::listen().unwrap();
        let (end, mut ended) = tokio::sync::oneshot::channel();
        let first = tokio::spawn(signals.first_then(move || end.send(()).expect("the test waits")));
        send_to_self("TERM").await;
        assert_eq!(first.await.unwrap(), StopSignal::Terminate);
        assert!(ended.try_recv().is_err(), "one signal must not end the process");
        send_to_self("INT").await;
        ended.await.unwrap();
    }
}
