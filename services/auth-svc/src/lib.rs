//! auth-svc: accounts, credentials, sessions, tokens, keys, revocations, profiles, e-mail addresses, and the search of
//! people.
//!
//! [`App`] is the whole service as routes; whoever holds them serves them. What it guarantees:
//! - an ended session's access token is refused here at once, and everywhere within a second (G7);
//! - a retried call takes effect once (G2): a registration makes one account, a log-in one session per device, a refresh
//!   one successor;
//! - a copy of the database alone, or of the keys alone, lets nobody in.
//!
//! Logs name users and sessions by id; names, addresses, tokens, codes and passwords are in none.

mod accounts;
mod app;
mod config;
mod emails;
mod housekeeping;
mod mail;
mod profiles;
mod refusal;
mod rpc;
mod sessions;
mod store;
mod time;
mod tokens;

pub use accounts::{
    Argon2id, Hasher, ImportOutcome, ImportedUser, InvalidHash, InvalidPassword, NewServiceAccount, Password,
    PasswordHash, Weakness,
};
pub use app::{App, Parts, StartError};
pub use config::{
    Config, DailyLimit, FailureConfig, KeysConfig, Limits, MailConfig, MailTransport, PasswordConfig,
    RateLimit, SessionConfig, SmtpConfig, SmtpSecurity, StoreConfig, ThrottleConfig,
};
pub use emails::{EmailAddress, InvalidEmail};
pub use profiles::Prefix;
pub use refusal::Refusal;
pub use rpc::policy::{INTERNAL as INTERNAL_SERVICES, PUBLIC as PUBLIC_SERVICES};
pub use tokens::RefreshToken;
