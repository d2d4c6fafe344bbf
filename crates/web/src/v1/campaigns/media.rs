//! What messages of a list carry: read as the list names it, and taken in before the messages are kept.

use ::campaigns::{FileMessage, Imported};
use store::NewCampaignMessage;

use crate::auth::Caller;
use crate::files::{self, Asker, Load, Named, Terms};
use crate::problem::{Code, FieldError, Problem};
use crate::state::State;
use crate::v1::LISTENER;
use crate::v1::new_media;

/// Files that one request may bring.
const MOST_FILES: usize = 100;

/// Reads what the messages name. Those whose files cannot be read are bad lines.
pub(super) fn named(read: Imported<FileMessage>) -> Result<Imported<(FileMessage, Vec<Named>)>, Problem> {
    let mut usable = Imported { items: Vec::new(), bad: read.bad, all_bad: read.all_bad };
    for mut item in read.items {
        match new_media::named(std::mem::take(&mut item.media)) {
            Ok(named) => usable.items.push((item, named)),
            Err(errors) => usable.refuse(item.line, joined_errors(errors)),
        }
    }
    if usable.items.iter().map(|(_, named)| named.len()).sum::<usize>() > MOST_FILES {
        let why = format!("names more than {MOST_FILES} files; import it in parts");
        return Err(Problem::fields(vec![FieldError::new("file", why)]));
    }
    Ok(usable)
}

/// Takes in what the messages carry. Those whose files cannot be had are bad lines; where no room is left none is taken.
pub(super) async fn taken(
    state: &State,
    caller: &Caller,
    read: Imported<(FileMessage, Vec<Named>)>,
) -> Result<(Imported<NewCampaignMessage>, Vec<Load>), Problem> {
    let mut usable = Imported { items: Vec::new(), bad: read.bad, all_bad: read.all_bad };
    let (mut loads, asker) = (Vec::new(), Asker::from(&caller.origin(LISTENER)));
    let end = state.clock().running().saturating_add(state.limits().addresses_within);
    for (FileMessage { line, mut message, .. }, named) in read.items {
        let left = end.saturating_sub(state.clock().running());
        let terms = Terms { asker, uploads: caller.uploads(), addresses_within: Some(left) };
        match files::take(state, named, terms).await {
            Ok(load) => {
                message.media = load.media();
                usable.items.push(message);
                loads.push(load);
            }
            Err(untaken) => match untaken.why.code() {
                Code::InvalidRequest
                | Code::MediaInvalid
                | Code::MediaRefused
                | Code::MediaUnreachable
                | Code::TooLarge => {
                    usable.refuse(line, format!("media[{}] {}", untaken.index, untaken.why));
                }
                _ => return Err(untaken.into()),
            },
        }
    }
    usable.bad.sort_by_key(|bad| bad.line);
    Ok((usable, loads))
}

fn joined_errors(errors: Vec<FieldError>) -> String {
    let lines = errors.into_iter().map(|error| format!("{} {}", error.field, error.message));
    lines.collect::<Vec<_>>().join("; ")
}
