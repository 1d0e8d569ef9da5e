//! Serving, from the command line.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use parlor_runtime::signals::StopSignals;

use super::print;
use crate::config::{Config, ServerConfig};
use crate::failure::{Code, Failure};
use crate::running::Server;

/// Serves until SIGTERM or SIGINT. When it can be used, it says on standard output where it listens, in a first line
/// that programs can read, and what to type next.
///
/// # Errors
/// It does not start, or a part that it cannot do without fails.
pub async fn serve(config: Config) -> Result<(), Failure> {
    let signals = StopSignals::listen()
        .map_err(|error| Failure::new(Code::Internal, format!("cannot listen to signals: {error}")))?;
    let data = config.server.data.display().to_string();
    let server = Server::start(config).await?;
    let served = until_stopped(&server, signals, &data).await;
    server.stop().await;
    served
}

async fn until_stopped(server: &Server, signals: StopSignals, data: &str) -> Result<(), Failure> {
    let stopped = async {
        let signal = signals.first().await;
        tracing::info!(%signal, "stopping");
    };
    let serving = async {
        server.ready().await;
        print(&greeting(server, data))?;
        Err(server.broken().await)
    };
    tokio::select! {
        () = stopped => Ok(()),
        failed = serving => failed,
        failure = server.broken() => Err(failure),
    }
}

fn greeting(server: &Server, data: &str) -> String {
    let address = server.address();
    let client = if address == ServerConfig::default().listen {
        "parlor".to_owned()
    } else {
        format!("parlor --server http://{}", reachable(address))
    };
    format!(
        "listening on {address}\n\
         data in {data}; stop with Ctrl-C\n\
         \n\
         In another terminal:\n    \
         {client} register ada\n"
    )
}

/// An address of this machine, for one that stands for all of them.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
