use std::sync::Arc;

use http::{Request, Response, StatusCode, header};
use parlor_runtime::clock::{Clock, ManualClock};
use tonic::body::Body;
use tower::{Service as _, service_fn};

use super::*;
use crate::{Plain, Rate};

/// Says which method and path it was called with.
fn mirror(rate: Rate, clock: Arc<dyn Clock>) -> Plain {
    let answer = |request: Request<Body>| {
        let said = format!("{} {}", request.method(), request.uri().path());
        let mut answer = Response::new(Body::empty());
        answer.headers_mut().insert(header::ETAG, said.parse().expect("text for a header"));
        std::future::ready(Ok(answer))
    };
    Plain::new("/files/", rate, clock, service_fn(answer))
}

async fn beside(options: ServeOptions, rate: Rate) -> (Scene, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::default());
    let plain = mirror(rate, Arc::clone(&clock) as _);
    (serve_with(options, vec![plain]).await, clock)
}

const AMPLE: Rate = Rate { burst: 100, per_second: 100.0 };

async fn get(address: SocketAddr, path: &str) -> String {
    let answer = http1(address, &format!("GET {path} HTTP/1.1\r\nOrigin: https://app.example"), b"").await;
    String::from_utf8(answer).unwrap().to_ascii_lowercase()
}

#[tokio::test]
async fn plain_http_is_answered_beside_grpc_over_http1_and_http2() {
    let (scene, _) = beside(ServeOptions::default(), AMPLE).await;
    let answer = get(scene.address, "/files/a").await;
    assert!(answer.starts_with("http/1.1 200"), "{answer}");
    assert!(answer.contains("etag: get /files/a"), "{answer}");

    let mut channel = scene.channel().await;
    let request = Request::get(format!("http://{}/files/b", scene.address)).body(Body::empty()).unwrap();
    std::future::poll_fn(|context| channel.poll_ready(context)).await.unwrap();
    let answer = channel.call(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()[header::ETAG], "GET /files/b");

    assert_eq!(scene.health_of("").await.unwrap(), ServingStatus::Serving, "gRPC goes on");
    let elsewhere = get(scene.address, "/filesystem").await;
    assert!(elsewhere.starts_with("http/1.1 400"), "what is not below the path is for gRPC: {elsewhere}");
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_read_what_plain_http_answers() {
    let one =
        ServeOptions { allowed_origins: vec!["https://app.example".to_owned()], ..ServeOptions::default() };
    let (scene, _) = beside(one, AMPLE).await;
    let answer = get(scene.address, "/files/a").await;
    assert!(answer.contains("access-control-allow-origin: https://app.example"), "{answer}");
    let exposed = "access-control-expose-headers: accept-ranges,content-disposition,content-range,etag";
    assert!(answer.contains(exposed), "{answer}");

    let other =
        ServeOptions { allowed_origins: vec!["https://other.example".to_owned()], ..ServeOptions::default() };
    let (scene, _) = beside(other, AMPLE).await;
    let answer = get(scene.address, "/files/a").await;
    assert!(!answer.contains("access-control-allow-origin: https://app.example"), "{answer}");
}

#[tokio::test]
async fn g8_an_address_gets_plain_http_as_often_as_it_may() {
    let (scene, clock) = beside(ServeOptions::default(), Rate { burst: 2, per_second: 0.5 }).await;
    for _ in 0..2 {
        assert!(get(scene.address, "/files/a").await.starts_with("http/1.1 200"));
    }
    let refused = get(scene.address, "/files/a").await;
    assert!(refused.starts_with("http/1.1 429"), "{refused}");
    assert!(refused.contains("retry-after: 2\r\n"), "{refused}");
    assert_eq!(scene.health_of("").await.unwrap(), ServingStatus::Serving, "gRPC has limits of its own");
    clock.advance(Duration::from_secs(2));
    assert!(get(scene.address, "/files/a").await.starts_with("http/1.1 200"));
}

#[tokio::test]
async fn g8_behind_a_trusted_proxy_the_address_it_names_is_the_one_that_is_limited() {
    let asking = async |scene: &Scene, address: &str| {
        let head = format!("GET /files/a HTTP/1.1\r\nX-Forwarded-For: {address}");
        let answer = http1(scene.address, &head, b"").await;
        String::from_utf8(answer).unwrap().split(' ').nth(1).unwrap_or_default().to_owned()
    };
    let once = Rate { burst: 1, per_second: 0.5 };
    let trusting =
        ServeOptions { trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()], ..ServeOptions::default() };
    let (scene, _clock) = beside(trusting, once).await;
    assert_eq!(asking(&scene, "198.51.100.7").await, "200");
    assert_eq!(asking(&scene, "198.51.100.7").await, "429");
    assert_eq!(asking(&scene, "198.51.100.8").await, "200", "somebody else");

    let (scene, _clock) = beside(ServeOptions::default(), once).await;
    assert_eq!(asking(&scene, "198.51.100.7").await, "200");
    assert_eq!(asking(&scene, "198.51.100.8").await, "429", "who is not trusted names whom it likes");
}
