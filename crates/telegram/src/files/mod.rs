//! Files through Telegram: brought up, kept under references, named by ids, brought down.
//!
//! * `parts` cuts a file, `upload` brings the parts up, and goes on where an earlier run was.
//! * `input` is how media are named in a call, and what an answer says about them; `file_id` and `post` are media that
//!   Telegram has already.
//! * `prepare` does what can be done before a part is sent, and puts it on the account's `file_state`; `sending` is the call.
//! * `download` brings the media of a message down, as a stream; `fetching` keeps those that an account's rule names.

mod download;
pub(crate) mod fetching;
mod file_id;
mod file_state;
mod input;
mod parts;
mod post;
mod prepare;
mod progress;
mod sending;
mod upload;

pub(crate) use download::file_shown;
pub use download::{Download, DownloadError, DownloadOf, DownloadRange, FileShown};
pub(crate) use fetching::Fetching;
pub use fetching::FilesView;
pub(crate) use file_state::{FileState, SharedUploads};
pub(crate) use input::{Shown, shown};
pub(crate) use prepare::prepare;
pub(crate) use sending::{Refused, failed, refused, request, sent};
