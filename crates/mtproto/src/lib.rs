//! MTProto, the protocol of Telegram: one connection for one key, and agreeing on a key.
//!
//! [`Connection`] carries requests and updates over one encrypted connection at a time; [`fresh_key`] agrees on a key
//! with a data centre.

mod data_centre;
mod exchange;
mod wire;

pub use data_centre::{Addresses, AuthKey, DataCentre};
pub use exchange::{ExchangeError, ServerKeyError, ServerKeys, fresh_key, is_good_prime};
pub use wire::{
    Application, Connection, Garbled, Loss, Proxied, RequestError, RpcError, Updates, Wire, judge_named,
};
