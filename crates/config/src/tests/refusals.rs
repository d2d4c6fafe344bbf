//! The words in which wrong settings are refused.

use std::path::Path;

use proptest::prelude::*;

use super::{World, variables};
use crate::{Settings, SettingsError};

fn refused(text: &str, env: &[(&str, &str)]) -> String {
    World::new(text).load(env).unwrap_err()
}

#[test]
fn unknown_keys_are_refused_at_once_with_the_nearest_one() {
    assert_eq!(
        refused(
            "lisen = 'x'\nprobe_every = '1s'\n[telegram]\nprob_every = '20s'\nzebra = 1\n[[legacy.ports]]\nport = 1\nservise = 'x'\nservice = 'send_text'",
            &[]
        ),
        "5 problems in the settings:\n  \
         /switchboard.toml:1:1: `lisen` is not a known key; did you mean `listen`?\n  \
         /switchboard.toml:2:1: `probe_every` is not a known key; did you mean `telegram.probe_every`?\n  \
         /switchboard.toml:4:1: `telegram.prob_every` is not a known key; did you mean `telegram.probe_every`?\n  \
         /switchboard.toml:5:1: `telegram.zebra` is not a known key; known here are probe_every, \
         refresh_dialogs_every, observer, private_dialogs, allow_private_proxies, data_centres, server_keys, accounts\n  \
         /switchboard.toml:8:1: `legacy.ports[0].servise` is not a known key; did you mean \
         `legacy.ports[].service`?"
    );
}

#[test]
fn wrong_types_and_values_are_refused() {
    for (text, expected) in [
        (
            "listen = 5099",
            ":1:10: `listen` must be an address and a port, such as \"127.0.0.1:5099\"; found 5099",
        ),
        (
            "listen = 'localhost'",
            ":1:10: `listen` must be an address and a port, such as \"127.0.0.1:5099\"; found \"localhost\"",
        ),
        (
            "telegram.probe_every = '20'",
            ":1:24: `telegram.probe_every` must be a length of time from 1s to 10m, such as \"20s\"; found \"20\"",
        ),
        (
            "telegram.probe_every = '11m'",
            ":1:24: `telegram.probe_every` must be a length of time from 1s to 10m, such as \"20s\"; found \"11m\"",
        ),
        (
            "limits.body = '1GB'",
            ":1:15: `limits.body` must be a size from 1KiB to 64MiB, such as \"1MiB\"; found \"1GB\"",
        ),
        (
            "media.max_size = '2001MiB'",
            ":1:18: `media.max_size` must be a size from 1KB to 2000MiB, such as \"2GB\"; found \"2001MiB\"",
        ),
        (
            "media.max_size = '4GB'",
            ":1:18: `media.max_size` must be a size from 1KB to 2000MiB, such as \"2GB\"; found \"4GB\"",
        ),
        (
            "trusted_proxies = ['10.0.0.0/8',\n '10.0.0.1']",
            ":2:2: `trusted_proxies[1]` must be a network such as \"10.0.0.0/8\"; found \"10.0.0.1\"",
        ),
        (
            "trusted_proxies = '10.0.0.0/8'",
            ":1:19: `trusted_proxies` must be a list such as [\"172.17.0.0/16\"]; found a text",
        ),
        (
            "log.level = 'loud'",
            ":1:13: `log.level` must be one of error, warn, info, debug, trace; found \"loud\"",
        ),
        (
            "legacy.ports = [{ port = 5022, service = 'send' }]",
            ":1:42: `legacy.ports[0].service` must be one of create_chat, send_text, send_media, leave_chat; \
             found \"send\"",
        ),
        (
            "legacy.ports = [{ port = 70000, service = 'send_text' }]",
            ":1:26: `legacy.ports[0].port` must be a whole number from 0 to 65535, such as 5022; found 70000",
        ),
        ("telegram = 1", ":1:1: `telegram` must be a section, written [telegram]; found a number"),
        (
            "legacy.ports = { port = 1 }",
            ":1:8: `legacy.ports` must be a list of sections, written [[legacy.ports]]; found a section",
        ),
        (
            "legacy.ports = [5022]",
            ":1:17: `legacy.ports[0]` must be a section of keys in braces; found a number",
        ),
        ("listen = ", ":1:10: this is not TOML: string values must be quoted, expected literal string"),
        ("listen = 'a'\nlisten = 'b'", ":2:1: this is not TOML: duplicate key"),
    ] {
        assert_eq!(refused(text, &[]), format!("/switchboard.toml{expected}"), "{text}");
    }
}

