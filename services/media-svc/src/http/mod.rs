//! Files over plain HTTP, at signed addresses: `GET` and `HEAD` of `/media/<token>`, for `<img>`, image loaders, download
//! managers.
//!
//! Nothing that is answered can run in a browser, whatever was uploaded: no page, no script, a policy that forbids both, and
//! everything but checked pictures as an attachment. Whatever there is not for whoever asks gets one and the same answer. An
//! address is as good as the file while it lives: none is ever logged.

mod body;
mod conditions;
mod disposition;

use std::fmt;
use std::sync::Arc;

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use parlor_runtime::clock::Clock;

use crate::download::{Downloads, Ending, Found, Reader, Refusal};
use crate::link::{Link, Links, Useless};
use crate::store;

pub use body::Body;
pub use conditions::{Answer, answer};

/// What all addresses begin with.
pub const PREFIX: &str = "/media/";
/// How long to wait before it is tried again, seconds.
const RETRY: &str = "1";

/// See the module.
#[derive(Clone)]
pub struct Files {
    downloads: Downloads,
    links: Arc<Links>,
    clock: Arc<dyn Clock>,
}

/// Why there are no bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    /// Nothing that this address gives now.
    NotFound,
    /// The address is too old.
    Gone,
    /// Neither GET nor HEAD.
    Method,
    /// As many downloads as there may be.
    TooMany,
    /// It cannot be told now.
    Unavailable,
    /// A fault.
    Internal,
}

impl Files {
    /// Gives what `downloads` has to those who have an address of `links`.
    #[must_use]
    pub fn new(downloads: Downloads, links: Arc<Links>, clock: Arc<dyn Clock>) -> Self {
        Self { downloads, links, clock }
    }

    /// The answer to a request.
    pub async fn answer(&self, method: &Method, path: &str, headers: &HeaderMap) -> Response<Body> {
        match self.respond(method, path, headers).await {
            Ok(response) => response,
            Err(failure) => failed(method, failure),
        }
    }

    async fn respond(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
    ) -> Result<Response<Body>, Failure> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Err(Failure::Method);
        }
        let token = path.strip_prefix(PREFIX).ok_or(Failure::NotFound)?;
        let opened = self.links.open(token, self.clock.wall()).await.map_err(|error| fault(error.into()))?;
        let link = opened.map_err(|useless| match useless {
            Useless::Forged => Failure::NotFound,
            Useless::TooOld => Failure::Gone,
        })?;
        self.downloads.standing(link.session).map_err(|ending| match ending {
            Ending::SessionEnded => Failure::NotFound,
            Ending::Blind => Failure::Unavailable,
        })?;
        let found = self.downloads.find(link.user, link.media, link.variant).await.map_err(fault)?;
        self.give(method, headers, &link, &found).await
    }

    /// How long whoever got it may keep it: it never changes, but nobody is to have it for longer than its address is good.
    fn cached(&self, link: &Link) -> String {
        let left = link.ends.duration_since(self.clock.wall()).unwrap_or_default();
        format!("private, max-age={}, immutable", left.as_secs())
    }

    async fn give(
        &self,
        method: &Method,
        headers: &HeaderMap,
        link: &Link,
        found: &Found,
    ) -> Result<Response<Body>, Failure> {
        let tag = format!("\"{:?}\"", found.sha256);
        let cached = self.cached(link);
        let (status, range) = match answer(method, headers, &tag, found.size) {
            Answer::NotModified => return Ok(unchanged(StatusCode::NOT_MODIFIED, &tag, &cached)),
            Answer::Failed => return Ok(unchanged(StatusCode::PRECONDITION_FAILED, &tag, &cached)),
            Answer::Unsatisfiable => {
                let mut response = failed(method, StatusCode::RANGE_NOT_SATISFIABLE);
                let none = format!("bytes */{}", found.size);
                response.headers_mut().insert(header::CONTENT_RANGE, text(&none));
                return Ok(response);
            }
            Answer::Whole => (StatusCode::OK, 0..found.size),
            Answer::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        };
        let mut response = unchanged(status, &tag, &cached);
        describe(response.headers_mut(), found);
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
        if status == StatusCode::PARTIAL_CONTENT {
            let part = format!("bytes {}-{}/{}", range.start, range.end - 1, found.size);
            response.headers_mut().insert(header::CONTENT_RANGE, text(&part));
        }
        if method == Method::GET {
            let reader = Reader { user: link.user, session: link.session };
            let reading = self.downloads.read(reader, found, range).await.map_err(fault)?;
            *response.body_mut() = Body::file(reading);
        }
        Ok(response)
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files").field("downloads", &self.downloads).finish_non_exhaustive()
    }
}

/// What is wrong inside is logged here and not told outside.
fn fault(refusal: Refusal) -> Failure {
    match refusal {
        Refusal::NotFound | Refusal::Checking | Refusal::Refused => Failure::NotFound,
        Refusal::TooMany => Failure::TooMany,
        Refusal::Unanswered(_) => Failure::Unavailable,
        Refusal::Store(store::Error::Full | store::Error::Busy | store::Error::Stopped) => {
            Failure::Unavailable
        }
        Refusal::Store(_) | Refusal::Blob(_) => {
            tracing::error!(error = %refusal, "a file cannot be given");
            Failure::Internal
        }
    }
}

/// An answer about the file, with what every one of them has.
fn unchanged(status: StatusCode, tag: &str, cached: &str) -> Response<Body> {
    let mut response = bare(status);
    let headers = response.headers_mut();
    headers.insert(header::ETAG, text(tag));
    headers.insert(header::CACHE_CONTROL, text(cached));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    response
}

/// How the bytes are to be taken.
fn describe(headers: &mut HeaderMap, found: &Found) {
    let shown = disposition::is_shown(found.purpose, found.variant, &found.media_type);
    headers.insert(header::CONTENT_TYPE, text(disposition::served_type(&found.media_type)));
    headers.insert(header::CONTENT_DISPOSITION, text(&disposition::disposition(shown, &found.name)));
}

impl From<Failure> for StatusCode {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotFound => Self::NOT_FOUND,
            Failure::Gone => Self::GONE,
            Failure::Method => Self::METHOD_NOT_ALLOWED,
            Failure::TooMany => Self::TOO_MANY_REQUESTS,
            Failure::Unavailable => Self::SERVICE_UNAVAILABLE,
            Failure::Internal => Self::INTERNAL_SERVER_ERROR,
        }
    }
}

/// An answer without the file: a line of text that says no more than its status, and is not to be kept.
fn failed(method: &Method, status: impl Into<StatusCode>) -> Response<Body> {
    let status = status.into();
    let line = format!("{}\n", status.canonical_reason().unwrap_or("no"));
    let mut response = bare(status);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(line.len()));
    match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY));
        }
        _ => {}
    }
    if method != Method::HEAD {
        *response.body_mut() = Body::text(line);
    }
    response
}

/// What every answer says: nothing here is a page, runs, or tells where it was linked from. Pages of any origin may show
/// it: who has the address has the file.
fn bare(status: StatusCode) -> Response<Body> {
    const ALWAYS: [(HeaderName, &str); 4] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    for (name, value) in ALWAYS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn text(value: &str) -> HeaderValue {
    // Types come from a list of this server, names are escaped: nothing else than visible ASCII is left.
    HeaderValue::from_str(value).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

#[cfg(test)]
mod tests;
