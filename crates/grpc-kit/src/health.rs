//! What a server tells of itself: health (`grpc.health.v1`) and reflection.

use parlor_wire::DESCRIPTORS;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::server::{HealthReporter, HealthService};
use tonic_reflection::server::Builder;

/// Largest question to health or reflection, bytes.
const MAX_REQUEST_BYTES: usize = 4096;

/// The state that `grpc.health.v1.Health` answers with: `""` is liveness, SERVING from the beginning; a service's
/// full name is its readiness, NOT_SERVING until said otherwise.
#[derive(Debug, Clone)]
pub struct Health {
    reporter: HealthReporter,
}

impl Health {
    /// None of `services` (full names) is ready.
    pub async fn new(services: &[&str]) -> Self {
        let health = Self { reporter: HealthReporter::new() };
        health.set_ready(services, false).await;
        health
    }

    /// Whether these services take calls. Watchers are told.
    pub async fn set_ready(&self, services: &[&str], ready: bool) {
        let status = if ready { ServingStatus::Serving } else { ServingStatus::NotServing };
        for service in services {
            self.reporter.set_service_status(service, status).await;
        }
    }

    /// The routes that answer; for anybody, without a token.
    #[must_use]
    pub fn routes(&self) -> Routes {
        let service = HealthService::from_health_reporter(self.reporter.clone());
        let server = tonic_health::pb::health_server::HealthServer::new(service);
        Routes::new(server.max_decoding_message_size(MAX_REQUEST_BYTES))
    }
}

/// Reflection (v1 and v1alpha) of `services` (full names) and of health; for anybody, without a token.
#[must_use]
pub fn reflection(services: &[&str]) -> Routes {
    let builder = || {
        let builder = Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .with_service_name("grpc.health.v1.Health");
        services.iter().fold(builder, |builder, service| builder.with_service_name(*service))
    };
    const MADE: &str = "the descriptors were encoded by the build";
    let v1 = builder().build_v1().expect(MADE).max_decoding_message_size(MAX_REQUEST_BYTES);
    let v1alpha = builder().build_v1alpha().expect(MADE).max_decoding_message_size(MAX_REQUEST_BYTES);
    Routes::new(v1).add_service(v1alpha)
}

/// Several routes as one; a call to none of them is answered UNIMPLEMENTED.
///
/// # Panics
/// Two of them have the same service.
#[must_use]
pub fn merge(routes: impl IntoIterator<Item = Routes>) -> Routes {
    let start = Routes::default().into_axum_router();
    let merge = |all, one: Routes| {
        Routes::from(all).into_axum_router().merge(one.into_axum_router().reset_fallback())
    };
    routes.into_iter().fold(start, merge).into()
}

#[cfg(test)]
mod tests {
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_client::HealthClient;

    use super::*;

    #[tokio::test]
    async fn g8_a_long_question_is_refused() {
        let mut client = HealthClient::new(Health::new(&[]).await.routes().prepare());
        let mut ask = async |bytes: usize| {
            client.check(HealthCheckRequest { service: "x".repeat(bytes) }).await.unwrap_err().code()
        };
        assert_eq!(ask(4000).await, tonic::Code::NotFound);
        assert_eq!(ask(5000).await, tonic::Code::OutOfRange);
    }
}
