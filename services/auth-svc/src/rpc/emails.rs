//! `parlor.auth.v1.EmailService`.

use std::sync::Arc;

use parlor_grpc_kit::caller;
use parlor_runtime::clock::Clock;
use parlor_wire::auth::v1::email_service_server::EmailService;
use parlor_wire::auth::v1::*;
use tonic::{Request, Response, Status};

use super::answer::{invalid, refused};
use super::{encode, fields, now};
use crate::emails::Emails;

/// See the module.
#[derive(Clone)]
pub struct EmailRpc {
    /// Addresses.
    pub emails: Arc<Emails>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

#[tonic::async_trait]
impl EmailService for EmailRpc {
    async fn get_email(
        &self,
        request: Request<GetEmailRequest>,
    ) -> Result<Response<GetEmailResponse>, Status> {
        let caller = caller(&request)?;
        let state = self.emails.get(caller.user_id, now(&self.clock).moment).await.map_err(refused)?;
        Ok(Response::new(GetEmailResponse { email: Some(encode::email(&state)) }))
    }

    async fn set_email(
        &self,
        request: Request<SetEmailRequest>,
    ) -> Result<Response<SetEmailResponse>, Status> {
        let caller = caller(&request)?;
        let address = fields::email("address", &request.get_ref().address).map_err(invalid)?;
        let state = self.emails.ask(caller.user_id, address, now(&self.clock)).await.map_err(refused)?;
        Ok(Response::new(SetEmailResponse { email: Some(encode::email(&state)) }))
    }

    async fn confirm_email(
        &self,
        request: Request<ConfirmEmailRequest>,
    ) -> Result<Response<ConfirmEmailResponse>, Status> {
        let caller = caller(&request)?;
        let code = fields::code("code", &request.get_ref().code).map_err(invalid)?;
        let now = now(&self.clock).moment;
        let state = self.emails.prove(caller.user_id, code, now).await.map_err(refused)?;
        Ok(Response::new(ConfirmEmailResponse { email: Some(encode::email(&state)) }))
    }

    async fn remove_email(
        &self,
        request: Request<RemoveEmailRequest>,
    ) -> Result<Response<RemoveEmailResponse>, Status> {
        let caller = caller(&request)?;
        self.emails.remove(caller.user_id).await.map_err(refused)?;
        Ok(Response::new(RemoveEmailResponse {}))
    }

    async fn set_email_discoverable(
        &self,
        request: Request<SetEmailDiscoverableRequest>,
    ) -> Result<Response<SetEmailDiscoverableResponse>, Status> {
        let caller = caller(&request)?;
        let (discoverable, now) = (request.get_ref().discoverable, now(&self.clock).moment);
        let state = self.emails.set_discoverable(caller.user_id, discoverable, now).await.map_err(refused)?;
        Ok(Response::new(SetEmailDiscoverableResponse { email: Some(encode::email(&state)) }))
    }

    async fn find_by_email(
        &self,
        request: Request<FindByEmailRequest>,
    ) -> Result<Response<FindByEmailResponse>, Status> {
        let address = fields::email("address", &request.get_ref().address).map_err(invalid)?;
        let profile = self.emails.find(&address).await.map_err(refused)?;
        Ok(Response::new(FindByEmailResponse { profile: Some(encode::profile(profile)) }))
    }
}
