//! Telethon's sessions: its SQLite files and its strings. Both hold one key; addresses in them are not trusted.

use std::io;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use domain::Secret;
use domain::secret::Zeroize;
use rusqlite::{Connection, MAIN_DB, OptionalExtension, Row};

use super::{NoSession, SignedIn};

/// What every SQLite file begins with.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Where the file says how it is written and read; 1 is the rollback journal, 2 the write-ahead log.
const JOURNAL_BYTES: std::ops::Range<usize> = 18..20;

/// Length of a string with an IPv4 or an IPv6 address.
const STRING_LENGTHS: [usize; 2] = [353, 369];

/// Lengths of Pyrogram's strings.
const PYROGRAM_LENGTHS: [usize; 3] = [351, 356, 362];

const KEY_LENGTH: usize = 256;

/// Reads the content of a session file. It is a copy of its own: the file itself is neither locked nor changed.
pub(super) fn read_file(mut bytes: Vec<u8>) -> Result<SignedIn, NoSession> {
    if !bytes.starts_with(MAGIC) {
        return Err(NoSession::NotSqlite);
    }
    // A copy in memory cannot have a log beside it.
    if let Some(journal) = bytes.get_mut(JOURNAL_BYTES) {
        journal.fill(1);
    }
    let result = query(&bytes);
    bytes.zeroize();
    result
}

