//! Log-ins with a wrong password: of people who are there, and of nobody. Whoever could tell one from the other by the time it
//! takes would learn who has an account.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use parlor_types::DeviceId;
use parlor_wire::auth::v1::auth_service_client::AuthServiceClient;
use parlor_wire::auth::v1::{Device, LoginRequest};
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::reason::from_status;
use tonic::transport::Channel;

use super::{Options, folder};
use crate::accounts;
use crate::comparison::{Comparison, Contestant, Figure};
use crate::floors::Floor;
use crate::parlor::Parlor;
use crate::processes::Process;
use crate::report::Report;
use crate::spread::Spread;

/// People who are there.
const PEOPLE: usize = 16;
/// Log-ins of a window, one after the other.
const LOGINS: usize = 60;
/// How far the medians of both may be apart.
const APART: f64 = 0.05;

const KNOWN: &str = "known";
const UNKNOWN: &str = "unknown";
const MEDIAN: &str = "log-in p50, ms";
const FIGURES: &[Figure] = &[Figure::compared(MEDIAN, 2), Figure::shown("log-in max, ms", 2)];

/// See the module.
pub async fn run(options: Options) -> Result<Report> {
    let folder = folder()?;
    options.progress.preparing(format!("{PEOPLE} people register"));
    let parlor = Parlor::new(folder.path()).await?;
    parlor.people(PEOPLE).await?;
    let server = Arc::new(parlor.start().await?);
    let mut sides: Vec<Box<dyn Contestant>> = Vec::new();
    for (name, first) in [(KNOWN, 0), (UNKNOWN, PEOPLE)] {
        let channel = server.channel().await?;
        sides.push(Box::new(Guesses { name, first, channel, _server: Arc::clone(&server) }));
    }
    let name = format!("{LOGINS} log-ins with a wrong password");
    let comparison =
        Comparison::measure(name, FIGURES, &mut sides, options.windows, &options.progress).await?;
    let ratio = comparison.ratio(KNOWN, UNKNOWN, MEDIAN)?.context("log-ins take time")?.median;
    let what = format!("{MEDIAN}, {KNOWN} to {UNKNOWN}");
    let floors =
        vec![Floor::at_least(what.clone(), 1.0 - APART, ratio), Floor::at_most(what, 1.0 + APART, ratio)];
    Ok(Report { comparisons: vec![comparison], floors })
}

struct Guesses {
    name: &'static str,
    /// The number of the first of [`PEOPLE`].
    first: usize,
    channel: Channel,
    /// Held until the last side is done.
    _server: Arc<Process>,
}

#[async_trait]
impl Contestant for Guesses {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn window(&mut self) -> Result<Vec<f64>> {
        let mut took = Vec::with_capacity(LOGINS);
        for number in 0..LOGINS {
            let device = Device { device_id: DeviceId::new().to_string(), name: "bench".to_owned() };
            let request = LoginRequest {
                username: accounts::username(self.first + number % PEOPLE),
                password: "wrong horse battery staple".to_owned(),
                device: Some(device),
            };
            let begun = Instant::now();
            let refused = AuthServiceClient::new(self.channel.clone()).login(request).await;
            took.push(begun.elapsed().as_secs_f64() * 1000.0);
            let refused = refused.err().context("it is the wrong password")?;
            let reason = from_status(&refused).reason();
            ensure!(reason == ErrorReason::CredentialsInvalid, "another answer: {refused:?}");
        }
        let Spread { median, max, .. } = Spread::of(&took).context("there are some")?;
        Ok(vec![median, max])
    }
}
