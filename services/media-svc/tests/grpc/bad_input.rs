//! What cannot be is refused, and it is said what it was.

use parlor_testkit::reason;
use parlor_wire::errors::v1::ErrorReason;
use parlor_wire::internal::media::v1::{ClaimRequest, ReleaseRequest, Use};
use parlor_wire::media::v1::*;
use parlor_wire::reason::from_status;
use tonic::Status;

use crate::support::*;

/// The fields a call that must fail was refused for.
fn fields<T: std::fmt::Debug>(answer: Result<T, Status>) -> Vec<String> {
    let problem = from_status(&answer.expect_err("the call fails"));
    assert_eq!(problem.reason(), ErrorReason::FieldInvalid, "{problem:?}");
    problem.violations.into_iter().map(|violation| violation.field).collect()
}

#[tokio::test]
async fn what_is_said_of_a_file() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let good = || User::saying(b"x");
    for name in ["", "a/b", "a\\b", "a\nb", &"a".repeat(256)] {
        let bad = CreateUploadRequest { name: name.to_owned(), ..good() };
        assert_eq!(fields(ada.begin(bad).await), ["name"], "{name:?}");
    }
    let op_of_time = "c232ab00-9414-11ec-b3c8-9f6bdeced846".to_owned();
    for (bad, field) in [
        (CreateUploadRequest { op: String::new(), ..good() }, "op"),
        (CreateUploadRequest { op: op_of_time, ..good() }, "op"),
        (CreateUploadRequest { size: 0, ..good() }, "size"),
        (CreateUploadRequest { sha256: vec![0; 31].into(), ..good() }, "sha256"),
        (CreateUploadRequest { media_type: "ä".to_owned(), ..good() }, "media_type"),
        (CreateUploadRequest { purpose: 0, ..good() }, "purpose"),
        (CreateUploadRequest { purpose: 99, ..good() }, "purpose"),
    ] {
        assert_eq!(fields(ada.begin(bad).await), [field]);
    }
    let all = ["op", "name", "media_type", "size", "sha256", "purpose"];
    let bad = CreateUploadRequest { media_type: "\n".to_owned(), ..CreateUploadRequest::default() };
    assert_eq!(fields(ada.begin(bad).await), all, "all at once");
    let huge = CreateUploadRequest { name: "a".repeat(1 << 20), ..good() };
    assert_eq!(reason(ada.begin(huge).await), ErrorReason::MessageTooLarge);
    assert_eq!(ada.usage().await.uploads_today, 0);
}

#[tokio::test]
async fn ids_that_are_none() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    for id in ["", "x", "C232AB00-9414-41EC-B3C8-9F6BDECED846"] {
        assert_eq!(fields(ada.upload(id).await), ["media_id"]);
        assert_eq!(fields(ada.part(id, 0, b"x").await), ["media_id"]);
        assert_eq!(fields(ada.finish(id).await), ["media_id"]);
        assert_eq!(fields(ada.delete(id).await), ["media_id"]);
    }
    let unknown = nothing();
    assert_eq!(reason(ada.upload(&unknown).await), ErrorReason::MediaNotFound);
    assert_eq!(reason(ada.part(&unknown, 0, b"x").await), ErrorReason::MediaNotFound);
    assert_eq!(reason(ada.finish(&unknown).await), ErrorReason::MediaNotFound);
}

#[tokio::test]
async fn what_services_say() {
    let scene = Scene::start().await;
    let ada = scene.user().await;
    let mut service = scene.service().await;
    let ids = |count: usize| -> Vec<String> { (0..count).map(|_| nothing()).collect() };
    let claim = || ClaimRequest {
        user_id: ada.person.id(),
        r#use: Some(entry(&op())),
        media_ids: ids(32),
        readable_ids: ids(32),
    };
    assert_eq!(reason(service.claim(claim()).await), ErrorReason::MediaNotFound);
    for (bad, field) in [
        (ClaimRequest { user_id: "x".to_owned(), ..claim() }, "user_id"),
        (ClaimRequest { r#use: None, ..claim() }, "use"),
        (ClaimRequest { r#use: Some(Use { place: None }), ..claim() }, "use"),
        (ClaimRequest { r#use: Some(entry("x")), ..claim() }, "use.entry.op"),
        (ClaimRequest { media_ids: ids(0), ..claim() }, "media_ids"),
        (ClaimRequest { media_ids: ids(33), ..claim() }, "media_ids"),
        (ClaimRequest { readable_ids: ids(33), ..claim() }, "readable_ids"),
        (ClaimRequest { media_ids: vec![nothing(), "x".to_owned()], ..claim() }, "media_ids[1]"),
    ] {
        assert_eq!(fields(service.claim(bad).await), [field]);
    }
    let mut release = async |count| {
        let request = ReleaseRequest { r#use: Some(entry(&op())), media_ids: ids(count) };
        service.release(request).await
    };
    release(1000).await.unwrap();
    for count in [0, 1001] {
        assert_eq!(fields(release(count).await), ["media_ids"]);
    }
}

#[tokio::test]
async fn nobody_calls_without_a_token() {
    let scene = Scene::start().await;
    for (token, why) in [(None, ErrorReason::TokenMissing), (Some("x"), ErrorReason::TokenInvalid)] {
        let mut client = scene.calling(token).await;
        assert_eq!(reason(client.get_usage(GetUsageRequest {}).await), why);
        assert_eq!(reason(client.create_upload(User::saying(b"x")).await), why);
        assert_eq!(reason(client.upload_part(UploadPartRequest::default()).await), why);
    }
}