#[test]
fn missing_keys_name_themselves() {
    assert_eq!(
        refused(
            "[[telegram.accounts]]\nname = 'main'\napi_hash = 'x'\n\n[legacy.invite_callback]\nurl = 'https://example.com'",
            &[]
        ),
        "2 problems in the settings:\n  \
         /switchboard.toml:1:1: `telegram.accounts[0].api_id` is missing: The application's number, from \
         my.telegram.org. Such as api_id = 1000001\n  \
         /switchboard.toml:5:9: `legacy.invite_callback.group_id` is missing: The group that the receiver of the \
         callback expects. Such as group_id = \"demo\""
    );
}

fn account(rest: &str) -> String {
    format!("[[telegram.accounts]]\nname = 'main'\napi_id = 1\n{rest}\n")
}

#[test]
fn secrets_name_their_key_and_where_they_were_looked_for() {
    for (hash, expected) in [
        (
            "{ env = 'MAIN_API_HASH' }",
            "refers to the environment variable MAIN_API_HASH, which is not set; set it or give the secret otherwise",
        ),
        ("{ env = 'EMPTY' }", "refers to the environment variable EMPTY, which is empty"),
        (
            "{ file = 'none.txt' }",
            "refers to the file /none.txt, which cannot be read: No such file or directory (os error 2); check its \
             path and its rights",
        ),
        (
            "{ fil = 'x' }",
            "must be a text, { file = \"…\" } or { env = \"…\" }; found a section with other keys",
        ),
        ("123456", "must be a text, { file = \"…\" } or { env = \"…\" }; found a number"),
        (
            "'two words'",
            "must be one word, such as { env = \"MAIN_API_HASH\" }; found a text of another form",
        ),
    ] {
        assert_eq!(
            refused(&account(&format!("api_hash = {hash}")), &[("EMPTY", " ")]),
            format!("/switchboard.toml:4:12: `telegram.accounts[0].api_hash` {expected}"),
        );
    }
}

#[test]
fn the_environment_is_named() {
    for (name, value, expected) in [
        (
            "SWITCHBOARD_LISTEN",
            "5099",
            "environment variable SWITCHBOARD_LISTEN: `listen` must be an address and a port, such as \
             \"127.0.0.1:5099\"; found \"5099\"",
        ),
        (
            "SWITCHBOARD_TELEGRAM__PROB_EVERY",
            "20s",
            "environment variable SWITCHBOARD_TELEGRAM__PROB_EVERY: is not a known setting; did you mean \
             SWITCHBOARD_TELEGRAM__PROBE_EVERY?",
        ),
        (
            "SWITCHBOARD_PROBE_EVERY",
            "20s",
            "environment variable SWITCHBOARD_PROBE_EVERY: is not a known setting; did you mean \
             SWITCHBOARD_TELEGRAM__PROBE_EVERY?",
        ),
        (
            "SWITCHBOARD_DATADIR",
            "/x",
            "environment variable SWITCHBOARD_DATADIR: is not a known setting; did you mean SWITCHBOARD_DATA_DIR?",
        ),
        (
            "SWITCHBOARD_ZEBRA",
            "x",
            "environment variable SWITCHBOARD_ZEBRA: is not a known setting; the nearest is SWITCHBOARD_LISTEN, and \
             `switchboard settings` shows all",
        ),
        (
            "SWITCHBOARD_TRUSTED_PROXIES",
            "10.0.0.0/8",
            "environment variable SWITCHBOARD_TRUSTED_PROXIES: `trusted_proxies` is or is in a list; lists are set \
             in the settings file",
        ),
        (
            "SWITCHBOARD_LEGACY__INVITE_CALLBACK__URL",
            "https://example.com",
            "environment variable SWITCHBOARD_LEGACY__INVITE_CALLBACK__URL: `legacy.invite_callback.group_id` is \
             missing: The group that the receiver of the callback expects. Such as group_id = \"demo\"",
        ),
    ] {
        assert_eq!(refused("", &[(name, value)]), expected);
    }
    let message = refused("", &[("SWITCHBOARD_STORE__URL", "mysql://demo:word@127.0.0.1")]);
    assert!(
        message.contains("`store.url` must be sqlite:FILE or postgres://") && !message.contains("word"),
        "{message}"
    );
}

