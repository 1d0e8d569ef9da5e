//! TLS on the public address, and certificates for a try.

use std::path::Path;

use parlor_wire::auth::v1::GetJwksRequest;
use parlor_wire::auth::v1::auth_service_client::AuthServiceClient;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};

use crate::support::{Running, run, run_badly, run_well, start_with};

async fn jwks(server: &Running, ca: &Path) -> Result<(), String> {
    let ca = Certificate::from_pem(std::fs::read(ca).unwrap());
    let tls = ClientTlsConfig::new().ca_certificate(ca).domain_name("chat.example.org");
    let endpoint = Endpoint::new(format!("https://{}", server.address)).unwrap().tls_config(tls).unwrap();
    let mut client = AuthServiceClient::new(endpoint.connect().await.map_err(|error| format!("{error:?}"))?);
    client.get_jwks(GetJwksRequest {}).await.map(drop).map_err(|status| status.to_string())
}

#[tokio::test]
async fn with_a_certificate_it_serves_over_tls_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (data, certs) = (folder.path().join("data"), folder.path().join("certs"));
    let certs_text = certs.to_str().unwrap();
    let told = run_well(&data, &["dev-certs", certs_text, "--name", "chat.example.org"]).await;
    assert!(told.contains("--tls-cert") && told.contains("chat.example.org"), "{told}");
    let path = |name: &str| format!("{certs_text}/{name}");
    let (cert, key) = (path("server.pem"), path("server.key"));
    let mut server = start_with(&data, &["--tls-cert", &cert, "--tls-key", &key]).await;
    jwks(&server, &certs.join("ca.pem")).await.unwrap();
    let clear = Endpoint::new(format!("http://{}", server.address)).unwrap().connect_lazy();
    AuthServiceClient::new(clear).get_jwks(GetJwksRequest {}).await.expect_err("in clear text");
    server.signal("TERM").await;
    let said = server.rest_of_output().await;
    assert!(said.contains("parlor --server https://"), "{said}");
    assert_eq!(server.ended().await, Some(0));

    let other = folder.path().join("other");
    run_well(&data, &["dev-certs", other.to_str().unwrap(), "--name", "chat.example.org"]).await;
    let server = start_with(&data, &["--tls-cert", &cert, "--tls-key", &key]).await;
    jwks(&server, &other.join("ca.pem")).await.expect_err("another authority has not signed it");
}

#[tokio::test]
async fn certificates_that_are_there_are_not_written_over_and_keys_are_their_owner_s() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let certs = folder.path().join("certs");
    run_well(folder.path(), &["dev-certs", certs.to_str().unwrap()]).await;
    let before = std::fs::read(certs.join("ca.pem")).unwrap();
    let (code, text) = run_badly(folder.path(), &["dev-certs", certs.to_str().unwrap()]).await;
    assert!(code == 74 && text.contains("ca.pem"), "{code} {text}");
    assert_eq!(std::fs::read(certs.join("ca.pem")).unwrap(), before);
    let mode = |name: &str| std::fs::metadata(certs.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("server.key"), mode("services.key")), (0o600, 0o600));
    let nonsense = run(folder.path(), &["dev-certs", "elsewhere", "--name", "two words"]).await;
    assert_eq!(nonsense.status.code(), Some(64));
}

#[tokio::test]
async fn off_this_machine_there_is_no_clear_text_unless_it_is_asked_for() {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_parlor-server"));
    let output = command.args(["--check-config", "--listen", "0.0.0.0:7700"]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(64));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("tls_cert") && text.contains("allow_plaintext"), "{text}");
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--tls-cert", "/nowhere/cert.pem", "--tls-key", "/nowhere/key.pem"];
    let (code, text) = run_badly(&folder.path().join("data"), &arguments).await;
    assert!(code == 64 && text.contains("/nowhere/cert.pem"), "{code} {text}");
}
