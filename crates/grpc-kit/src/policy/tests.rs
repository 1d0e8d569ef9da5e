use super::*;

const SERVICE: &str = "parlor.internal.auth.v1.AuthInternalService";

fn row(path: &'static str) -> Method {
    Method { path, auth: Auth::Internal, limit: Limit::None, max_request_bytes: 1024 }
}

fn rows() -> Vec<Method> {
    ["WatchRevocations", "ListRevocations", "CheckUsers", "FindMediaReferences"]
        .iter()
        .map(|name| row(Box::leak(format!("/{SERVICE}/{name}").into_boxed_str())))
        .collect()
}

fn faults(rows: &[Method], services: &[&str]) -> Vec<PolicyFault> {
    Policy::new(rows, services).map(|_| ()).unwrap_err().0
}

#[test]
fn a_complete_table_is_taken() {
    let policy = Policy::new(&rows(), &[SERVICE]).unwrap();
    assert_eq!(policy.get(rows()[1].path), Some((1, &rows()[1])));
    assert_eq!(policy.get("/parlor.auth.v1.AuthService/Login"), None);
}

#[test]
fn it_is_known_which_requests_are_streams() {
    const PRESENCE: &str = "parlor.internal.presence.v1.PresenceInternalService";
    let set = FileDescriptorSet::decode(DESCRIPTORS).unwrap();
    let rpcs = rpcs(&set, PRESENCE).unwrap();
    let rows: Vec<_> = rpcs.iter().map(|rpc| row(Box::leak(rpc.path.clone().into_boxed_str()))).collect();
    let policy = Policy::new(&rows, &[PRESENCE]).unwrap();
    for (index, row) in rows.iter().enumerate() {
        assert_eq!(policy.takes_stream(index), row.path.ends_with("/Attach"), "{}", row.path);
    }
}

#[test]
fn an_rpc_without_a_row_stops_the_start() {
    assert_eq!(faults(&rows()[1..], &[SERVICE]), [PolicyFault::Missing(rows()[0].path.to_owned())]);
}

#[test]
fn a_row_without_an_rpc_stops_the_start() {
    let ghost = "/parlor.internal.auth.v1.AuthInternalService/Ghost";
    let rows = [rows(), vec![row(ghost)]].concat();
    assert_eq!(faults(&rows, &[SERVICE]), [PolicyFault::NoSuchRpc(ghost.to_owned())]);
}

#[test]
fn a_row_of_another_service_is_a_row_without_an_rpc() {
    let login = "/parlor.auth.v1.AuthService/Login";
    let rows = [rows(), vec![row(login)]].concat();
    assert_eq!(faults(&rows, &[SERVICE]), [PolicyFault::NoSuchRpc(login.to_owned())]);
}

#[test]
fn all_faults_are_told_at_once() {
    let mut rows = rows();
    rows[0].max_request_bytes = 0;
    rows[1].limit = Limit::PerCaller { burst: 1, per_second: 1.0 };
    rows[1].auth = Auth::None;
    rows.push(rows[2]);
    let path = |index: usize| rows[index].path.to_owned();
    assert_eq!(
        faults(&rows, &[SERVICE, "parlor.auth.v1.NoService"]),
        [
            PolicyFault::NoSuchService("parlor.auth.v1.NoService".to_owned()),
            PolicyFault::BadLimit(path(0)),
            PolicyFault::NoCallerToLimit(path(1)),
            PolicyFault::Repeated(path(2)),
        ]
    );
}
