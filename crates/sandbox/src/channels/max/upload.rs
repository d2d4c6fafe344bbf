//! Uploads to the pretend MAX: an address, three kinds of answers, and a while of work.

use std::collections::BTreeMap;

use md5::{Digest, Md5};
use serde_json::{Value, json};

use super::{MaxFake, bad, refused};
use crate::channels::fake::{Outside, ProviderFile};
use crate::channels::request::{Reply, Request};

pub(super) struct Upload {
    pub(super) kind: &'static str,
    pub(super) md5: String,
    /// Where its content is; none until it was uploaded.
    pub(super) url: Option<String>,
    /// It is refused so often before it is taken.
    pub(super) work_left: u32,
}

impl MaxFake {
    pub(super) fn begin_upload(
        &mut self,
        query: &BTreeMap<String, String>,
        outside: &Outside,
    ) -> Result<Value, Reply> {
        let (kind, work_left) = match query.get("type").map(String::as_str) {
            Some("image") => ("image", 0),
            Some("video") => ("video", 2),
            Some("audio") => ("audio", 1),
            Some("file") => ("file", 1),
            _ => return Err(bad("unknown type of upload")),
        };
        let token = format!("upload-token-{}", self.next());
        let url = format!("{}/upload/{token}", outside.base);
        self.uploads.insert(token.clone(), Upload { kind, md5: String::new(), url: None, work_left });
        // Images and files have their token from the upload.
        let sends_token = matches!(kind, "video" | "audio");
        Ok(if sends_token { json!({"url": url, "token": token}) } else { json!({"url": url}) })
    }

    pub(super) fn take_upload(&mut self, token: &str, request: &Request, outside: &mut Outside) -> Reply {
        let Some(upload) = self.uploads.get_mut(token) else {
            return refused(404, "not.found", "no such upload");
        };
        // A bot's token is for the API alone.
        if request.header("authorization").is_some() {
            return refused(400, "proto.payload", "no token is wanted here");
        }
        let parts = request.parts();
        let [part] = parts.as_slice() else { return refused(400, "proto.payload", "one file is wanted") };
        if request.method != "POST"
            || part.name != "data"
            || part.file_name.is_none()
            || part.content.is_empty()
        {
            return refused(400, "proto.payload", "one file is wanted, as data");
        }
        upload.md5 = hex::encode(Md5::digest(&part.content));
        upload.url = Some(outside.keep(ProviderFile {
            name: part.file_name.clone().unwrap_or_default(),
            mime: part.mime.clone().unwrap_or_default(),
            content: part.content.clone(),
            ..ProviderFile::default()
        }));
        match upload.kind {
            "image" => Reply::json(200, &json!({"photos": {"photo-key": {"token": token}}})),
            "file" => Reply::json(200, &json!({"token": token, "fileId": 7})),
            _ => Reply::text(200, "<retval>1</retval>"),
        }
    }

    pub(super) fn uploaded(&self, attachment: &Value) -> Option<&Upload> {
        self.uploads.get(&token_of(attachment)?)
    }
}

/// The token of an attachment, of an image also as its upload was answered.
pub(super) fn token_of(attachment: &Value) -> Option<String> {
    let payload = &attachment["payload"];
    let photo = payload["photos"].as_object().and_then(|photos| photos.values().next());
    let token = payload["token"].as_str().or_else(|| photo?["token"].as_str());
    token.map(str::to_owned)
}
