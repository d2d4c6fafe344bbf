//! Signing in by phone and code, out, and over to another data centre.

use grammers_crypto::two_factor_auth::calculate_2fa;
use grammers_tl_types::{enums, functions, types};
use serde_json::json;

use super::*;

fn send_code(phone: &str) -> functions::auth::SendCode {
    functions::auth::SendCode {
        phone_number: phone.into(),
        api_id: 1,
        api_hash: "hash".into(),
        settings: types::CodeSettings {
            allow_flashcall: false,
            current_number: false,
            allow_app_hash: false,
            allow_missed_call: false,
            allow_firebase: false,
            unknown_number: false,
            logout_tokens: None,
            token: None,
            app_sandbox: None,
        }
        .into(),
    }
}

fn sign_in(phone: &str, hash: &str, code: &str) -> functions::auth::SignIn {
    functions::auth::SignIn {
        phone_number: phone.into(),
        phone_code_hash: hash.into(),
        phone_code: Some(code.into()),
        email_verification: None,
    }
}

fn code_hash(client: &Client, phone: &str) -> String {
    match client.ask(&send_code(phone)) {
        enums::auth::SentCode::Code(code) => code.phone_code_hash,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_phone_of_no_one_has_to_sign_up_which_is_refused() {
    let world = world();
    let client = Client::with(&world, AuthKeyId(42), 2);
    let hash = code_hash(&client, "+70000090000");
    let code = world.codes().remove(0).code;
    let wrong = if code == "00000" { "00001" } else { "00000" };
    assert_eq!(client.refused(&sign_in("+70000090000", &hash, wrong)), (400, "PHONE_CODE_INVALID".into()));
    let answer = client.ask(&sign_in("+70000090000", &hash, &code));
    assert!(matches!(answer, enums::auth::Authorization::SignUpRequired(_)));
    assert_eq!(client.refused(&send_code("12")), (406, "PHONE_NUMBER_INVALID".into()));
    let nothing = functions::auth::SendCode { api_id: 0, ..send_code("+70000000001") };
    assert_eq!(client.refused(&nothing), (400, "API_ID_INVALID".into()));
}

#[test]
fn an_authorization_can_be_taken_along_for_files_only() {
    let world = world();
    let main = Client::of(&world, "main");
    let there = Client::with(&world, AuthKeyId(77), 4);
    assert_eq!(
        main.refused(&functions::auth::ExportAuthorization { dc_id: 2 }),
        (400, "DC_ID_INVALID".into())
    );
    let enums::auth::ExportedAuthorization::Authorization(exported) =
        main.ask(&functions::auth::ExportAuthorization { dc_id: 4 });
    let import = functions::auth::ImportAuthorization { id: exported.id, bytes: exported.bytes };
    assert_eq!(Client::with(&world, AuthKeyId(78), 2).refused(&import), (400, "AUTH_BYTES_INVALID".into()));
    there.ask(&import);
    assert_eq!(there.refused(&import), (400, "AUTH_BYTES_INVALID".into()));
    there.ask(&functions::users::GetUsers { id: vec![enums::InputUser::UserSelf] });
    assert_eq!(there.refused(&functions::updates::GetState {}), (303, "USER_MIGRATE_2".into()));
}

fn rules(world: &Telegram, name: &str, rules: serde_json::Value) {
    world.set_sign_in(name, &serde_json::from_value(rules).unwrap()).unwrap();
}

#[test]
fn a_banned_phone_gets_no_code() {
    let world = world();
    let client = Client::with(&world, AuthKeyId(42), 2);
    rules(&world, "fifth", json!({"banned": true}));
    let phone = world.accounts()[4].phone.clone();
    assert_eq!(client.refused(&send_code(&phone)), (400, "PHONE_NUMBER_BANNED".into()));
    rules(&world, "fifth", json!({}));
    code_hash(&client, &phone);
}

fn proof(client: &Client, plain: &str) -> enums::InputCheckPasswordSrp {
    let enums::account::Password::Password(challenge) = client.ask(&functions::account::GetPassword {});
    let Some(enums::PasswordKdfAlgo::Sha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow(how)) =
        challenge.current_algo
    else {
        panic!("no password")
    };
    let (a, b) = (vec![7; 256], challenge.srp_b.unwrap());
    let (m1, a) = calculate_2fa(&how.salt1, &how.salt2, &how.p, &how.g, b, a, plain);
    let answer =
        types::InputCheckPasswordSrp { srp_id: challenge.srp_id.unwrap(), a: a.to_vec(), m1: m1.to_vec() };
    answer.into()
}

#[test]
fn a_chat_is_handed_over_by_its_owner_with_the_password() {
    let world = world();
    let main = Client::of(&world, "main");
    let channel = chats::supergroup(&main, "Repair 1");
    let (heir, other) = (main.user("client_1"), main.user("client_2"));
    let users = vec![heir.clone()];
    main.ask(&functions::channels::InviteToChannel { channel: channel.clone(), users });
    let hand_over = |user_id: &enums::InputUser, password| functions::messages::EditChatCreator {
        peer: chats::peer(&channel),
        user_id: user_id.clone(),
        password,
    };
    let empty = enums::InputCheckPasswordSrp::InputCheckPasswordEmpty;
    assert_eq!(main.refused(&hand_over(&heir, empty)), (400, "PASSWORD_MISSING".into()));
    rules(&world, "main", json!({"password": "horse"}));
    let wrong = hand_over(&heir, proof(&main, "cow"));
    assert_eq!(main.refused(&wrong), (400, "PASSWORD_HASH_INVALID".into()));
    assert_eq!(main.refused(&wrong), (400, "SRP_ID_INVALID".into()), "good for one answer");
    let absent = hand_over(&other, proof(&main, "horse"));
    assert_eq!(main.refused(&absent), (400, "USER_NOT_PARTICIPANT".into()));
    main.ask(&hand_over(&heir, proof(&main, "horse")));
    let again = hand_over(&heir, proof(&main, "horse"));
    assert_eq!(main.refused(&again), (400, "CHAT_ADMIN_REQUIRED".into()), "it is another's");
}
