//! How often methods may be called.

use auth_svc::RateLimit;
use parlor_wire::auth::v1::*;
use parlor_wire::errors::v1::ErrorReason;

use crate::support::*;

const THREE: RateLimit = RateLimit { burst: 3, per_second: 0.1 };

#[tokio::test]
async fn registrations_of_one_address_are_limited() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    config.limits.register = THREE;
    let server = Server::start_with(config).await;
    for name in ["ada", "ben", "eve"] {
        server.register(name).await;
    }
    let refused = problem(server.auth().register(registration("zoe")).await);
    assert_eq!(refused.reason(), ErrorReason::RateLimited);
    let wait = std::time::Duration::try_from(refused.retry_after.unwrap()).unwrap();
    server.clock.advance(wait);
    server.register("zoe").await;
}

#[tokio::test]
async fn changes_of_one_account_are_limited_and_others_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    config.limits.write = THREE;
    let server = Server::start_with(config).await;
    let (ada, ben) = (server.register("ada").await, server.register("ben").await);
    let update = |token: &str| {
        let (mut people, request) = (server.people(), with(token, UpdateProfileRequest::default()));
        async move { people.update_profile(request).await }
    };
    for _ in 0..3 {
        update(&ada.access_token).await.unwrap();
    }
    assert_eq!(reason(update(&ada.access_token).await), ErrorReason::RateLimited);
    update(&ben.access_token).await.unwrap();
    server.check(&ada.access_token).await.unwrap();
}
