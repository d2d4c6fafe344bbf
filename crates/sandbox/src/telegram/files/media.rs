//! A file in a message: how clients name it, and how it is shown to them.

use std::time::Duration;

use grammers_tl_types::{enums, types};

use super::{Claim, Content, FileKind, HEAD, StoredFile, disk, extent, form};
use crate::telegram::ledger::MediaNote;
use crate::telegram::message::Body;
use crate::telegram::rpc::{Result, RpcError, bad_request};
use crate::telegram::state::{Moment, State};

/// The largest photo, in bytes.
const LARGEST_PHOTO: u64 = 10 * 1024 * 1024;

/// A file as a message shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Media {
    /// The file's id.
    pub(crate) file: i64,
    /// Hidden until it is touched.
    pub(crate) spoiler: bool,
}

/// What a reference to a file is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reference {
    Good,
    /// It was good once: a client that asks for the message again gets a new one.
    Expired,
    /// Never made for this account and this file.
    Wrong,
}

impl Reference {
    /// The error for a file named alone, or at this place of an album.
    pub(crate) fn worth(self, place: Option<usize>) -> Result<()> {
        let place = place.map(|place| format!("{place}_")).unwrap_or_default();
        let error =
            |what| Err(RpcError { code: 400, message: format!("FILE_REFERENCE_{place}{what}").into() });
        match self {
            Self::Good => Ok(()),
            Self::Expired => error("EXPIRED"),
            Self::Wrong => error("INVALID"),
        }
    }
}

impl State {
    /// The reference that an account is given now.
    fn reference(&self, viewer: i64, id: i64, era: u32) -> Vec<u8> {
        let proof = self.seed.file_hash(viewer, id, Some(era));
        [&era.to_le_bytes()[..], &proof.to_le_bytes()].concat()
    }

    /// The file an account names; none when its id or hash is wrong.
    pub(crate) fn named_file(
        &self,
        viewer: i64,
        id: i64,
        access_hash: i64,
        reference: &[u8],
    ) -> Option<(&StoredFile, Reference)> {
        let kept = self.files.get(id)?;
        if self.seed.file_hash(viewer, id, None) != access_hash {
            return None;
        }
        let era = reference.first_chunk().map_or(u32::MAX, |era| u32::from_le_bytes(*era));
        let worth = match era {
            _ if era > kept.era || self.reference(viewer, id, era) != reference => Reference::Wrong,
            _ if era < kept.era => Reference::Expired,
            _ => Reference::Good,
        };
        Some((kept, worth))
    }

    /// What a client wants to send; `place` is its place in an album.
    pub(crate) fn input_media(
        &mut self,
        me: i64,
        input: &enums::InputMedia,
        at: Moment,
        place: Option<usize>,
    ) -> Result<Media> {
        match input {
            enums::InputMedia::UploadedPhoto(photo) => {
                let (content, name) = self.uploaded(me, &photo.file)?;
                let file = self.make_photo(me, content, name, at)?;
                Ok(Media { file, spoiler: photo.spoiler })
            }
            enums::InputMedia::UploadedDocument(document) => {
                let (content, _) = self.uploaded(me, &document.file)?;
                if let Some(thumb) = &document.thumb {
                    self.uploaded(me, thumb)?;
                }
                let attributes = attributes(document);
                let kept = StoredFile {
                    kind: FileKind::of_document(&document.mime_type, &attributes),
                    mime_type: mime_type(&document.mime_type),
                    ..self.plain(me, content, at)?
                };
                let name = attributes.iter().find_map(|attribute| match attribute {
                    enums::DocumentAttribute::Filename(name) => Some(name.file_name.clone()),
                    _ => None,
                });
                let file = self.files.keep(StoredFile { name, attributes, ..kept });
                Ok(Media { file, spoiler: document.spoiler })
            }
            enums::InputMedia::Photo(photo) => {
                let enums::InputPhoto::Photo(named) = &photo.id else {
                    return Err(bad_request("MEDIA_EMPTY"));
                };
                let (id, access_hash) = (named.id, named.access_hash);
                self.sent_before(me, id, access_hash, &named.file_reference, true, place)?;
                Ok(Media { file: id, spoiler: photo.spoiler })
            }
            enums::InputMedia::Document(document) => {
                let enums::InputDocument::Document(named) = &document.id else {
                    return Err(bad_request("MEDIA_EMPTY"));
                };
                let (id, access_hash) = (named.id, named.access_hash);
                self.sent_before(me, id, access_hash, &named.file_reference, false, place)?;
                Ok(Media { file: id, spoiler: document.spoiler })
            }
            enums::InputMedia::Empty => Err(bad_request("MEDIA_EMPTY")),
            // Nothing outside this machine is ever fetched.
            enums::InputMedia::PhotoExternal(_) | enums::InputMedia::DocumentExternal(_) => {
                Err(bad_request("WEBPAGE_CURL_FAILED"))
            }
            _ => Err(bad_request("MEDIA_INVALID")),
        }
    }

