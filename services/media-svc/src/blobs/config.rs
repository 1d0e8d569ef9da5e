//! Where the bytes of finished files are.

use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{ClientOptions, RetryConfig};
use parlor_runtime::config::{Problems, Secret, Validate, choice};
use serde::{Deserialize, Serialize};

use super::BlobError;

/// A call that the bucket does not answer for so long is tried no more.
const RETRY_FOR: Duration = Duration::from_secs(30);
/// Tries after the first.
const RETRIES: usize = 4;
/// One try may take so long: 5 MiB over a slow line.
const TRY_FOR: Duration = Duration::from_secs(60);

/// Where they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlobStore {
    /// In the folder `blobs` beside the database.
    #[default]
    Local,
    /// In a bucket that speaks S3.
    S3,
}

/// See the module. All but `store`, `prefix` and `adopt` is for `s3`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BlobConfig {
    /// "local" or "s3".
    #[serde(deserialize_with = "choice::deserialize")]
    pub store: BlobStore,
    /// The bucket, which must exist.
    pub bucket: String,
    /// Its region.
    pub region: String,
    /// Where it is served, such as `https://minio.example:9000`; empty for AWS.
    pub endpoint: String,
    /// Whether `endpoint` may be plain HTTP. For a network of one's own alone.
    pub allow_http: bool,
    /// Whether the bucket's name is part of the host's and not of the path.
    pub virtual_host: bool,
    /// All keys begin with this and a "/"; empty for nothing. Nobody else may have keys there: what media-svc does not
    /// know of is deleted. Large files are put in parts: give the bucket a rule that aborts incomplete multipart uploads after a
    /// day, for those that a crash leaves.
    pub prefix: String,
    /// The id of another store whose files these are, to be taken over, as after a restore from a backup; the refusal to start says
    /// which it is. Empty for none.
    pub adopt: String,
    /// The access key; without one, what the machine has of its own (AWS_ACCESS_KEY_ID, web identity, instance metadata).
    pub access_key_id: Option<String>,
    /// The secret that belongs to it.
    pub secret_access_key: Option<Secret>,
}

impl Default for BlobConfig {
    fn default() -> Self {
        Self {
            store: BlobStore::Local,
            bucket: String::new(),
            region: "us-east-1".to_owned(),
            endpoint: String::new(),
            allow_http: false,
            virtual_host: false,
            prefix: String::new(),
            adopt: String::new(),
            access_key_id: None,
            secret_access_key: None,
        }
    }
}

impl BlobConfig {
    /// The bucket. Nothing is asked of it yet.
    pub(super) fn bucket(&self) -> Result<AmazonS3, BlobError> {
        let options = ClientOptions::new().with_allow_http(self.allow_http).with_timeout(TRY_FOR);
        let retry = RetryConfig { max_retries: RETRIES, retry_timeout: RETRY_FOR, ..RetryConfig::default() };
        let builder = match (&self.access_key_id, &self.secret_access_key) {
            (Some(id), Some(secret)) => {
                AmazonS3Builder::new().with_access_key_id(id).with_secret_access_key(secret.expose())
            }
            _ => AmazonS3Builder::from_env(),
        };
        let mut builder = builder
            .with_client_options(options)
            .with_retry(retry)
            .with_bucket_name(&self.bucket)
            .with_region(&self.region)
            .with_virtual_hosted_style_request(self.virtual_host);
        if !self.endpoint.is_empty() {
            builder = builder.with_endpoint(&self.endpoint);
        }
        builder.build().map_err(BlobError::from)
    }
}

impl Validate for BlobConfig {
    fn check(&self, problems: &mut Problems) {
        if self.prefix.contains("..") || self.prefix.chars().any(char::is_control) {
            problems.add("prefix", "must be a plain path");
        }
        if self.store == BlobStore::Local {
            return;
        }
        if self.bucket.is_empty() {
            problems.add("bucket", "must be named");
        }
        if self.access_key_id.is_some() != self.secret_access_key.is_some() {
            problems.add("secret_access_key", "must be set with access_key_id, or neither");
        }
        let is_https = self.endpoint.is_empty() || self.endpoint.starts_with("https://");
        let is_http = self.allow_http && self.endpoint.starts_with("http://");
        if !is_https && !is_http {
            problems.add("endpoint", "must begin with https://, or with http:// where allow_http is set");
        }
    }
}
