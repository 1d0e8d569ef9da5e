//! Accounts that come with ready hashes.

use auth_svc::{Argon2id, EmailAddress, Hasher as _, ImportOutcome, ImportedUser, Password, PasswordHash};
use parlor_types::{DisplayName, UserId, Username};

use crate::support::*;

fn user(name: &str) -> ImportedUser {
    let hash = Argon2id::new(32, 2, 1).unwrap().hash(&Password::presented("short").unwrap()).unwrap();
    ImportedUser {
        user_id: None,
        username: Username::new(name).unwrap(),
        display_name: None,
        password: PasswordHash::parse(hash.as_str()).unwrap(),
        email: None,
    }
}

#[tokio::test]
async fn imported_people_log_in_with_their_old_passwords() {
    let (_folder, server) = Server::start().await;
    let id = UserId::new();
    let ada =
        ImportedUser { user_id: Some(id), display_name: DisplayName::new("Ada L.", 64).ok(), ..user("ada") };
    let outcomes = server.app.import_users(vec![ada, user("ben")]).await.unwrap();
    assert_eq!(outcomes[0], ImportOutcome::Imported(id));
    // Shorter than one may choose today, and of another cost.
    let credentials = server.login("ada", "short", device()).await.unwrap();
    assert_eq!(credentials.user_id, id.to_string());
    server.login("ben", "short", device()).await.unwrap();
    server.login("ben", "shorter", device()).await.unwrap_err();
}

#[tokio::test]
async fn importing_again_changes_nothing() {
    let (_folder, server) = Server::start().await;
    let owner = server.register("ada").await;
    let users = || vec![user("ada"), user("ben")];
    let first = server.app.import_users(users()).await.unwrap();
    assert!(matches!(first[..], [ImportOutcome::Taken, ImportOutcome::Imported(_)]), "{first:?}");
    assert_eq!(server.app.import_users(users()).await.unwrap(), [ImportOutcome::Taken; 2]);
    let login = server.login("ada", PASSWORD, device()).await.unwrap();
    assert_eq!(login.user_id, owner.user_id);
}

#[tokio::test]
async fn an_address_that_comes_along_is_proved_and_is_nobodys_else() {
    let (_folder, server) = Server::start().await;
    let with =
        |name: &str, address: &str| ImportedUser { email: EmailAddress::new(address).ok(), ..user(name) };
    let users = vec![with("ada", "Ada@Example.org"), with("ben", "ada@example.org")];
    let outcomes = server.app.import_users(users).await.unwrap();
    assert!(matches!(outcomes[..], [ImportOutcome::Imported(_), ImportOutcome::Taken]), "{outcomes:?}");
    server.login("ben", "short", device()).await.unwrap_err();
    let ada = server.login("ada", "short", device()).await.unwrap();
    let email = server.email(&ada.access_token).await;
    assert_eq!((email.address.as_str(), email.discoverable), ("Ada@Example.org", false));
    assert_eq!(email.unproved_address, "");
}

#[tokio::test]
async fn many_are_imported_in_batches() {
    let (_folder, server) = Server::start().await;
    let template = user("template");
    let users: Vec<_> = (0..2500)
        .map(|n| ImportedUser { username: Username::new(&format!("user{n}")).unwrap(), ..template.clone() })
        .collect();
    let outcomes = server.app.import_users(users).await.unwrap();
    assert_eq!(outcomes.len(), 2500);
    assert!(outcomes.iter().all(|outcome| matches!(outcome, ImportOutcome::Imported(_))));
    server.login("user2499", "short", device()).await.unwrap();
}
