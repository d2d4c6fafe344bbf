//! `upload.*`: files go up and come down in pieces.

use grammers_tl_types::{enums, functions, types};

use crate::telegram::context::Context;
use crate::telegram::files::{FileKind, Part, disk};
use crate::telegram::rpc::{Result, bad_request, see_other};

/// A piece lies within one such block.
const BLOCK: i64 = 1024 * 1024;

pub(super) fn save_file_part(
    context: &mut Context<'_>,
    request: &functions::upload::SaveFilePart,
) -> Result<bool> {
    let me = context.me()?;
    let part = Part { number: request.file_part, total: None, bytes: &request.bytes };
    context.state.files.save(me, request.file_id, part)?;
    Ok(true)
}

pub(super) fn save_big_file_part(
    context: &mut Context<'_>,
    request: &functions::upload::SaveBigFilePart,
) -> Result<bool> {
    let me = context.me()?;
    let total = Some(request.file_total_parts);
    let part = Part { number: request.file_part, total, bytes: &request.bytes };
    context.state.files.save(me, request.file_id, part)?;
    Ok(true)
}

pub(super) fn get_file(
    context: &mut Context<'_>,
    request: &functions::upload::GetFile,
) -> Result<enums::upload::File> {
    let me = context.me()?;
    let (offset, limit) = piece(request.offset, request.limit, request.precise)?;
    let (id, access_hash, reference, size, photo) = match &request.location {
        enums::InputFileLocation::InputDocumentFileLocation(it) => {
            (it.id, it.access_hash, &it.file_reference, &it.thumb_size, false)
        }
        enums::InputFileLocation::InputPhotoFileLocation(it) => {
            (it.id, it.access_hash, &it.file_reference, &it.thumb_size, true)
        }
        _ => return Err(bad_request("LOCATION_INVALID")),
    };
    let invalid = bad_request("LOCATION_INVALID");
    let (kept, worth) =
        context.state.named_file(me, id, access_hash, reference).ok_or_else(|| invalid.clone())?;
    // A photo is asked for by the size it has, a document as a whole.
    let expected = if photo { kept.extent.map_or("", crate::telegram::files::Extent::letter) } else { "" };
    if (kept.kind == FileKind::Photo) != photo || size != expected {
        return Err(invalid);
    }
    worth.worth(None)?;
    if kept.dc_id != context.caller.dc_id {
        return Err(see_other("FILE", kept.dc_id));
    }
    let bytes = kept.content.read(offset, limit).map_err(|error| disk(&error))?;
    Ok(types::upload::File { r#type: kept.form.clone(), mtime: kept.date, bytes }.into())
}

/// Checks which piece of a file is asked for.
fn piece(offset: i64, limit: i32, precise: bool) -> Result<(u64, usize)> {
    const OFFSET: crate::telegram::rpc::RpcError = bad_request("OFFSET_INVALID");
    const LIMIT: crate::telegram::rpc::RpcError = bad_request("LIMIT_INVALID");
    let step = if precise { 1024 } else { 4096 };
    let from = u64::try_from(offset).map_err(|_| OFFSET)?;
    if offset % step != 0 {
        return Err(OFFSET);
    }
    let length = i64::from(limit);
    let count = usize::try_from(limit).map_err(|_| LIMIT)?;
    if !(1..=BLOCK).contains(&length) || length % step != 0 || (!precise && BLOCK % length != 0) {
        return Err(LIMIT);
    }
    if offset / BLOCK != (offset + (length - 1).min(i64::MAX - offset)) / BLOCK {
        return Err(LIMIT);
    }
    Ok((from, count))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_piece_lies_on_the_grid_and_in_one_block() {
        let checked = |offset, limit, precise| piece(offset, limit, precise).map_err(|error| error.message);
        assert_eq!(checked(0, 1024 * 1024, false), Ok((0, 1024 * 1024)));
        assert_eq!(checked(4096, 4096, false), Ok((4096, 4096)));
        assert_eq!(checked(1024, 3 * 1024, true), Ok((1024, 3 * 1024)));
        for (offset, limit, precise, error) in [
            (-4096, 4096, false, "OFFSET_INVALID"),
            (1024, 4096, false, "OFFSET_INVALID"),
            (1, 1024, true, "OFFSET_INVALID"),
            (0, 0, false, "LIMIT_INVALID"),
            (0, -1, true, "LIMIT_INVALID"),
            (0, 3 * 4096, false, "LIMIT_INVALID"),
            (0, 1025, true, "LIMIT_INVALID"),
            (0, 2 * 1024 * 1024, false, "LIMIT_INVALID"),
            (4096, 1024 * 1024, false, "LIMIT_INVALID"),
        ] {
            assert_eq!(checked(offset, limit, precise), Err(error.into()), "{offset} {limit} {precise}");
        }
    }

    proptest! {
        #[test]
        fn any_piece_does_not_panic(offset in any::<i64>(), limit in any::<i32>(), precise in any::<bool>()) {
            if let Ok((from, count)) = piece(offset, limit, precise) {
                prop_assert!(from % (1024 * 1024) + count as u64 <= 1024 * 1024);
            }
        }
    }
}
