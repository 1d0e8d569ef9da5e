//! Serving, from the command line.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use parlor_runtime::signals::StopSignals;
use tokio::sync::oneshot;

use super::print;
use crate::config::Config;
use crate::failure::{Code, Failure};
use crate::program::Program;
use crate::running::Server;

/// Serves until SIGTERM or SIGINT, or `stop_with_input` until standard input ends. On standard output it says, in lines that programs can read, where it listens for
/// other services, if they are apart, and when it can be used where it listens for clients; then what to type next.
///
/// # Errors
/// It does not start, or a part that it cannot do without fails.
pub async fn serve(program: &'static Program, config: Config, stop_with_input: bool) -> Result<(), Failure> {
    let signals = StopSignals::listen()
        .map_err(|error| Failure::new(Code::Internal, format!("cannot listen to signals: {error}")))?;
    let data = config.server.data.display().to_string();
    let input = stop_with_input.then(input_ends);
    let said = Said { data, has_tls: !config.server.tls_cert.as_os_str().is_empty() };
    let server = Server::start(program, config).await?;
    if let Some(address) = server.internal_address() {
        // Before it is ready: it waits for the others, and they may wait for this.
        print(&format!("listening for services on {address}\n"))?;
    }
    let served = until_stopped(program, &server, asked_to_stop(signals, input), &said).await;
    server.stop().await;
    served
}

/// What of the configuration is told.
struct Said {
    data: String,
    has_tls: bool,
}

async fn asked_to_stop(signals: StopSignals, input: Option<oneshot::Receiver<()>>) {
    let input_ends = async {
        match input {
            // Whether it was told, or its teller is gone.
            Some(told) => drop(told.await),
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        signal = signals.first() => tracing::info!(%signal, "stopping"),
        () = input_ends => tracing::info!("standard input has ended: stopping"),
    }
}

/// Told when standard input ends. Read by a thread that nobody waits for: it reads for as long as there is anybody to write.
fn input_ends() -> oneshot::Receiver<()> {
    let (tell, told) = oneshot::channel();
    std::thread::spawn(move || {
        // An input that cannot be read has ended, too.
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        let _ = tell.send(());
    });
    told
}

async fn until_stopped(
    program: &Program,
    server: &Server,
    stopped: impl Future<Output = ()>,
    said: &Said,
) -> Result<(), Failure> {
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
