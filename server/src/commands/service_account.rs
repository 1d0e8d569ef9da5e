//! Accounts of bots and of other services.

use auth_svc::{App, Parts};
use parlor_runtime::data_dir::DataDir;
use parlor_types::Username;
use secrecy::ExposeSecret as _;

use super::print;
use crate::args::ServiceAccount;
use crate::config::Config;
use crate::failure::{Code, Failure};
use crate::program::Service;

/// Does `action` on the accounts of a server that is stopped.
///
/// # Errors
/// The server runs, the name cannot be had, or the store cannot be used.
pub async fn service_account(config: Config, action: ServiceAccount) -> Result<(), Failure> {
    let ServiceAccount::Create { name, internal } = action;
    let name = Username::new(&name).map_err(|rule| Failure::new(Code::Usage, format!("the name {rule}")))?;
    let _data = DataDir::open(&config.server.data, &[Service::Auth.part()])?;
    let auth = App::build(config.auth, Parts::default()).await?;
    let made = auth.create_service_account(name, internal).await;
    let made = made.map_err(|refusal| Failure::new(Code::Data, refusal))?;
    print(&format!("id      {}\nsecret  {}\n", made.user_id, made.secret.expose_secret()))
}
