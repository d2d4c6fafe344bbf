//! Old scripts that press buttons: their `.env` files become settings, and the database of their panel is archived.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use testkit::World;

use crate::binary;
use crate::secrets::Secrets;
use crate::shell::cli::cli;

const HASH: &str = "5099aa17c0ffee005099aa17c0ffee00";

/// The old folder: two copies of the script, their control bot, its database. Its secrets.
fn old(world: &World) -> (PathBuf, Secrets) {
    let folder = world.data_dir("trip");
    fs::create_dir(&folder).expect("a folder");
    let (token, string) = (format!("5099000001:{}", "AAb_-".repeat(7)), format!("1{}", "Ab9-".repeat(88)));
    let script = format!(
        "TG_API_ID=5099\nTG_API_HASH={HASH}\nPHONE=+70000000077\nSESSION=main\nBOT=@demo_trips_bot\n\
         TRIGGER_PATTERN='New trip .* (?P<from>\\w+)'\nBUTTON_1=Book\nBUTTON_2='Confirm|Yes'\n2FA_PASSWORD=planted-password\nDEBUG=planted-word\n"
    );
    let second = format!(
        "API_ID=5099\nAPI_HASH={HASH}\nSTRING_SESSION={string}\nTARGET_BOT=demo_rides_bot\nBUTTONS=Ride,Yes\n"
    );
    let control =
        format!("CONTROL={token}\nADMIN_IDS=5000000001,5000000002\nDATABASE_URL=sqlite:///panel.db\n");
    for (name, text) in [(".env", script), (".env.second", second), ("control.env", control)] {
        fs::write(folder.join(name), text).expect("written");
    }
    let database = rusqlite::Connection::open(folder.join("panel.db")).expect("a database");
    let tables = "CREATE TABLE bookings (id INTEGER, said TEXT); CREATE TABLE runs (id INTEGER);
                  INSERT INTO bookings VALUES (1, 'one'), (2, 'two'), (3, 'three');";
    database.execute_batch(tables).expect("tables");
    let mut secrets = Secrets::default();
    for secret in [HASH, "planted-password", token.as_str(), string.as_str()] {
        secrets.plant("word", secret);
    }
    (folder, secrets)
}

