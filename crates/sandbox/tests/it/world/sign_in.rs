//! Signing in by phone and code, out, and over to another data centre.

use grammers_crypto::two_factor_auth::calculate_2fa;
use grammers_tl_types::{enums, functions, types};
use sandbox::telegram::Way;
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
fn a_phone_and_its_code_sign_in() {
    let world = world();
    let account = world.accounts()[0].clone();
    let client = Client::with(&world, AuthKeyId(42), 2);
    let hash = code_hash(&client, &account.phone);
    let wrong = if account.login_code == "00000" { "00001" } else { "00000" };
    assert_eq!(client.refused(&sign_in(&account.phone, &hash, wrong)), (400, "PHONE_CODE_INVALID".into()));
    assert_eq!(client.refused(&sign_in(&account.phone, &hash, "")), (400, "PHONE_CODE_EMPTY".into()));
    assert_eq!(
        client.refused(&sign_in(&account.phone, "other", &account.login_code)),
        (400, "PHONE_CODE_EXPIRED".into())
    );
    let enums::auth::Authorization::Authorization(signed) =
        client.ask(&sign_in(&account.phone, &hash, &account.login_code))
    else {
        panic!()
    };
    let enums::User::User(user) = signed.user else { panic!() };
    assert_eq!((user.id, user.is_self, user.phone.as_deref()), (account.user_id, true, Some("70000000001")));
    client.state();
    // Codes are for one use; the code itself stays.
    assert!(client.refused(&sign_in(&account.phone, &hash, &account.login_code)).1.contains("EXPIRED"));
    client.ask(&functions::auth::LogOut {});
    assert_eq!(client.refused(&functions::updates::GetState {}).0, 401);
    let hash = code_hash(&client, &account.phone);
    client.ask(&sign_in(&account.phone, &hash, &account.login_code));
}

