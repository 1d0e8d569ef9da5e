//! Serving, from the command line.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use parlor_runtime::signals::StopSignals;

use super::print;
use crate::config::Config;
use crate::failure::{Code, Failure};
use crate::program::Program;
use crate::running::Server;

/// Serves until SIGTERM or SIGINT. On standard output it says, in lines that programs can read, where it listens for
/// other services, if they are apart, and when it can be used where it listens for clients; then what to type next.
///
/// # Errors
/// It does not start, or a part that it cannot do without fails.
pub async fn serve(program: &'static Program, config: Config) -> Result<(), Failure> {
    let signals = StopSignals::listen()
        .map_err(|error| Failure::new(Code::Internal, format!("cannot listen to signals: {error}")))?;
    let data = config.server.data.display().to_string();
    let said = Said { data, has_tls: !config.server.tls_cert.as_os_str().is_empty() };
    let server = Server::start(program, config).await?;
    if let Some(address) = server.internal_address() {
        // Before it is ready: it waits for the others, and they may wait for this.
        print(&format!("listening for services on {address}\n"))?;
    }
    let served = until_stopped(program, &server, signals, &said).await;
    server.stop().await;
    served
}

/// What of the configuration is told.
struct Said {
    data: String,
    has_tls: bool,
}

async fn until_stopped(
    program: &Program,
    server: &Server,
    signals: StopSignals,
    said: &Said,
) -> Result<(), Failure> {
    let stopped = async {
        let signal = signals.first().await;
        tracing::info!(%signal, "stopping");
    };
    let serving = async {
        server.ready().await;
        print(&greeting(program, server, said))?;
        Err(server.broken().await)
    };
    tokio::select! {
        () = stopped => Ok(()),
        failed = serving => failed,
        failure = server.broken() => Err(failure),
    }
}

fn greeting(program: &Program, server: &Server, said: &Said) -> String {
    let Said { data, has_tls } = said;
    let address = server.address();
    let where_and_how = format!("listening on {address}\ndata in {data}; stop with Ctrl-C\n");
    if program.is_apart() {
        return where_and_how;
    }
    let client = if address == program.listen && !has_tls {
        "parlor".to_owned()
    } else {
        let scheme = if *has_tls { "https" } else { "http" };
        format!("parlor --server {scheme}://{}", reachable(address))
    };
    format!("{where_and_how}\nIn another terminal:\n    {client} register ada\n")
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