fn query(bytes: &[u8]) -> Result<SignedIn, NoSession> {
    let mut database = Connection::open_in_memory()?;
    database.deserialize_read_exact(MAIN_DB, io::Cursor::new(bytes), bytes.len(), true)?;
    if !has_table(&database, "sessions")? {
        return Err(NoSession::Unfamiliar);
    }
    if !has_table(&database, "entities")? {
        let pyrogram = has_table(&database, "peers")?;
        return Err(if pyrogram { NoSession::Pyrogram } else { NoSession::Unfamiliar });
    }
    let (dc_id, mut key) = database
        .query_row(
            "SELECT dc_id, auth_key FROM sessions ORDER BY length(auth_key) DESC LIMIT 1",
            [],
            read_row,
        )
        .optional()?
        .ok_or(NoSession::NotSignedIn)?;
    // The library keeps its own user id in the row with id 0; it may be missing.
    let user_id = database
        .query_row("SELECT hash FROM entities WHERE id = 0", [], |row| row.get::<_, i64>("hash"))
        .optional()
        .ok()
        .flatten()
        .filter(|id| *id > 0);
    let signed_in = signed_in(dc_id, &key, user_id);
    key.zeroize();
    signed_in
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<(i32, Vec<u8>)> {
    Ok((row.get("dc_id")?, row.get::<_, Option<Vec<u8>>>("auth_key")?.unwrap_or_default()))
}

fn has_table(database: &Connection, name: &str) -> rusqlite::Result<bool> {
    database
        .query_row("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1", [name], |_| Ok(()))
        .optional()
        .map(|found| found.is_some())
}

/// Reads a session string.
pub(super) fn read_string(text: &str) -> Result<SignedIn, NoSession> {
    let text = text.trim();
    if PYROGRAM_LENGTHS.contains(&text.len()) {
        return Err(NoSession::Pyrogram);
    }
    let packed = text.strip_prefix('1').filter(|_| STRING_LENGTHS.contains(&text.len()));
    let packed = packed.ok_or(NoSession::BadString)?;
    let mut raw = URL_SAFE.decode(packed).map_err(|_| NoSession::BadString)?;
    let key_at = raw.len().checked_sub(KEY_LENGTH).ok_or(NoSession::BadString)?;
    let dc_id = raw.first().copied().map(i32::from).ok_or(NoSession::BadString)?;
    let signed_in = signed_in(dc_id, raw.get(key_at..).unwrap_or_default(), None);
    raw.zeroize();
    signed_in
}

fn signed_in(dc_id: i32, key: &[u8], user_id: Option<i64>) -> Result<SignedIn, NoSession> {
    if key.iter().all(|byte| *byte == 0) {
        return Err(NoSession::NotSignedIn);
    }
    let mut exact = Box::new([0; KEY_LENGTH]);
    if key.len() != KEY_LENGTH {
        return Err(NoSession::KeyLength(key.len()));
    }
    exact.copy_from_slice(key);
    if dc_id <= 0 {
        return Err(NoSession::NoCentre);
    }
    Ok(SignedIn { dc_id, key: Secret::new(exact), user_id })
}

#[cfg(test)]
mod tests {
    use domain::secret::ExposeSecret;
    use proptest::prelude::*;

    use super::*;

    fn dummy_key() -> Vec<u8> {
        (0..=255).collect()
    }

    /// A file as Telethon writes it.
    fn file(version: u8, key: &[u8], own_id: Option<i64>) -> Vec<u8> {
        let last = if version >= 8 { ", tmp_auth_key blob" } else { "" };
        let mut database = Connection::open_in_memory().expect("memory");
        database
            .execute_batch(&format!(
                "CREATE TABLE version (version integer primary key);
                 INSERT INTO version VALUES ({version});
                 CREATE TABLE sessions (dc_id integer primary key, server_address text, port integer,
                                        auth_key blob, takeout_id integer{last});
                 CREATE TABLE entities (id integer primary key, hash integer not null, username text,
                                        phone integer, name text, date integer);
                 CREATE TABLE sent_files (md5_digest blob, file_size integer, type integer, id integer,
                                          hash integer, primary key (md5_digest, file_size, type));
                 CREATE TABLE update_state (id integer primary key, pts integer, qts integer, date integer,
                                            seq integer);"
            ))
            .expect("schema");
        database
            .execute(
                "INSERT INTO sessions (dc_id, server_address, port, auth_key) VALUES (4, '203.0.113.9', 443, ?1)",
                [key],
            )
            .expect("a session");
        if let Some(id) = own_id {
            database.execute("INSERT INTO entities (id, hash) VALUES (0, ?1)", [id]).expect("an entity");
        }
        database.serialize(MAIN_DB).expect("bytes").to_vec()
    }

    #[test]
    fn files_of_both_versions_are_read_by_column_name() {
        for version in [7, 8] {
            let session = read_file(file(version, &dummy_key(), Some(777))).expect("a session");
            assert_eq!((session.dc_id, session.user_id), (4, Some(777)));
            assert_eq!(session.key.expose_secret().as_slice(), dummy_key());
        }
        assert_eq!(read_file(file(7, &dummy_key(), None)).expect("a session").user_id, None);
    }

    #[test]
    fn a_file_in_log_mode_is_read_as_well() {
        let mut bytes = file(8, &dummy_key(), None);
        bytes[18..20].fill(2);
        assert!(read_file(bytes).is_ok());
    }

    #[test]
    fn what_is_no_session_says_why() {
        let refusal = |bytes| read_file(bytes).err().expect("a refusal");
        assert!(matches!(refusal(b"hello".to_vec()), NoSession::NotSqlite));
        assert!(matches!(refusal(file(8, &[], None)), NoSession::NotSignedIn));
        assert!(matches!(refusal(file(8, &[0; 256], None)), NoSession::NotSignedIn));
        assert!(matches!(refusal(file(8, &[1; 255], None)), NoSession::KeyLength(255)));
        assert!(matches!(refusal(MAGIC.to_vec()), NoSession::Unreadable(_)));
        let mut other = Connection::open_in_memory().expect("memory");
        other.execute_batch("CREATE TABLE x (y integer)").expect("schema");
        assert!(matches!(refusal(other.serialize(MAIN_DB).expect("bytes").to_vec()), NoSession::Unfamiliar));
        other
            .execute_batch("CREATE TABLE sessions (dc_id integer); CREATE TABLE peers (id integer)")
            .expect("schema");
        assert!(matches!(refusal(other.serialize(MAIN_DB).expect("bytes").to_vec()), NoSession::Pyrogram));
    }

    fn string(address: &[u8], key: &[u8]) -> String {
        let mut raw = vec![2];
        raw.extend_from_slice(address);
        raw.extend_from_slice(&443_u16.to_be_bytes());
        raw.extend_from_slice(key);
        format!("1{}", URL_SAFE.encode(raw))
    }

    #[test]
    fn strings_with_either_address_are_read() {
        let ipv4 = string(&[149, 154, 167, 51], &dummy_key());
        assert!(ipv4.starts_with("1ApWapzMBuwABAgME") && ipv4.len() == 353);
        let ipv6 = string(&[0x20; 16], &dummy_key());
        assert_eq!(ipv6.len(), 369);
        for text in [ipv4.clone(), format!("  {ipv4}\n"), ipv6] {
            let session = read_string(&text).expect("a session");
            assert_eq!((session.dc_id, session.key.expose_secret().as_slice()), (2, dummy_key().as_slice()));
        }
    }

    #[test]
    fn what_is_no_string_says_why() {
        let refusal = |text: &str| read_string(text).err().expect("a refusal");
        let good = string(&[1, 2, 3, 4], &dummy_key());
        assert!(matches!(refusal(""), NoSession::BadString));
        assert!(matches!(refusal(&good.replacen('1', "2", 1)), NoSession::BadString));
        assert!(matches!(refusal(&good[..good.len() - 4]), NoSession::BadString));
        assert!(matches!(refusal(&"A".repeat(362)), NoSession::Pyrogram));
        assert!(matches!(refusal(&string(&[1, 2, 3, 4], &[0; 256])), NoSession::NotSignedIn));
    }

    proptest! {
        #[test]
        fn any_text_is_a_session_or_a_clear_refusal(text: String) {
            prop_assert!(read_string(&text).is_err());
        }

        #[test]
        fn any_bytes_are_a_session_or_a_clear_refusal(mut bytes: Vec<u8>) {
            let _ = read_file(bytes.clone());
            bytes.splice(0..0, MAGIC.iter().copied());
            prop_assert!(read_file(bytes).is_err());
        }
    }
}