#[test]
fn conflicting_settings_are_refused() {
    let sessions = |list: &str| account(&format!("api_hash = 'x'\nsessions = [{list}]"));
    let two = format!("{}{}", account("api_hash = 'x'"), account("api_hash = 'y'"));
    for (text, expected) in [
        (
            two,
            "6:8: `telegram.accounts[1].name` is \"main\", as is that of `telegram.accounts[0]`; names must differ",
        ),
        (
            sessions("{ for = ['send_text'] }"),
            "5:13: `telegram.accounts[0].sessions[0]` has neither file nor string; give one",
        ),
        (
            sessions("{ file = 'a', string = 'b' }"),
            "5:13: `telegram.accounts[0].sessions[0]` has both file and string; keep one",
        ),
        (
            sessions("{ file = 'a', for = ['send_text'] }, { file = 'b', for = ['send_text'] }"),
            "5:70: `telegram.accounts[0].sessions[1].for` names send_text, as does \
             `telegram.accounts[0].sessions[0]`; keep one",
        ),
        (
            sessions("{ file = 'a', for = ['send_text', 'send_text'] }"),
            "5:33: `telegram.accounts[0].sessions[0].for` names send_text twice",
        ),
        (
            sessions("{ file = 'a' }, { file = 'b' }"),
            "5:29: `telegram.accounts[0].sessions[1]` has no `for`, as has `telegram.accounts[0].sessions[0]`; name \
             what each is for",
        ),
        (
            sessions(
                "{ file = 'a' }, { file = 'b', for = ['create_chat', 'send_text', 'send_media', 'leave_chat'] }",
            ),
            "5:13: `telegram.accounts[0].sessions[0]` has no `for`, and the other sessions leave nothing to it; take \
             it out or give it some",
        ),
        (
            sessions("{ file = 'a', for = ['send_text'] }, { file = 'a', for = ['send_media'] }"),
            "5:59: `telegram.accounts[0].sessions[1].file` is the file of `telegram.accounts[0].sessions[0]` too; \
             Telegram ends a session that is used twice, so name all its purposes in one `for`",
        ),
        (
            "telegram.data_centres = [{ id = 2, address = '127.0.0.1:1' }, { id = 2, address = '127.0.0.1:2' }]"
                .to_owned(),
            "1:70: `telegram.data_centres[1].id` is 2, as is that of `telegram.data_centres[0]`; keep one",
        ),
        (
            "legacy.ports = [{ port = 1, service = 'send_text' }, { port = 1, service = 'send_media' }]".to_owned(),
            "1:63: `legacy.ports[1].port` is 1, as is that of `legacy.ports[0]`; take another",
        ),
        (
            "legacy.ports = [{ port = 5099, service = 'send_text' }]".to_owned(),
            "1:26: `legacy.ports[0].port` is 5099, as is that of `listen`; take another",
        ),
        (
            "legacy.ports = [{ port = 1, service = 'send_text', listen = '0.0.0.0' }]".to_owned(),
            "1:61: `legacy.ports[0].listen` is 0.0.0.0, beyond loopback, so anybody could send; add allow_from = \
             [\"10.0.0.0/8\"] with your callers' networks, or key_required = true",
        ),
        (
            "legacy.channel_ports = [{ port = 5099, channel = 'form', listen = '127.0.0.1' }]".to_owned(),
            "1:34: `legacy.channel_ports[0].port` is 5099, as is that of `listen`; take another",
        ),
        (
            "legacy.channel_ports = [{ port = 1, channel = 'form', listen = '0.0.0.0' }]".to_owned(),
            "1:64: `legacy.channel_ports[0].listen` is 0.0.0.0, beyond loopback, so anybody could send; add allow_from = \
             [\"10.0.0.0/8\"] with your callers' networks, or key",
        ),
        (
            "legacy.channel_ports = [{ port = 1, channel = 'form', account = 'x' }]".to_owned(),
            "1:65: `legacy.channel_ports[0].account` is \"x\", and no account of [[channels]] that is form has this name",
        ),
        (
            "legacy.channel_ports = [{ port = 1, channel = 'form' }]\n[[channels]]\nname = 'a'\nchannel = 'form'\n\
             [[channels]]\nname = 'b'\nchannel = 'form'"
                .to_owned(),
            "1:25: `legacy.channel_ports[0]` has no `account`, and there are several of form; name one",
        ),
        (
            "[[doctor.webhooks]]\nname = 'w'\nprovider = 'telegram_bot'\ntoken = '1:a'\nexpect = 'https://example.com/x'\n\
             [[channels]]\nname = 'a'\nchannel = 'telegram'\ntoken = '1:a'"
                .to_owned(),
            "1:1: `doctor.webhooks[0]` asks after the account a of `channels[0]`, which the doctor looks after by itself; take this \
             section out",
        ),
        (
            "[[channels]]\nname = 'a'\nchannel = 'telegram'\ntoken = '1:a'\nexpect = 'https://example.com/x'".to_owned(),
            "5:10: `channels[0].expect` is for an account that is posted to elsewhere; give it receive = \"off\", or take this out",
        ),
        (
            "[[channels]]\nname = 'a'\nchannel = 'form'\nreceive = 'off'\nexpect = 'https://example.com/x'".to_owned(),
            "5:10: `channels[0].expect` is for telegram, avito, max, vk and whatsapp, which can be asked; this one is form, take it out",
        ),
        (
            "[[channels]]\nname = 'a'\nchannel = 'form'\nold_hook = true".to_owned(),
            "4:12: `channels[0].old_hook` is true, and nothing listens where the provider posts to; add to legacy.channel_ports the \
             port of that address, such as { port = 8765, channel = \"form\", account = \"a\" }, or take old_hook out",
        ),
        (
            "[[channels]]\nname = 'a'\nchannel = 'telegram'\ntoken = '1:a'\nold_hook = true".to_owned(),
            "5:12: `channels[0].old_hook` is true, and there was no old server of telegram; take it out",
        ),
        (
            "[pipeline]\nresponder = 'ai'".to_owned(),
            "2:13: `pipeline.responder` is \"ai\", and nothing says where that is; add [pipeline.ai] with url and model",
        ),
        (
            "[pipeline.stages]\nsend = 'external'".to_owned(),
            "2:8: `pipeline.stages.send` is \"external\", and nothing says where the queues are; add [queue] with redis",
        ),
        (
            "[[pipeline.rules]]\nchannel = 'vk'\nresponder = 'webhook'".to_owned(),
            "3:13: `pipeline.rules[0].responder` is \"webhook\", and nothing says where that is; add [pipeline.webhook] with url",
        ),
        (
            "[pipeline]\nresponder = 'redis'".to_owned(),
            "2:13: `pipeline.responder` is \"redis\", and nothing says where that is; add [queue] with redis",
        ),
    ] {
        assert_eq!(refused(&text, &[]), format!("/switchboard.toml:{expected}"), "{text}");
    }
}