#[test]
fn a_phone_of_nobody_has_to_sign_up_which_is_refused() {
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
fn an_account_of_another_data_centre_is_sent_there() {
    let world = world();
    let extra = world.accounts()[5].clone();
    assert_eq!((&*extra.name, extra.dc_id), ("extra_1", 4));
    let client = Client::with(&world, AuthKeyId(42), 2);
    assert_eq!(client.refused(&send_code(&extra.phone)), (303, "PHONE_MIGRATE_4".into()));
    let there = Client::with(&world, AuthKeyId(43), 4);
    let hash = code_hash(&there, &extra.phone);
    there.ask(&sign_in(&extra.phone, &hash, &extra.login_code));
    there.state();
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
fn codes_are_told_sent_by_other_ways_cancelled_and_expire() {
    let world = world();
    let account = world.accounts()[0].clone();
    let client = Client::with(&world, AuthKeyId(42), 2);
    let hash = code_hash(&client, &account.phone);
    let told = world.codes().remove(0);
    assert_eq!((&told.phone, &told.code, told.way), (&account.phone, &account.login_code, Way::App));
    assert_eq!(told.phone_code_hash, hash);
    let (phone_number, phone_code_hash) = (account.phone.clone(), hash.clone());
    let resend = functions::auth::ResendCode { phone_number, phone_code_hash, reason: None };
    for (way, next) in [(Way::Sms, Some(enums::auth::CodeType::Call)), (Way::Call, None)] {
        let enums::auth::SentCode::Code(code) = client.ask(&resend) else { panic!() };
        assert_eq!((code.next_type, world.codes()[0].way), (next, way));
    }
    assert_eq!(client.refused(&resend), (406, "SEND_CODE_UNAVAILABLE".into()));
    let (phone_number, phone_code_hash) = (account.phone.clone(), hash.clone());
    assert!(client.ask(&functions::auth::CancelCode { phone_number, phone_code_hash }));
    let late = sign_in(&account.phone, &hash, &account.login_code);
    assert_eq!(client.refused(&late), (400, "PHONE_CODE_EXPIRED".into()));
    let hash = code_hash(&client, &account.phone);
    assert_eq!(world.expire_codes().codes, 1);
    let late = sign_in(&account.phone, &hash, &account.login_code);
    assert_eq!(client.refused(&late), (400, "PHONE_CODE_EXPIRED".into()));
    // Four were asked for, and one more that was refused.
    let (code, message) = client.refused(&send_code(&account.phone));
    assert_eq!(code, 420, "{message}");
    assert!(message.starts_with("FLOOD_WAIT_"), "{message}");
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

/// Proves a password as a client does.
fn check_password(client: &Client, plain: &str) -> functions::auth::CheckPassword {
    functions::auth::CheckPassword { password: proof(client, plain) }
}

fn proof(client: &Client, plain: &str) -> enums::InputCheckPasswordSrp {
    let enums::account::Password::Password(asked) = client.ask(&functions::account::GetPassword {});
    let Some(enums::PasswordKdfAlgo::Sha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow(how)) =
        asked.current_algo
    else {
        panic!("no password")
    };
    let (a, b) = (vec![7; 256], asked.srp_b.unwrap());
    let (m1, a) = calculate_2fa(&how.salt1, &how.salt2, &how.p, &how.g, b, a, plain);
    let answer =
        types::InputCheckPasswordSrp { srp_id: asked.srp_id.unwrap(), a: a.to_vec(), m1: m1.to_vec() };
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

#[test]
fn a_password_is_asked_for_after_the_code() {
    let world = world();
    let account = world.accounts()[0].clone();
    rules(&world, "main", json!({"password": "horse", "hint": "an animal"}));
    let client = Client::with(&world, AuthKeyId(42), 2);
    assert_eq!(client.refused(&functions::account::GetPassword {}).0, 401);
    let hash = code_hash(&client, &account.phone);
    let code = sign_in(&account.phone, &hash, &account.login_code);
    for _ in 0..2 {
        assert_eq!(client.refused(&code), (401, "SESSION_PASSWORD_NEEDED".into()));
    }
    assert_eq!(client.refused(&functions::updates::GetState {}), (401, "AUTH_KEY_UNREGISTERED".into()));
    let wrong = check_password(&client, "cow");
    assert_eq!(client.refused(&wrong), (400, "PASSWORD_HASH_INVALID".into()));
    let right = check_password(&client, "horse");
    // Another question makes the one before void.
    check_password(&client, "horse");
    assert_eq!(client.refused(&right), (400, "SRP_ID_INVALID".into()));
    let right = check_password(&client, "horse");
    client.ask(&right);
    client.state();
    assert_eq!(client.refused(&right), (400, "SRP_ID_INVALID".into()));
}

fn export() -> functions::auth::ExportLoginToken {
    functions::auth::ExportLoginToken { api_id: 1, api_hash: "hash".into(), except_ids: Vec::new() }
}

fn shown(client: &Client) -> types::auth::LoginToken {
    match client.ask(&export()) {
        enums::auth::LoginToken::Token(token) => token,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_token_is_accepted_by_another_session() {
    let world = world();
    let (main, client) = (Client::of(&world, "main"), Client::with(&world, AuthKeyId(42), 2));
    let mut heard = client.listen();
    let token = shown(&client).token;
    heard.nothing();
    main.ask(&functions::auth::AcceptLoginToken { token: token.clone() });
    let enums::Updates::UpdateShort(told) = heard.any() else { panic!() };
    assert_eq!(told.update, enums::Update::LoginToken);
    let again = functions::auth::AcceptLoginToken { token };
    assert_eq!(main.refused(&again), (400, "AUTH_TOKEN_ALREADY_ACCEPTED".into()));
    let nothing = functions::auth::AcceptLoginToken { token: vec![1] };
    assert_eq!(main.refused(&nothing), (400, "AUTH_TOKEN_INVALID".into()));
    // Of no use to anybody else.
    shown(&Client::with(&world, AuthKeyId(43), 2));
    assert!(matches!(client.ask(&export()), enums::auth::LoginToken::Success(_)));
    client.state();
}

#[test]
fn a_token_is_taken_to_the_data_centre_of_its_user_who_has_a_password() {
    let world = world();
    rules(&world, "extra_1", json!({"password": "horse"}));
    let client = Client::with(&world, AuthKeyId(42), 2);
    let token = shown(&client).token;
    Client::of(&world, "extra_1").ask(&functions::auth::AcceptLoginToken { token: token.clone() });
    let enums::auth::LoginToken::MigrateTo(to) = client.ask(&export()) else { panic!() };
    assert_eq!((to.dc_id, &to.token), (4, &token));
    let there = Client::with(&world, AuthKeyId(43), 4);
    let import = functions::auth::ImportLoginToken { token };
    assert_eq!(there.refused(&import), (401, "SESSION_PASSWORD_NEEDED".into()));
    let right = check_password(&there, "horse");
    there.ask(&right);
    there.state();
}

#[test]
fn terms_are_accepted_once() {
    let world = world();
    let main = Client::of(&world, "main");
    let ask = functions::help::GetTermsOfServiceUpdate {};
    assert!(matches!(main.ask(&ask), enums::help::TermsOfServiceUpdate::Empty(_)));
    rules(&world, "main", json!({"terms": "Be kind"}));
    let enums::help::TermsOfServiceUpdate::Update(asked) = main.ask(&ask) else { panic!() };
    let enums::help::TermsOfService::Service(terms) = asked.terms_of_service;
    assert_eq!(terms.text, "Be kind");
    let other = types::DataJson { data: "{}".into() };
    assert!(!main.ask(&functions::help::AcceptTermsOfService { id: other.into() }));
    assert!(main.ask(&functions::help::AcceptTermsOfService { id: terms.id }));
    assert!(matches!(main.ask(&ask), enums::help::TermsOfServiceUpdate::Empty(_)));
}
