//! Why one of a message's files was not taken in, as it is reported to callers of `/v1`. Pure but for the log.

use std::time::Duration;

use media::intake::{PathError, TakePathError};
use media::kind::NotThat;
use media::{FetchError, TakeError};

use super::named::Source;
use crate::problem::{Code, FieldError, Problem};

/// The file that was not taken in.
#[derive(Debug)]
pub(crate) struct Untaken {
    /// Its place in the list, from 0.
    pub(crate) index: usize,
    /// The field of `/v1` that names it.
    pub(crate) field: &'static str,
    pub(crate) why: Why,
}

/// Why a file was not taken in. Nothing of it is left.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Why {
    /// Its address did not become a file.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// Its path did not become a file.
    #[error(transparent)]
    Path(#[from] TakePathError),
    #[error("there is no such upload, or its time is over; send the file again with POST /v1/uploads")]
    NoUpload,
    /// It cannot be sent as wished.
    #[error(transparent)]
    NotThat(#[from] NotThat),
    #[error(transparent)]
    Take(#[from] TakeError),
    /// Too many files are on their way in.
    #[error("too many files are being taken in already; try again in a moment")]
    Busy,
    #[error(
        "it did not come from its address within {} s, as long as a call is kept for it (media.addresses_within); send a \
         large file ahead with POST /v1/uploads",
        .within.as_secs()
    )]
    Late { within: Duration },
    #[error("the server is stopping; try again in a moment")]
    Stopping,
}

impl Untaken {
    pub(super) const fn new(index: usize, source: &Source, why: Why) -> Self {
        Self { index, field: source.field(), why }
    }
}

impl Why {
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Fetch(error) => of_address(error),
            Self::Path(TakePathError::Path(error)) => match error {
                PathError::Outside | PathError::Link => Code::MediaRefused,
                PathError::NotFound | PathError::NotAFile => Code::MediaInvalid,
                PathError::Unreadable(_) => Code::MediaUnreachable,
            },
            Self::Path(TakePathError::Take(error)) | Self::Take(error) => of_taking(error),
            Self::NotThat(NotThat::TooLarge { .. }) => Code::TooLarge,
            Self::NotThat(_) => Code::MediaInvalid,
            Self::NoUpload => Code::InvalidRequest,
            Self::Late { .. } => Code::MediaUnreachable,
            Self::Busy => Code::QueueFull,
            Self::Stopping => Code::ShuttingDown,
        }
    }
}

fn of_address(error: &FetchError) -> Code {
    match error {
        FetchError::Address(outbound::guard::AddressError::Refused(_)) | FetchError::Refused(_) => {
            Code::MediaRefused
        }
        FetchError::Address(_) => Code::MediaInvalid,
        FetchError::UnknownHost
        | FetchError::Unreachable(_)
        | FetchError::Status(_)
        | FetchError::Redirect(_)
        | FetchError::Encoded(_)
        // It ended before the length that it promised, or went on behind it.
        | FetchError::Take(TakeError::OtherLength { .. }) => Code::MediaUnreachable,
        FetchError::Take(error) => of_taking(error),
    }
}

/// The code of a file that was not taken.
pub(crate) const fn of_taking(error: &TakeError) -> Code {
    match error {
        TakeError::Empty | TakeError::OtherLength { .. } => Code::MediaInvalid,
        TakeError::TooLarge { .. } => Code::TooLarge,
        TakeError::Broken(_) | TakeError::TooSlow { .. } => Code::MediaUnreachable,
        TakeError::ShelfFull { .. } | TakeError::NoSpace => Code::StorageFull,
        TakeError::Disk(_) => Code::StoreUnavailable,
    }
}

impl From<Untaken> for Problem {
    fn from(untaken: Untaken) -> Self {
        let Untaken { index, field, why } = untaken;
        let (code, message) = (why.code(), why.to_string());
        let field = format!("media[{index}].{field}");
        match code {
            Code::StorageFull => Self::new(code, format!("Nothing was accepted: {message}.")).retry_after(60),
            Code::StoreUnavailable => {
                tracing::error!(error = %why, "a file could not be written");
                Self::new(code, "Nothing was accepted: the file could not be written; the log says why.")
                    .retry_after(5)
            }
            Code::QueueFull | Code::ShuttingDown => {
                Self::new(code, format!("Nothing was accepted: {message}.")).retry_after(5)
            }
            Code::InvalidRequest => {
                Self::fields(vec![FieldError::new(field, format!("is wrong: {message}"))])
            }
            code => Self::field(code, FieldError::new(field, format!("cannot be sent: {message}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::intake::Wait;
    use std::io;

    #[test]
    fn each_reason_has_its_code_and_names_its_field() {
        let refused = outbound::guard::Refused {
            address: "127.0.0.1".parse().expect("an address"),
            range: outbound::guard::Range::Loopback,
            list: outbound::AllowList::Media,
        };
        let slow = TakeError::TooSlow { wait: Wait::Answer, limit: Duration::from_secs(20) };
        for (why, code, says) in [
            (Why::Fetch(FetchError::Refused(refused)), Code::MediaRefused, "[media] allow_private"),
            (Why::Fetch(FetchError::UnknownHost), Code::MediaUnreachable, "host"),
            (Why::Fetch(slow.into()), Code::MediaUnreachable, "20 s"),
            (
                Why::Fetch(TakeError::OtherLength { declared: 10, received: 7 }.into()),
                Code::MediaUnreachable,
                "10 bytes and had 7",
            ),
            (Why::Fetch(TakeError::Empty.into()), Code::MediaInvalid, "empty"),
            (Why::Path(PathError::Outside.into()), Code::MediaRefused, "inside the media folder"),
            (Why::Path(PathError::NotFound.into()), Code::MediaInvalid, "no such file"),
            (Why::NotThat(NotThat::NoVoice), Code::MediaInvalid, "as a document"),
            (Why::Take(TakeError::TooLarge { most: 5 }), Code::TooLarge, "5 bytes"),
            (Why::NoUpload, Code::InvalidRequest, "POST /v1/uploads"),
            (Why::Late { within: Duration::from_secs(100) }, Code::MediaUnreachable, "100 s"),
        ] {
            let problem = Problem::from(Untaken { index: 2, field: "url", why });
            assert_eq!(problem.code(), code);
            let detail = problem.detail();
            assert!(detail.contains(says) && detail.contains("media[2].url"), "{detail}");
        }
        for (why, code) in [
            (TakeError::NoSpace, Code::StorageFull),
            (TakeError::Disk(io::Error::other("a broken disk")), Code::StoreUnavailable),
        ] {
            let problem = Problem::from(Untaken { index: 0, field: "url", why: Why::Take(why) });
            assert_eq!(problem.code(), code);
            assert!(!problem.detail().contains("broken disk"), "{}", problem.detail());
        }
    }
}
