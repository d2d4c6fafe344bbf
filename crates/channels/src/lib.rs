//! Providers of messaging beside user accounts, one folder each.

pub mod telegram_bot;
