//! Copies in a bucket of S3, or of a store that speaks as S3 does.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use config::BackupCopySettings;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{ClientOptions, MultipartUpload, ObjectStoreExt, RetryConfig};
use secrecy::ExposeSecret;

use super::{CopyName, DestinationError, SILENCE};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);

/// How often a request is made again at once. What lasts longer is left to the next attempt at the copy.
const RETRIES: usize = 2;

/// The longest text of an error that is kept, in characters: bodies of answers may be in it.
const LONGEST: usize = 500;

pub(super) struct Bucket {
    store: AmazonS3,
    prefix: Path,
    address: String,
}

/// A copy on its way into the bucket, in parts. There is no object of its name until it is whole.
pub(crate) struct BucketCopy {
    store: AmazonS3,
    object: Path,
    bucket: String,
    upload: Box<dyn MultipartUpload>,
}

pub(super) type Pieces = BoxStream<'static, object_store::Result<Bytes>>;

fn failed(bucket: &str) -> impl FnOnce(object_store::Error) -> DestinationError {
    let bucket = bucket.to_owned();
    move |error| {
        let text = error.to_string();
        let what = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect();
        DestinationError::Bucket { bucket, what }
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bucket({})", self.address)
    }
}

impl Bucket {
    pub(super) fn new(name: &str, settings: &BackupCopySettings) -> Result<Self, DestinationError> {
        let prefix = Path::from(settings.prefix.as_deref().unwrap_or_default());
        let address = match prefix.as_ref() {
            "" => format!("s3://{name}"),
            prefix => format!("s3://{name}/{prefix}"),
        };
        let endpoint = settings.endpoint.as_deref();
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(name)
            .with_region(&settings.region)
            .with_allow_http(endpoint.is_some_and(|endpoint| endpoint.starts_with("http://")))
            .with_client_options(
                ClientOptions::new()
                    .with_timeout(SILENCE)
                    .with_connect_timeout(CONNECT)
                    .with_allow_http(endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"))),
            )
            .with_retry(RetryConfig {
                max_retries: RETRIES,
                retry_timeout: SILENCE,
                ..RetryConfig::default()
            });
        if let Some(endpoint) = endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        if let (Some(id), Some(secret)) = (&settings.access_key_id, &settings.secret_access_key) {
            builder =
                builder.with_access_key_id(id.expose_secret()).with_secret_access_key(secret.expose_secret());
        }
        let store = builder.build().map_err(failed(&address))?;
        Ok(Self { store, prefix, address })
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    fn object(&self, name: &CopyName) -> Path {
        self.prefix.clone().join(name.to_string())
    }

    pub(super) async fn begin(&self, name: &CopyName) -> Result<BucketCopy, DestinationError> {
        let object = self.object(name);
        let upload = self.store.put_multipart(&object).await.map_err(failed(&self.address))?;
        Ok(BucketCopy { store: self.store.clone(), object, bucket: self.address.clone(), upload })
    }

    pub(super) async fn open(&self, name: &CopyName) -> Result<Pieces, DestinationError> {
        let answer = self.store.get(&self.object(name)).await.map_err(failed(&self.address))?;
        Ok(answer.into_stream())
    }

    /// The next piece; nothing at the end.
    pub(super) async fn read(&self, pieces: &mut Pieces) -> Result<Option<Bytes>, DestinationError> {
        pieces.next().await.transpose().map_err(failed(&self.address))
    }

    pub(super) async fn remove(&self, name: &CopyName) -> Result<(), DestinationError> {
        match self.store.delete(&self.object(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(&self.address)(error)),
        }
    }
}

impl BucketCopy {
    pub(super) async fn write(&mut self, piece: Bytes) -> Result<(), DestinationError> {
        self.upload.put_part(piece.into()).await.map_err(failed(&self.bucket))
    }

    pub(super) async fn finish(mut self, bytes: u64) -> Result<(), DestinationError> {
        if let Err(error) = self.upload.complete().await {
            // The parts would stay, and cost.
            let _ = self.upload.abort().await;
            return Err(failed(&self.bucket)(error));
        }
        let found = self.store.head(&self.object).await.map_err(failed(&self.bucket))?.size;
        if found == bytes {
            return Ok(());
        }
        Err(DestinationError::Short { name: self.object.to_string(), sent: bytes, found })
    }

    pub(super) async fn abort(mut self) -> Result<(), DestinationError> {
        self.upload.abort().await.map_err(failed(&self.bucket))
    }
}
