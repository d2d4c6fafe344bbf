//! What a file is to Instagram, and which files it takes.

use domain::media::MediaForm;

const MEGABYTE: u64 = 1024 * 1024;
/// The largest picture.
const LARGEST_IMAGE: u64 = 8 * MEGABYTE;
/// The largest of all else.
const LARGEST: u64 = 25 * MEGABYTE;

/// The type of the attachment.
///
/// # Errors
/// Why it is not taken.
pub(super) fn kind(form: &MediaForm, mime: &str, size: u64) -> Result<&'static str, String> {
    let plain = mime.split(';').next().unwrap_or_default().trim();
    let kind = match plain {
        "image/png" | "image/jpeg" | "image/gif" => "image",
        "video/mp4" | "video/ogg" | "video/avi" | "video/x-msvideo" | "video/quicktime" | "video/webm" => {
            "video"
        }
        "audio/aac" | "audio/mp4" | "audio/m4a" | "audio/x-m4a" | "audio/wav" | "audio/x-wav"
        | "audio/vnd.wave" => "audio",
        "application/pdf" => "file",
        _ => return Err(format!("media_type: Instagram takes no {plain}; it takes {}", taken(form))),
    };
    let most = if kind == "image" { LARGEST_IMAGE } else { LARGEST };
    if size > most {
        return Err(format!("media_size: Instagram takes at most {} MB of this", most / MEGABYTE));
    }
    Ok(kind)
}

fn taken(form: &MediaForm) -> &'static str {
    match form {
        MediaForm::Photo { .. } => "png, jpeg and gif",
        MediaForm::Video { .. } | MediaForm::Animation { .. } => "mp4, ogg, avi, mov and webm",
        MediaForm::Voice { .. } | MediaForm::Audio { .. } => "aac, m4a, mp4 and wav",
        MediaForm::Document => "pdf",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_of_supported_types_and_sizes() {
        let photo = MediaForm::Photo { width: 1, height: 1 };
        assert_eq!(kind(&photo, "image/png", LARGEST_IMAGE), Ok("image"));
        assert!(kind(&photo, "image/png", LARGEST_IMAGE + 1).unwrap_err().contains("8 MB"));
        assert!(kind(&photo, "image/webp", 1).unwrap_err().contains("jpeg"));
        let voice = MediaForm::Voice { duration_ms: 1 };
        assert_eq!(kind(&voice, "audio/mp4; codecs=x", LARGEST), Ok("audio"));
        assert!(kind(&voice, "audio/ogg", 1).unwrap_err().contains("m4a"));
        assert_eq!(kind(&MediaForm::Document, "application/pdf", 1), Ok("file"));
        assert!(kind(&MediaForm::Document, "application/zip", 1).is_err());
    }
}