#[tokio::test(flavor = "multi_thread")]
async fn old_env_files_become_flows_and_their_database_is_archived() {
    let world = World::start(binary()).await;
    let (folder, secrets) = old(&world);
    let file = |name: &str| folder.join(name).display().to_string();
    let files = [file(".env"), file(".env.second"), file("control.env")];
    let arguments = |more: &[&str]| {
        let mut arguments = vec!["import".to_owned(), "flows".to_owned(), "--env".to_owned()];
        arguments.extend(files.iter().cloned().chain(more.iter().map(|one| (*one).to_owned())));
        arguments
    };
    let run = |more: &[&str]| {
        let arguments = arguments(more);
        let ran = cli(&world, &arguments.iter().map(String::as_str).collect::<Vec<_>>()).run();
        assert_eq!(ran.code, Some(0), "{}", ran.all());
        ran.all()
    };
    let output = run(&[]);
    secrets.not_in("what is printed", output.as_bytes());
    for part in [
        "[[flows]]",
        "name = \"trip\"",
        "watch = \"@demo_trips_bot\"",
        "regex = 'New trip .* (?P<from>\\w+)'",
        "contains = \"Book\"",
        "api_hash = { env = \"TG_API_HASH\" }",
        "string = { env = \"STRING_SESSION\" }",
        "[[control_bots]]",
        "token = { env = \"CONTROL\" }",
        "people = [5000000001, 5000000002]",
        "not recognised",
        "DEBUG",
        "2FA_PASSWORD",
        "two step password",
        "MISSING: the session file",
        "bookings",
    ] {
        assert!(output.contains(part), "{part} in {output}");
    }

    let json: Value = serde_json::from_str(&run(&["--json"])).expect("JSON");
    secrets.not_in("JSON", json.to_string().as_bytes());
    let names: Vec<_> = json["flows"].as_array().expect("flows").iter().map(|flow| &flow["name"]).collect();
    assert_eq!(names, ["trip", "second"]);
    let database = &json["databases"][0];
    assert_eq!(database["tables"][0], serde_json::json!({ "name": "bookings", "rows": 3 }), "{json:#}");
    let archive = database["archive"].as_str().expect("a file");
    let archived = rusqlite::Connection::open(archive).expect("opens");
    let count: i64 =
        archived.query_row("SELECT count(*) FROM bookings", [], |row| row.get(0)).expect("counts");
    assert_eq!(count, 3);
    assert!(folder.join("panel.db").exists(), "the old one stays");

    let written = world.data_dir("flows.toml");
    run(&["--write", &written.display().to_string()]);
    let text = fs::read_to_string(&written).expect("written");
    assert_eq!(text, json["flows_file"].as_str().expect("text"));
    let check = || cli(&world, &["flow", "check", &written.display().to_string()]).run();
    let checked = check();
    assert!(
        checked.code == Some(1)
            && checked.err.contains("is \"second\", and there is no account of this name"),
        "the accounts are not in the settings yet: {checked:?}"
    );
    let again = arguments(&["--write", &written.display().to_string()]);
    let again = cli(&world, &again.iter().map(String::as_str).collect::<Vec<_>>()).run();
    assert_eq!(again.code, Some(1), "{}", again.all());
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_go_to_files_and_the_settings_are_taken() {
    let world = World::start(binary()).await;
    let (folder, secrets) = old(&world);
    let (kept, flows) = (world.data_dir("kept"), world.data_dir("written.toml"));
    let files = [".env", ".env.second", "control.env"].map(|name| folder.join(name).display().to_string());
    let mut arguments = vec!["import", "flows", "--env"];
    arguments.extend(files.iter().map(String::as_str));
    let (kept_at, flows_at) = (kept.display().to_string(), flows.display().to_string());
    arguments.extend(["--secrets", &kept_at, "--write", &flows_at, "--json"]);
    let ran = cli(&world, &arguments).run();
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    let json: Value = serde_json::from_str(&ran.all()).expect("JSON");
    secrets.not_in("what is printed", json.to_string().as_bytes());
    let token = fs::read_to_string(kept.join("trip-control-env-control")).expect("a file");
    assert!(token.starts_with("5099000001:"), "the token");
    let mode = |path: &std::path::Path| {
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).expect("there").permissions()) & 0o777
    };
    assert_eq!((mode(&kept), mode(&kept.join("trip-control-env-control"))), (0o700, 0o600));
    // As settings, they are read with all that they name.
    let (settings, flows) =
        (json["settings"].as_str().expect("text"), fs::read_to_string(&flows).expect("text"));
    fs::write(folder.join("main.session"), "").expect("written");
    world.edit_settings(|text| format!("{text}\n{settings}\n{flows}"));
    let read = cli(&world, &["import", "flows", "--env", &files[0]]).run();
    assert_eq!(read.code, Some(0), "{}", read.all());
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_in_imported_flows_are_named_with_their_line() {
    let world = World::start(binary()).await;
    let file = world.data_dir("broken.env");
    fs::write(&file, "BOT=@demo_trips_bot\nTRIGGER_REGEX='New trip (.*'\nBUTTON=Book\n").expect("written");
    let (file, written) = (file.display().to_string(), world.data_dir("flows.toml"));
    let write = written.display().to_string();
    let ran = cli(&world, &["import", "flows", "--env", &file, "--write", &write]).run();
    let output = ran.all();
    assert!(
        ran.code == Some(1) && output.contains("WRONG in the flows above, line 6: `flows[0].trigger"),
        "{output}"
    );
    assert!(!written.exists(), "nothing is written that no server would take");
    let json: Value =
        serde_json::from_str(&cli(&world, &["import", "flows", "--env", &file, "--json"]).run().out)
            .expect("JSON");
    assert_eq!(json["wrong"][0]["line"], 6, "{json}");
}

#[tokio::test(flavor = "multi_thread")]
async fn env_files_of_old_channel_servers_become_settings() {
    let world = World::start(binary()).await;
    let folder = world.data_dir("old");
    let file = |name: &str, text: &str| {
        fs::create_dir_all(folder.join(name)).expect("a folder");
        fs::write(folder.join(name).join(".env"), text).expect("written");
        folder.join(name).join(".env").display().to_string()
    };
    let avito = file(
        "avito",
        "AVITO_CLIENT_ID=planted-a\nAVITO_CLIENT_SECRET=planted-b\nAPI_KEY=planted-c\nDEBUG=planted-d\n",
    );
    let form = file("form", "API_KEY=planted-e\n");
    let (secrets, written) = (folder.join("secrets"), folder.join("channels.toml"));
    let (secrets, written) = (secrets.display().to_string(), written.display().to_string());
    let arguments = ["import", "channels", "--env", &avito, "--env", &form, "--secrets", &secrets];
    let output = cli(&world, &[&arguments[..], &["--write", &written]].concat()).fine();
    assert!(output.contains("DEBUG") && !output.contains("planted"), "{output}");
    // The same once more changes nothing; and what came of it can be used.
    cli(&world, &arguments).fine();
    let text = fs::read_to_string(&written).expect("settings");
    let settings = config::Settings::load(Some(std::path::Path::new(&written)), []).expect("settings");
    assert_eq!((settings.channels.len(), settings.legacy.channel_ports.len()), (2, 2), "{text}");
}
