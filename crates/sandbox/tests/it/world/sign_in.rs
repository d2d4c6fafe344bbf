//! Signing in by phone and code, out, and over to another data centre.

use grammers_tl_types::{enums, functions, types};

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
    let hash = code_hash(&client, "+79990000000");
    let answer = client.ask(&sign_in("+79990000000", &hash, "12345"));
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
