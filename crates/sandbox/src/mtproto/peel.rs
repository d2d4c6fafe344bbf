//! The wrappers round a method: `invokeWithLayer`, `initConnection` and their like, taken off from the outside in.

use grammers_tl_types::{Cursor, Deserializable, Identifiable, deserialize, functions};

use super::tl::{self, Malformed};

/// More wrappers than this are no client's.
const DEEPEST: usize = 8;

/// Placed where a wrapper's query begins; it reads nothing, so the cursor stays there.
struct Query;

impl Deserializable for Query {
    fn deserialize(_: &mut Cursor<'_>) -> deserialize::Result<Self> {
        Ok(Self)
    }
}

/// A method without its wrappers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Peeled<'a> {
    /// What `invokeWithLayer` said.
    pub(crate) layer: Option<i32>,
    /// The session asked for no updates.
    pub(crate) without_updates: bool,
    /// The method itself, with its constructor id.
    pub(crate) request: &'a [u8],
}

/// Takes the wrappers off.
pub(crate) fn peel(body: &[u8]) -> Result<Peeled<'_>, Malformed> {
    const LAYER: u32 = functions::InvokeWithLayer::<Vec<u8>>::CONSTRUCTOR_ID;
    const INIT: u32 = functions::InitConnection::<Vec<u8>>::CONSTRUCTOR_ID;
    const WITHOUT_UPDATES: u32 = functions::InvokeWithoutUpdates::<Vec<u8>>::CONSTRUCTOR_ID;
    const AFTER: u32 = functions::InvokeAfterMsg::<Vec<u8>>::CONSTRUCTOR_ID;
    const AFTER_ALL: u32 = functions::InvokeAfterMsgs::<Vec<u8>>::CONSTRUCTOR_ID;

    let mut peeled = Peeled { layer: None, without_updates: false, request: body };
    for _ in 0..DEEPEST {
        let id = tl::constructor(peeled.request).ok_or(Malformed)?;
        let fields = &peeled.request[4..];
        peeled.request = match id {
            LAYER => {
                let (wrapper, query) = split::<functions::InvokeWithLayer<Query>>(fields)?;
                peeled.layer = Some(wrapper.layer);
                query
            }
            INIT => split::<functions::InitConnection<Query>>(fields)?.1,
            WITHOUT_UPDATES => {
                peeled.without_updates = true;
                split::<functions::InvokeWithoutUpdates<Query>>(fields)?.1
            }
            // Requests of one connection run in the order in which they come, so "after" is true already.
            AFTER => split::<functions::InvokeAfterMsg<Query>>(fields)?.1,
            AFTER_ALL => split::<functions::InvokeAfterMsgs<Query>>(fields)?.1,
            _ => return Ok(peeled),
        };
    }
    Err(Malformed)
}

/// The wrapper, and the bytes after its fields.
fn split<T: Deserializable>(fields: &[u8]) -> Result<(T, &[u8]), Malformed> {
    let mut cursor = Cursor::from_slice(fields);
    let wrapper = T::deserialize(&mut cursor).map_err(|_| Malformed)?;
    Ok((wrapper, &fields[cursor.pos()..]))
}

#[cfg(test)]
mod tests {
    use grammers_tl_types::{Serializable, enums, types};
    use proptest::prelude::*;

    use super::*;

    fn init<X>(query: X) -> functions::InitConnection<X> {
        functions::InitConnection {
            api_id: 1,
            device_model: "model".into(),
            system_version: "1".into(),
            app_version: "1".into(),
            system_lang_code: "en".into(),
            lang_pack: String::new(),
            lang_code: "en".into(),
            proxy: Some(enums::InputClientProxy::Proxy(types::InputClientProxy {
                address: "example.com".into(),
                port: 1,
            })),
            params: Some(enums::Jsonvalue::JsonNull),
            query,
        }
    }

    #[test]
    fn an_unwrapped_method_is_unchanged() {
        let request = functions::help::GetNearestDc {}.to_bytes();
        assert_eq!(peel(&request), Ok(Peeled { layer: None, without_updates: false, request: &request }));
    }

    #[test]
    fn wrappers_come_off_in_any_order() {
        let inner = functions::help::GetNearestDc {};
        let bytes = inner.to_bytes();
        let first = functions::InvokeWithLayer { layer: 229, query: init(inner.clone()) }.to_bytes();
        assert_eq!(peel(&first), Ok(Peeled { layer: Some(229), without_updates: false, request: &bytes }));

        let later = functions::InvokeWithoutUpdates {
            query: functions::InvokeAfterMsgs {
                msg_ids: vec![4, 8],
                query: functions::InvokeAfterMsg { msg_id: 12, query: inner },
            },
        };
        let later = functions::InvokeWithLayer { layer: 230, query: init(later) }.to_bytes();
        assert_eq!(peel(&later), Ok(Peeled { layer: Some(230), without_updates: true, request: &bytes }));
    }

    #[test]
    fn endless_wrapping_is_refused() {
        let layer =
            functions::InvokeWithLayer { layer: 1, query: functions::help::GetNearestDc {} }.to_bytes();
        let nested = layer[..8].repeat(DEEPEST + 1);
        assert_eq!(peel(&nested), Err(Malformed));
        assert_eq!(peel(&layer[..6]), Err(Malformed));
        assert_eq!(peel(&layer[..8]), Err(Malformed));
    }

    proptest! {
        #[test]
        fn a_truncated_request_does_not_panic(cut in 0..100_usize) {
            let bytes = functions::InvokeWithLayer { layer: 229, query: init(functions::help::GetNearestDc {}) }.to_bytes();
            let _ = peel(&bytes[..cut.min(bytes.len())]);
        }
    }
}
