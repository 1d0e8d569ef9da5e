use super::*;

/// The header of the PROXY protocol, version 2, of a connection from `source`.
fn header(source: &str) -> Vec<u8> {
    let destination = "192.0.2.200:443".parse().unwrap();
    let address = proxy_header::ProxiedAddress::stream(source.parse().unwrap(), destination);
    let mut header = Vec::new();
    proxy_header::ProxyHeader::with_address(address).encode_v2(&mut header).unwrap();
    header
}

fn trusting(network: &str) -> ServeOptions {
    ServeOptions {
        max_connections_per_address: 1,
        trusted_proxies: vec![network.parse().unwrap()],
        proxy_protocol: true,
        ..ServeOptions::default()
    }
}

async fn through(scene: &Scene, beginning: &[u8]) -> Option<TcpStream> {
    let mut tcp = TcpStream::connect(scene.address).await.unwrap();
    tcp.write_all(&[beginning, GREETING].concat()).await.unwrap();
    timeout(LONG, frame(&mut tcp)).await.unwrap().map(|_| tcp)
}

#[tokio::test]
async fn g8_behind_a_proxy_that_says_so_each_address_has_its_own_limit() {
    let scene = serve(trusting("127.0.0.0/8")).await;
    let first = through(&scene, &header("198.51.100.7:1")).await.expect("the first of its address");
    assert!(through(&scene, &header("198.51.100.7:2")).await.is_none(), "a second of it is one too many");
    assert!(through(&scene, &header("198.51.100.8:1")).await.is_some(), "another address has a place");
    drop(first);
    while through(&scene, &header("198.51.100.7:3")).await.is_none() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_trusted_proxy_has_to_say_whom_it_speaks_for() {
    let scene = serve(trusting("127.0.0.0/8")).await;
    assert!(through(&scene, b"").await.is_none(), "a connection without a header is served");
    let first_version = b"PROXY TCP4 198.51.100.7 192.0.2.200 1 443\r\n";
    assert!(through(&scene, first_version).await.is_none(), "so is one of another version");
    let mut endless = header("198.51.100.7:1");
    endless[14..16].copy_from_slice(&[0xff, 0xff]);
    assert!(through(&scene, &endless).await.is_none(), "and one whose header has no end");
}

#[tokio::test]
async fn who_is_not_trusted_speaks_for_itself() {
    let scene = serve(trusting("10.0.0.0/8")).await;
    assert!(through(&scene, &header("198.51.100.7:1")).await.is_none(), "a header of anybody is believed");
    assert!(through(&scene, b"").await.is_some(), "who comes directly is served as usual");
}

#[tokio::test]
async fn g8_proxies_that_pass_requests_on_are_not_limited_as_one_address() {
    let options = ServeOptions { proxy_protocol: false, ..trusting("127.0.0.0/8") };
    let scene = serve(options).await;
    let _first = through(&scene, b"").await.expect("a connection");
    through(&scene, b"").await.expect("and another");
}
