//! Files that the product uploads: taken at an address of their own, then saved, then named as attachments.

use std::collections::BTreeMap;

use md5::{Digest, Md5};
use serde_json::{Value, json};

use super::{GROUP, MethodResult, Parameters, missing, refused};
use crate::channels::fake::{Outside, ProviderFile};
use crate::channels::request::{Reply, Request};

/// The largest picture and the largest file.
const LARGEST_PHOTO: usize = 50 * 1024 * 1024;
const LARGEST_FILE: usize = 200 * 1024 * 1024;

#[derive(Default)]
pub(super) struct Uploads {
    /// What was taken and not saved.
    taken: BTreeMap<String, Taken>,
    /// What was saved, by the name of the attachment without its key.
    saved: BTreeMap<String, Saved>,
    made: i64,
}

struct Taken {
    kind: &'static str,
    file: ProviderFile,
}

/// A file that can be attached.
#[derive(Clone)]
pub(super) struct Saved {
    /// As a message has it.
    pub(super) object: Value,
    /// `image`, `voice` or `document`.
    pub(super) media: &'static str,
    pub(super) md5: String,
}

impl Uploads {
    /// A file comes, at the address that was given for it.
    pub(super) fn take(&mut self, path: &str, request: &Request) -> Reply {
        let (kind, field, most) = match path.split('/').next() {
            Some("photo") => ("photo", "photo", LARGEST_PHOTO),
            Some("doc") => ("doc", "file", LARGEST_FILE),
            Some("audio_message") => ("audio_message", "file", LARGEST_FILE),
            _ => return Reply::html(404),
        };
        let part = request.parts().into_iter().find(|part| part.name == field && !part.content.is_empty());
        let name = part.as_ref().and_then(|part| part.file_name.clone()).unwrap_or_default();
        let mime = part.as_ref().and_then(|part| part.mime.clone()).unwrap_or_default();
        let is_good = match kind {
            "photo" => ["image/jpeg", "image/png", "image/gif"].contains(&mime.as_str()),
            "audio_message" => mime.starts_with("audio/"),
            _ => !std::path::Path::new(&name)
                .extension()
                .is_some_and(|end| ["exe", "mp3"].iter().any(|refused| end.eq_ignore_ascii_case(refused))),
        };
        let part = part.filter(|part| is_good && part.content.len() <= most);
        let Some(part) = part else {
            return Reply::json(
                200,
                &match kind {
                    "photo" => json!({ "server": 1, "photo": "[]", "hash": "" }),
                    _ => json!({ "error": "bad_file", "error_descr": "the file is not taken" }),
                },
            );
        };
        self.made += 1;
        let id = format!("taken-{}", self.made);
        let file = ProviderFile { name, mime, content: part.content, ..ProviderFile::default() };
        self.taken.insert(id.clone(), Taken { kind, file });
        Reply::json(
            200,
            &match kind {
                "photo" => json!({ "server": 1, "photo": json!([id]).to_string(), "hash": id }),
                _ => json!({ "file": id }),
            },
        )
    }

    pub(super) fn save_photo(&mut self, parameters: &Parameters, outside: &mut Outside) -> MethodResult {
        let (photo, hash) = (parameters.needed("photo")?, parameters.needed("hash")?);
        parameters.number("server")?;
        if serde_json::from_str::<Vec<&str>>(photo).ok() != Some(vec![hash]) {
            return refused(129, "Invalid photo");
        }
        let Some(Taken { file, .. }) = self.taken.remove(hash).filter(|taken| taken.kind == "photo") else {
            return refused(121, "Invalid hash");
        };
        Ok(json!([self.save("photo", file, outside)]))
    }

    pub(super) fn save_document(&mut self, parameters: &Parameters, outside: &mut Outside) -> MethodResult {
        let id = parameters.needed("file")?;
        let Some(Taken { kind, file }) = self.taken.remove(id).filter(|taken| taken.kind != "photo") else {
            return refused(105, "Couldn't save file");
        };
        let title = parameters.word("title").map_or_else(|| file.name.clone(), str::to_owned);
        let mut object = self.save(kind, file, outside);
        if kind == "doc" {
            object["title"] = title.into();
        }
        Ok(json!({ "type": kind, kind: object }))
    }

    /// A file that a message may have: what names it, and where it is.
    pub(super) fn save(&mut self, kind: &'static str, file: ProviderFile, outside: &mut Outside) -> Value {
        self.made += 1;
        let (id, md5) = (self.made, hex::encode(Md5::digest(&file.content)));
        let (size, name) = (file.content.len(), file.name.clone());
        let url = outside.keep(file);
        let mut object = json!({ "id": id, "owner_id": -GROUP, "access_key": format!("key{id}") });
        let media = match kind {
            "photo" => {
                let size = |width: u32, height: u32| json!({ "url": url, "width": width, "height": height });
                object["sizes"] = json!([size(130, 87), size(1280, 853), size(604, 402)]);
                "image"
            }
            "audio_message" => {
                object["link_ogg"] = url.into();
                object["duration"] = 3.into();
                "voice"
            }
            _ => {
                object["title"] = name.into();
                object["size"] = size.into();
                object["url"] = url.into();
                "document"
            }
        };
        // A voice message is attached as a document too.
        let names = [kind, "doc"].map(|prefix| format!("{prefix}{}_{id}", -GROUP));
        for name in names {
            let object = json!({ "type": kind, kind: object });
            self.saved.insert(name, Saved { object, media, md5: md5.clone() });
        }
        object
    }

    /// What these names are attached as.
    pub(super) fn attached(&self, names: &str) -> Result<Vec<Saved>, super::Refusal> {
        let all: Vec<&str> = names.split(',').filter(|name| !name.is_empty()).collect();
        if all.len() > 10 {
            return refused(913, "Too many attachments");
        }
        let find = |name: &str| {
            let without_key = name.splitn(3, '_').take(2).collect::<Vec<_>>().join("_");
            self.saved.get(&without_key).cloned()
        };
        all.into_iter().map(|name| find(name).map_or_else(|| missing("attachment"), Ok)).collect()
    }
}
