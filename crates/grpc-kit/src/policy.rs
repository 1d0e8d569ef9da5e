//! The table of every RPC: who may call it, how often, with how large a message.
//!
//! A service states a row for each RPC it serves. The table is compared with the compiled protocol when the service
//! starts: an RPC without a row, or a row without an RPC, stops it.

use std::collections::HashMap;
use std::fmt;

use parlor_wire::DESCRIPTORS;
use prost::Message as _;
use prost_types::{FileDescriptorSet, MethodDescriptorProto};

use parlor_runtime::limiter::Rate;

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Method {
    /// As HTTP/2 carries it: `/parlor.auth.v1.AuthService/Login`.
    pub path: &'static str,
    /// Who may call it.
    pub auth: Auth,
    /// How often.
    pub limit: Limit,
    /// Largest message of the request, bytes before decompression; on a stream, each message's. At least 1.
    pub max_request_bytes: usize,
}

/// What a caller must show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// Nothing.
    None,
    /// An access token of a person or a service account.
    Session,
    /// An access token for internal use, of a service account.
    Internal,
}

/// How often a method may be called. Each method has buckets of its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// As often as the caller likes.
    None,
    /// Per authenticated account; needs [`Auth::Session`] or [`Auth::Internal`].
    PerCaller {
        /// Requests that may come at once; at least 1.
        burst: u32,
        /// Requests per second after that; above 0.
        per_second: f64,
    },
    /// Per network address (IPv6: per subnet of 64 bits). Connections inside the process have none and are not
    /// limited.
    PerAddress {
        /// Requests that may come at once; at least 1.
        burst: u32,
        /// Requests per second after that; above 0.
        per_second: f64,
    },
}

impl Limit {
    fn rate(self) -> Option<Rate> {
        match self {
            Self::None => None,
            Self::PerCaller { burst, per_second } | Self::PerAddress { burst, per_second } => {
                Some(Rate { burst, per_second })
            }
        }
    }
}

/// A table that is complete for its services.
#[derive(Debug)]
pub struct Policy {
    methods: Vec<Method>,
    /// Of each of these, whether its request is a stream of messages.
    takes_stream: Vec<bool>,
    by_path: HashMap<&'static str, usize>,
}

impl Policy {
    /// Checks `methods` against what `services` (full names, such as `parlor.auth.v1.AuthService`) have in the
    /// protocol.
    ///
    /// # Errors
    /// Everything that does not fit, at once.
    pub fn new(methods: &[Method], services: &[&str]) -> Result<Self, PolicyError> {
        let set = FileDescriptorSet::decode(DESCRIPTORS).expect("the descriptors were encoded by the build");
        let mut faults = Vec::new();
        let mut wanted = Vec::new();
        for service in services {
            match rpcs(&set, service) {
                Some(rpcs) => wanted.extend(rpcs),
                None => faults.push(PolicyFault::NoSuchService((*service).to_owned())),
            }
        }
        let mut by_path = HashMap::new();
        for (index, method) in methods.iter().enumerate() {
            faults.extend(faults_of(method, &wanted));
            if by_path.insert(method.path, index).is_some() {
                faults.push(PolicyFault::Repeated(method.path.to_owned()));
            }
        }
        let missing = wanted.iter().filter(|rpc| !by_path.contains_key(rpc.path.as_str()));
        faults.extend(missing.map(|rpc| PolicyFault::Missing(rpc.path.clone())));
        if faults.is_empty() {
            let is_stream =
                |method: &Method| wanted.iter().any(|rpc| rpc.path == method.path && rpc.takes_stream);
            let takes_stream = methods.iter().map(is_stream).collect();
            Ok(Self { methods: methods.to_vec(), takes_stream, by_path })
        } else {
            Err(PolicyError(faults))
        }
    }

    /// The row of `path`, with its number, which identifies it among the rows of this table.
    pub(crate) fn get(&self, path: &str) -> Option<(usize, &Method)> {
        let index = *self.by_path.get(path)?;
        Some((index, &self.methods[index]))
    }

    /// Whether the request of the method of this row is a stream of messages.
    pub(crate) fn takes_stream(&self, row: usize) -> bool {
        self.takes_stream[row]
    }
}

/// An RPC of the protocol.
struct Rpc {
    path: String,
    takes_stream: bool,
}

/// A service's RPCs; `None` if the protocol has no such service.
fn rpcs(set: &FileDescriptorSet, service: &str) -> Option<Vec<Rpc>> {
    set.file.iter().find_map(|file| {
        let name = service.strip_prefix(file.package())?.strip_prefix('.')?;
        let found = file.service.iter().find(|candidate| candidate.name() == name)?;
        let rpc = |rpc: &MethodDescriptorProto| Rpc {
            path: format!("/{service}/{}", rpc.name()),
            takes_stream: rpc.client_streaming(),
        };
        Some(found.method.iter().map(rpc).collect())
    })
}

fn faults_of(method: &Method, wanted: &[Rpc]) -> Vec<PolicyFault> {
    let mut faults = Vec::new();
    let path = || method.path.to_owned();
    if !wanted.iter().any(|rpc| rpc.path == method.path) {
        faults.push(PolicyFault::NoSuchRpc(path()));
    }
    if method.limit.rate().is_some_and(|rate| !rate.is_valid()) || method.max_request_bytes == 0 {
        faults.push(PolicyFault::BadLimit(path()));
    }
    if matches!(method.limit, Limit::PerCaller { .. }) && method.auth == Auth::None {
        faults.push(PolicyFault::NoCallerToLimit(path()));
    }
    faults
}

/// The table does not fit the protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct PolicyError(pub Vec<PolicyFault>);

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the policy table does not fit the protocol")?;
        self.0.iter().try_for_each(|fault| write!(f, "; {fault}"))
    }
}

/// One thing that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFault {
    /// The protocol has no service of this name.
    #[error("no service {0}")]
    NoSuchService(String),
    /// A row without an RPC.
    #[error("{0} is in the table and not in the protocol")]
    NoSuchRpc(String),
    /// An RPC without a row.
    #[error("{0} is in the protocol and not in the table")]
    Missing(String),
    /// Two rows for one RPC.
    #[error("{0} is in the table twice")]
    Repeated(String),
    /// A burst, a rate or a size of zero, or a rate out of range.
    #[error("{0} has a limit that lets nothing through")]
    BadLimit(String),
    /// Limited per caller, but called without a token.
    #[error("{0} is limited per caller and has none")]
    NoCallerToLimit(String),
}

#[cfg(test)]
mod tests;