#[test]
fn compatible_settings_are_accepted() {
    for text in [
        "legacy.ports = [{ port = 1, service = 'send_text', listen = '0.0.0.0', key_required = true }]",
        "legacy.ports = [{ port = 1, service = 'send_text', listen = '0.0.0.0', allow_from = ['10.0.0.0/8'] }]",
        "legacy.ports = [{ port = 0, service = 'send_text' }, { port = 0, service = 'send_text' }]",
        "legacy.ports = [{ port = 5099, service = 'send_text', listen = '127.0.0.2' }]",
        "legacy.channel_ports = [{ port = 8770, channel = 'form', listen = '0.0.0.0', key = 'any shape' }]",
    ] {
        assert!(World::new(text).load(&[]).is_ok(), "{text}");
    }
}

#[test]
fn a_missing_file_is_refused() {
    let error = Settings::load(Some(Path::new("/nowhere/switchboard.toml")), []).unwrap_err();
    assert!(matches!(error, SettingsError::Unreadable { .. }));
    assert_eq!(
        error.to_string(),
        "cannot read the settings file /nowhere/switchboard.toml: No such file or directory (os error 2); check its \
         path and its rights"
    );
}

proptest! {
    #[test]
    fn no_file_and_no_environment_makes_a_panic(text in "[a-z\\[\\]{}=.,'\"0-9\n #]{0,60}|\\PC{0,40}", value in "\\PC{0,12}") {
        let _ = World::new(&text).load(&[("SWITCHBOARD_LISTEN", &value)]);
        let _ = Settings::load(None, variables(&[("SWITCHBOARD_TELEGRAM__PROBE_EVERY", &value)]));
    }
}

#[test]
fn a_control_bot_is_a_bot_or_an_account() {
    let bot = |more: &str| format!("[[control_bots]]\nname = 'owner'\npeople = [1]\n{more}\n");
    for (text, expected) in [
        (bot(""), ":2:8: `control_bots[0].name` has neither a token nor an account"),
        (bot("token = '1:a'\naccount = 'main'"), ":5:11: `control_bots[0].account` stands beside `token`"),
        (
            bot("account = 'main'\nwebhook = 'https://example.com'"),
            ":5:11: `control_bots[0].webhook` stands beside `account`",
        ),
        (
            bot("account = 'main'") + &bot("account = 'main'").replace("owner", "other"),
            ":8:11: `control_bots[1].account` is that of `control_bots[0]` too",
        ),
    ] {
        let refused = refused(&text, &[]);
        assert!(refused.contains(expected), "{refused}");
    }
}
