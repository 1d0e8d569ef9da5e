//! The same server as a part of another program, such as a test.

use parlor_server::{Code, Config, PARLOR_SERVER, Server};

use crate::support::client_of;

fn config(data: &std::path::Path) -> Config {
    let mut config = Config::default();
    config.server.data = data.to_owned();
    config.server.listen.set_port(0);
    config
}

#[tokio::test(flavor = "multi_thread")]
async fn it_can_be_started_and_stopped_again_and_again() {
    let folder = tempfile::tempdir().unwrap();
    for round in 1..=5 {
        let server = Server::start(&PARLOR_SERVER, config(folder.path()))
            .await
            .unwrap_or_else(|e| panic!("round {round}: {e}"));
        server.ready().await;
        client_of(&server.address().to_string()).await;
        let refused = Server::start(&PARLOR_SERVER, config(folder.path())).await.unwrap_err();
        assert_eq!(refused.code, Code::InUse, "{refused}");
        server.stop().await;
    }
}