    /// Whether a file may be sent again.
    fn sent_before(
        &self,
        me: i64,
        id: i64,
        access_hash: i64,
        reference: &[u8],
        photo: bool,
        place: Option<usize>,
    ) -> Result<()> {
        let found = self.named_file(me, id, access_hash, reference);
        let found = found.filter(|(kept, _)| (kept.kind == FileKind::Photo) == photo);
        found.ok_or(bad_request("MEDIA_EMPTY"))?.1.worth(place)
    }

    /// What an account uploaded, and what it calls it.
    fn uploaded(
        &mut self,
        me: i64,
        file: &enums::InputFile,
    ) -> Result<(std::sync::Arc<Content>, Option<String>)> {
        let (claim, name) = match file {
            enums::InputFile::File(small) => (
                Claim { id: small.id, big: false, parts: small.parts, md5: &small.md5_checksum },
                &small.name,
            ),
            enums::InputFile::Big(big) => {
                (Claim { id: big.id, big: true, parts: big.parts, md5: "" }, &big.name)
            }
            enums::InputFile::StoryDocument(_) => return Err(bad_request("MEDIA_INVALID")),
        };
        Ok((self.files.whole(me, &claim)?, Some(name.clone()).filter(|name| !name.is_empty())))
    }

    /// A document of which nothing is known but its bytes. It is stored where its account lives.
    fn plain(&self, me: i64, content: std::sync::Arc<Content>, at: Moment) -> Result<StoredFile> {
        let head = content.read(0, 64).map_err(|error| disk(&error))?;
        let dc_id = self.account_of(me).map_or(2, |account| account.dc_id);
        Ok(StoredFile {
            kind: FileKind::Document,
            content,
            name: None,
            mime_type: String::new(),
            attributes: Vec::new(),
            extent: None,
            form: form(&head),
            dc_id,
            named_dc_id: dc_id,
            date: at.date(),
            era: 0,
        })
    }

    /// Makes a photo of a picture. Its bytes stay as they are: nothing is drawn again.
    fn make_photo(
        &mut self,
        me: i64,
        content: std::sync::Arc<Content>,
        name: Option<String>,
        at: Moment,
    ) -> Result<i64> {
        if content.size > LARGEST_PHOTO {
            return Err(bad_request("PHOTO_SAVE_FILE_INVALID"));
        }
        let head = content.read(0, HEAD).map_err(|error| disk(&error))?;
        let extent = extent(&head).ok_or(bad_request("IMAGE_PROCESS_FAILED"))?;
        if !extent.suits_a_photo() {
            return Err(bad_request("PHOTO_INVALID_DIMENSIONS"));
        }
        let plain = self.plain(me, content, at)?;
        let mime_type = match plain.form {
            enums::storage::FileType::FilePng => "image/png",
            enums::storage::FileType::FileGif => "image/gif",
            enums::storage::FileType::FileWebp => "image/webp",
            _ => "image/jpeg",
        };
        let (kind, mime_type) = (FileKind::Photo, mime_type.to_owned());
        Ok(self.files.keep(StoredFile { kind, name, mime_type, extent: Some(extent), ..plain }))
    }

