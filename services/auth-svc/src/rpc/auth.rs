//! `parlor.auth.v1.AuthService`.

use std::net::IpAddr;
use std::sync::Arc;

use parlor_grpc_kit::caller;
use parlor_runtime::clock::Clock;
use parlor_types::Op;
use parlor_wire::auth::v1::auth_service_server::AuthService;
use parlor_wire::auth::v1::*;
use parlor_wire::{Invalid, id};
use secrecy::SecretString;
use tonic::{Request, Response, Status};

use super::answer::{invalid, refused};
use super::fields::{self, Fields};
use super::{address, encode, now};
use crate::accounts::{Accounts, Login, PasswordChange, Registration, ServiceLogin};
use crate::refusal::Refusal;
use crate::sessions::Sessions;
use crate::tokens::{Issuer, RefreshToken};

/// See the module.
#[derive(Clone)]
pub struct AuthRpc {
    /// Accounts.
    pub accounts: Arc<Accounts>,
    /// Sessions.
    pub sessions: Arc<Sessions>,
    /// Keys.
    pub issuer: Arc<Issuer>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

#[tonic::async_trait]
impl AuthService for AuthRpc {
    async fn register(
        &self,
        request: Request<RegisterRequest>,
    ) -> Result<Response<RegisterResponse>, Status> {
        let address = address(&request);
        let registration = registration(request.into_inner(), address).map_err(invalid)?;
        let credentials = self.accounts.register(registration, now(&self.clock)).await.map_err(refused)?;
        Ok(Response::new(RegisterResponse { credentials: Some(encode::credentials(&credentials)) }))
    }

    async fn login(&self, request: Request<LoginRequest>) -> Result<Response<LoginResponse>, Status> {
        let address = address(&request);
        let login = login(request.into_inner(), address).map_err(invalid)?;
        let credentials = self.accounts.login(login, now(&self.clock)).await.map_err(refused)?;
        Ok(Response::new(LoginResponse { credentials: Some(encode::credentials(&credentials)) }))
    }

    async fn login_service(
        &self,
        request: Request<LoginServiceRequest>,
    ) -> Result<Response<LoginServiceResponse>, Status> {
        let address = address(&request);
        let login = service_login(request.into_inner(), address).map_err(invalid)?;
        let credentials = self.accounts.login_service(login, now(&self.clock)).await.map_err(refused)?;
        Ok(Response::new(LoginServiceResponse { credentials: Some(encode::credentials(&credentials)) }))
    }

    async fn refresh(&self, request: Request<RefreshRequest>) -> Result<Response<RefreshResponse>, Status> {
        let request = request.into_inner();
        let op: Op = id("op", &request.op).map_err(invalid)?;
        let token = RefreshToken::parse(&request.refresh_token);
        let token = token.ok_or(Refusal::TokenInvalid).map_err(refused)?;
        let credentials =
            self.sessions.refresh(&token, op, now(&self.clock).moment).await.map_err(refused)?;
        Ok(Response::new(RefreshResponse { credentials: Some(encode::credentials(&credentials)) }))
    }

    async fn logout(&self, request: Request<LogoutRequest>) -> Result<Response<LogoutResponse>, Status> {
        let caller = caller(&request)?;
        let ended = self.sessions.end(caller.user_id, caller.session_id, now(&self.clock).moment).await;
        ended.map_err(refused)?;
        Ok(Response::new(LogoutResponse {}))
    }

    async fn list_sessions(
        &self,
        request: Request<ListSessionsRequest>,
    ) -> Result<Response<ListSessionsResponse>, Status> {
        let caller = caller(&request)?;
        let lifetimes = self.sessions.lifetimes();
        let sessions = self.sessions.list(caller.user_id, now(&self.clock).moment).await.map_err(refused)?;
        let encode = |session| encode::session(session, lifetimes, caller.session_id);
        Ok(Response::new(ListSessionsResponse { sessions: sessions.iter().map(encode).collect() }))
    }

    async fn end_session(
        &self,
        request: Request<EndSessionRequest>,
    ) -> Result<Response<EndSessionResponse>, Status> {
        let caller = caller(&request)?;
        let session = id("session_id", &request.get_ref().session_id).map_err(invalid)?;
        self.sessions.end(caller.user_id, session, now(&self.clock).moment).await.map_err(refused)?;
        Ok(Response::new(EndSessionResponse {}))
    }

    async fn end_other_sessions(
        &self,
        request: Request<EndOtherSessionsRequest>,
    ) -> Result<Response<EndOtherSessionsResponse>, Status> {
        let caller = caller(&request)?;
        let now = now(&self.clock).moment;
        let ended =
            self.sessions.end_others(caller.user_id, caller.session_id, now).await.map_err(refused)?;
        Ok(Response::new(EndOtherSessionsResponse { ended: count(ended) }))
    }

    async fn change_password(
        &self,
        request: Request<ChangePasswordRequest>,
    ) -> Result<Response<ChangePasswordResponse>, Status> {
        let caller = caller(&request)?;
        let address = address(&request);
        let request = request.into_inner();
        let mut fields = Fields::default();
        let current = fields.take(fields::presented_password("current_password", &request.current_password));
        let new = fields.take(fields::chosen_password("new_password", &request.new_password));
        let (Some(current), Some(new)) = (current, new) else { return Err(invalid(fields.fault())) };
        let change =
            PasswordChange { user_id: caller.user_id, session_id: caller.session_id, current, new, address };
        let ended = self.accounts.change_password(change, now(&self.clock)).await.map_err(refused)?;
        Ok(Response::new(ChangePasswordResponse { ended: count(ended) }))
    }

    async fn get_jwks(&self, _: Request<GetJwksRequest>) -> Result<Response<GetJwksResponse>, Status> {
        let keys = self.issuer.keys().public().into_iter().map(encode::jwk).collect();
        Ok(Response::new(GetJwksResponse { keys }))
    }
}

fn registration(request: RegisterRequest, address: Option<IpAddr>) -> Result<Registration, Invalid> {
    let mut fields = Fields::default();
    let op = fields.take(id("op", &request.op));
    let username = fields.take(fields::username("username", &request.username));
    let password = fields.take(fields::chosen_password("password", &request.password));
    let display_name = fields.take(fields::optional_display_name("display_name", &request.display_name));
    let device = fields.take(fields::device(request.device));
    match (op, username, password, display_name, device) {
        (Some(op), Some(username), Some(password), Some(display_name), Some(device)) => {
            Ok(Registration { op, username, password, display_name, device, address })
        }
        _ => Err(fields.fault()),
    }
}

fn login(request: LoginRequest, address: Option<IpAddr>) -> Result<Login, Invalid> {
    let mut fields = Fields::default();
    let username = fields.take(fields::username("username", &request.username));
    let password = fields.take(fields::presented_password("password", &request.password));
    let device = fields.take(fields::device(request.device));
    match (username, password, device) {
        (Some(username), Some(password), Some(device)) => Ok(Login { username, password, device, address }),
        _ => Err(fields.fault()),
    }
}

fn service_login(request: LoginServiceRequest, address: Option<IpAddr>) -> Result<ServiceLogin, Invalid> {
    let mut fields = Fields::default();
    let user_id = fields.take(id("service_account_id", &request.service_account_id));
    let device = fields.take(fields::device(request.device));
    match (user_id, device) {
        (Some(user_id), Some(device)) => {
            Ok(ServiceLogin { user_id, secret: SecretString::from(request.secret), device, address })
        }
        _ => Err(fields.fault()),
    }
}

fn count(ended: usize) -> u32 {
    u32::try_from(ended).unwrap_or(u32::MAX)
}