    /// A file as an account sees it in a message.
    pub(crate) fn media(&self, viewer: i64, media: Media) -> Option<enums::MessageMedia> {
        let kept = self.files.get(media.file)?;
        let (id, date, dc_id, spoiler) = (media.file, kept.date, kept.named_dc_id, media.spoiler);
        let access_hash = self.seed.file_hash(viewer, id, None);
        let file_reference = self.reference(viewer, id, kept.era);
        if let Some(extent) = kept.extent.filter(|_| kept.kind == FileKind::Photo) {
            let side = |pixels| i32::try_from(pixels).unwrap_or(i32::MAX);
            let largest = types::PhotoSize {
                r#type: extent.letter().to_owned(),
                w: side(extent.width),
                h: side(extent.height),
                size: i32::try_from(kept.content.size).unwrap_or(i32::MAX),
            };
            let photo = types::Photo {
                has_stickers: false,
                id,
                access_hash,
                file_reference,
                date,
                sizes: vec![largest.into()],
                video_sizes: None,
                dc_id,
            };
            return Some(
                types::MessageMediaPhoto {
                    spoiler,
                    live_photo: false,
                    photo: Some(photo.into()),
                    ttl_seconds: None,
                    video: None,
                }
                .into(),
            );
        }
        let document = types::Document {
            id,
            access_hash,
            file_reference,
            date,
            mime_type: kept.mime_type.clone(),
            size: i64::try_from(kept.content.size).unwrap_or(i64::MAX),
            thumbs: None,
            video_thumbs: None,
            dc_id,
            attributes: kept.attributes.clone(),
        };
        Some(
            types::MessageMediaDocument {
                nopremium: false,
                spoiler,
                video: kept.kind == FileKind::Video,
                round: kept.kind == FileKind::VideoNote,
                voice: kept.kind == FileKind::Voice,
                document: Some(document.into()),
                alt_documents: None,
                video_cover: None,
                video_timestamp: None,
                ttl_seconds: None,
            }
            .into(),
        )
    }

    /// A message's file, as the ledger and the control port show it.
    pub(crate) fn media_note(&self, body: &Body) -> Option<MediaNote> {
        let media = body.media?;
        Some(self.files.get(media.file)?.note(media.file, body.group))
    }
}

impl StoredFile {
    /// What the ledger and the control port show of it.
    pub(crate) fn note(&self, file_id: i64, grouped_id: Option<i64>) -> MediaNote {
        let mut note = MediaNote {
            file_id,
            kind: self.kind,
            file_name: self.name.clone(),
            mime_type: self.mime_type.clone(),
            size: self.content.size,
            md5: self.content.checksum(),
            width: self.extent.map(|extent| extent.width),
            height: self.extent.map(|extent| extent.height),
            duration_ms: None,
            supports_streaming: None,
            grouped_id,
        };
        let sides = |w, h| (u32::try_from(w).ok(), u32::try_from(h).ok());
        for attribute in &self.attributes {
            match attribute {
                enums::DocumentAttribute::ImageSize(image) => {
                    (note.width, note.height) = sides(image.w, image.h);
                }
                enums::DocumentAttribute::Video(film) => {
                    (note.width, note.height) = sides(film.w, film.h);
                    note.duration_ms = Duration::try_from_secs_f64(film.duration)
                        .ok()
                        .and_then(|took| took.as_millis().try_into().ok());
                    note.supports_streaming = Some(film.supports_streaming);
                }
                enums::DocumentAttribute::Audio(sound) => {
                    note.duration_ms = u64::try_from(sound.duration).ok().map(|seconds| seconds * 1_000);
                }
                _ => {}
            }
        }
        note
    }
}

fn mime_type(claimed: &str) -> String {
    if claimed.is_empty() { "application/octet-stream" } else { claimed }.to_owned()
}

/// What a document shows: all that was given, but nothing of a film or of sound when it is to be a mere file.
fn attributes(document: &types::InputMediaUploadedDocument) -> Vec<enums::DocumentAttribute> {
    let shown = |attribute: &&enums::DocumentAttribute| {
        !document.force_file
            || matches!(
                attribute,
                enums::DocumentAttribute::Filename(_) | enums::DocumentAttribute::ImageSize(_)
            )
    };
    document.attributes.iter().filter(shown).cloned().collect()
}
