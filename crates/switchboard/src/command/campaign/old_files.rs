//! Files of the old tool: `groups.json` with what each group has, and `config.yaml` with the limits.

use std::collections::BTreeSet;
use std::path::Path;

use ::campaigns::{BadLine, ChatList, read_messages};
use anyhow::{Context, bail};
use domain::slug;
use domain::text::folded_line;
use hyper::Method;
use serde_json::{Map, Value, json};

use super::{PATH, named, of, read};
use crate::api_client::{ApiClient, ApiOptions};
use crate::table::{self, cell};

/// A group of `groups.json`, in the bodies of the calls that make it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OldGroup {
    pub(super) name: String,
    pub(super) accounts: Vec<String>,
    /// A chat a line.
    pub(super) chats: String,
    /// A JSON list.
    pub(super) messages: Value,
    /// Its own limits, as the call that changes a campaign has them.
    pub(super) settings: Map<String, Value>,
    /// The settings of it that have no equivalent here.
    pub(super) left: Vec<String>,
}

/// Reads `groups.json`: a list of groups, as it is or under `groups`, or groups by their names.
pub(super) fn groups(text: &str) -> anyhow::Result<Vec<OldGroup>> {
    let read: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).context("it is no JSON")?;
    let read = match read {
        Value::Object(mut object) if object.contains_key("groups") => {
            object.remove("groups").unwrap_or_default()
        }
        other => other,
    };
    let named = match read {
        Value::Array(groups) => groups.into_iter().map(|group| (None, group)).collect::<Vec<_>>(),
        Value::Object(groups) => groups.into_iter().map(|(name, group)| (Some(name), group)).collect(),
        _ => bail!("it has no groups: write a list of them, or an object with their names"),
    };
    (1..).zip(named).map(|(number, (name, group))| group_of(number, name, &group)).collect()
}

fn group_of(number: usize, name: Option<String>, group: &Value) -> anyhow::Result<OldGroup> {
    let field = |names: [&str; 3]| names.into_iter().find_map(|name| group.get(name));
    let given = name.or_else(|| field(["name", "group", "group_id"])?.as_str().map(str::to_owned));
    let given = given.with_context(|| format!("group number {number} has no name"))?;
    let texts = |names: &[&str]| -> Vec<String> {
        let items =
            names.iter().find_map(|name| group.get(name)).and_then(Value::as_array).into_iter().flatten();
        let text = |item: &Value| {
            let fields = ["name", "username", "chat_username", "profile_id"];
            let text = item.as_str().or_else(|| fields.into_iter().find_map(|name| item.get(name)?.as_str()));
            // An id is a number; what is neither is named as it stands.
            text.map_or_else(|| item.to_string(), str::to_owned)
        };
        items.map(text).collect()
    };
    let (mut settings, mut left) = (Map::new(), Vec::new());
    for (key, value) in group.get("settings").and_then(Value::as_object).into_iter().flatten() {
        match limit(key, &cell(&json!({ "value": value }), "value")) {
            Some(Ok((name, value))) => drop(settings.insert(name.to_owned(), value)),
            Some(Err(why)) => left.push(format!("settings {key}: {why}")),
            None => left.push(format!("settings {key}: there is nothing of this name here")),
        }
    }
    Ok(OldGroup {
        settings,
        left,
        name: given,
        accounts: texts(&["accounts", "profiles", "profile_ids", "senders"]),
        chats: texts(&["chats", "tasks", "usernames"]).join("\n"),
        messages: field(["messages", "texts", "templates"]).cloned().unwrap_or_else(|| json!([])),
    })
}

impl OldGroup {
    /// What its profiles are here: an account or a browser profile of the same name; and those that are neither.
    fn senders_among(&self, here: &BTreeSet<String>) -> (Vec<String>, Vec<&str>) {
        let (mut found, mut unknown) = (Vec::new(), Vec::new());
        for name in &self.accounts {
            let slug = slug(name);
            let names = [name, &slug].map(|name| [name.clone(), format!("profile:{name}")]);
            match names.into_iter().flatten().find(|one| here.contains(one)) {
                Some(one) => found.push(one),
                None => unknown.push(name.as_str()),
            }
        }
        (found, unknown)
    }
}

/// Makes or fills the campaigns of a file, one after the other; returns the result of each.
pub(super) async fn import_groups(file: &Path, dry_run: bool, options: &ApiOptions) -> anyhow::Result<()> {
    let groups = groups(&read(file)?).with_context(|| format!("{} cannot be used", file.display()))?;
    let api = ApiClient::open(&options.location).await?;
    let results = each_imported(&api, &groups, dry_run).await;
    api.close().await;
    options.print_list(&results?, |results| {
        let columns = [
            ("CAMPAIGN", "name"),
            ("CHATS", "chats"),
            ("MESSAGES", "messages"),
            ("ACCOUNTS", "accounts"),
            ("NO ACCOUNTS", "unknown"),
            ("WRONG", "wrong"),
        ];
        table::of(results, columns).to_string()
    });
    Ok(())
}

async fn each_imported(api: &ApiClient, groups: &[OldGroup], dry_run: bool) -> anyhow::Result<Vec<Value>> {
    let mut senders = BTreeSet::new();
    for (path, prefix) in [("/v1/accounts", ""), ("/v1/campaign-profiles", "profile:")] {
        let here = api.list(path).await?;
        senders.extend(here.iter().map(|sender| format!("{prefix}{}", cell(sender, "name"))));
    }
    let campaigns = api.list(PATH).await?;
    refuse_alike(groups, &campaigns)?;
    let mut results = Vec::new();
    for group in groups {
        let (known, unknown) = group.senders_among(&senders);
        let name = campaigns.iter().find(|campaign| is_group(campaign, &group.name));
        let name = name.map(|campaign| cell(campaign, "name"));
        let result = match &name {
            _ if dry_run => Ok(looked_at(group)),
            None => make_and_import(api, group, &known).await,
            Some(name) => import_group(api, name, group, &known).await,
        };
        let (added, wrong) = result.with_context(|| format!("campaign {}", group.name))?;
        let [chats, messages] = added;
        results.push(json!({
            "name": name.unwrap_or_else(|| slug(&group.name)), "chats": chats, "messages": messages, "accounts": known, "unknown": unknown, "wrong": wrong,
        }));
    }
    Ok(results)
}

/// How many chats and messages of a group can be used, and what is wrong with the others.
fn looked_at(group: &OldGroup) -> ([Value; 2], Vec<String>) {
    let mut list = ChatList::of(&group.chats);
    let chats = list.by_ref().count();
    let messages = read_messages(&group.messages.to_string());
    let mut wrong = group.left.clone();
    for (what, bad) in [("tasks", list.bad().bad), ("messages", messages.bad)] {
        let line = |BadLine { line, message }| format!("{what} {line}: {message}");
        wrong.extend(bad.into_iter().map(line));
    }
    ([json!(chats), json!(messages.items.len())], wrong)
}

async fn make_and_import(
    api: &ApiClient,
    group: &OldGroup,
    senders: &[String],
) -> anyhow::Result<([Value; 2], Vec<String>)> {
    let made = api.call(Method::POST, PATH, Some(&json!({ "name": group.name }))).await?;
    import_group(api, &cell(&made, "name"), group, senders).await
}

/// How many chats and messages of a group are new, and what is wrong with those that are not taken.
async fn import_group(
    api: &ApiClient,
    name: &str,
    group: &OldGroup,
    senders: &[String],
) -> anyhow::Result<([Value; 2], Vec<String>)> {
    if !senders.is_empty() {
        api.call(Method::POST, &of(name, "/senders"), Some(&named(senders))).await?;
    }
    if !group.settings.is_empty() {
        let settings = Value::Object(group.settings.clone());
        api.call(Method::PATCH, &of(name, ""), Some(&settings)).await?;
    }
    let (mut added, mut wrong) = ([json!(0), json!(0)], group.left.clone());
    let files = [("tasks", group.chats.clone()), ("messages", group.messages.to_string())];
    for (count, (what, file)) in added.iter_mut().zip(files) {
        if matches!(file.as_str(), "" | "[]") {
            continue;
        }
        let body = json!({ "file": file });
        let answer = api.call(Method::POST, &of(name, &format!("/{what}")), Some(&body)).await?;
        let lines = answer["wrong"].as_array().into_iter().flatten();
        wrong.extend(lines.map(|line| format!("{what} {}: {}", cell(line, "line"), cell(line, "message"))));
        *count = answer["added"].clone();
    }
    Ok((added, wrong))
}

/// Whether a campaign here is the group of this name: by its title, or by its own name.
pub(super) fn is_group(campaign: &Value, group: &str) -> bool {
    let wanted = folded_line(group);
    ["name", "title"]
        .iter()
        .any(|field| campaign[*field].as_str().is_some_and(|known| folded_line(known) == wanted))
}

/// Refuses names of groups that would be one campaign, here or in the file.
fn refuse_alike(groups: &[OldGroup], known: &[Value]) -> anyhow::Result<()> {
    for (number, group) in groups.iter().enumerate() {
        let name = slug(&group.name);
        if name.is_empty() {
            bail!("the group {:?} has no letter and no digit in its name; rename it", group.name);
        }
        if let Some(other) = groups[..number].iter().find(|other| slug(&other.name) == name) {
            bail!(
                "the groups {:?} and {:?} would be one campaign, {name}; rename one of them",
                other.name,
                group.name
            );
        }
        let other = known.iter().find(|campaign| campaign["name"] == name.as_str());
        if let Some(other) = other.filter(|other| !is_group(other, &group.name)) {
            let title = cell(other, "title");
            bail!(
                "the group {:?} would be the campaign {name}, which is {title:?} here; rename the group",
                group.name
            );
        }
    }
    Ok(())
}

/// What `config.yaml` has for a campaign.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OldConfig {
    /// Its section `limits`, in the body of the call that changes a campaign.
    pub(super) limits: Value,
    /// What is not taken over, each with what stands for it here.
    pub(super) left: Vec<String>,
}

/// What stands for the values of a section that are not taken over.
fn instead(section: &str, key: &str) -> &'static str {
    match (section, key) {
        ("timeouts", _) => "built in: 20 s for a search, 5 s for sending, 30 s for a page",
        ("proxy", "pool_file") => "import it with `switchboard campaign import-proxies FILE`",
        ("proxy", "chat_not_found_threshold") => "built in: 40 %",
        ("database", _) => {
            "the settings name the store; `switchboard import campaigns --from` reads the old one"
        }
        _ => "there is nothing of this name here",
    }
}

/// A limit of the old tool as a setting of a campaign here; what is wrong with its value.
fn limit(key: &str, value: &str) -> Option<Result<(&'static str, Value), String>> {
    let (name, times) = match key {
        "max_messages_per_hour" => ("max_messages_per_hour", 1),
        "max_cycles" => ("cycles", 1),
        "cycle_delay_minutes" => ("cycle_delay_seconds", 60),
        "delay_randomness" => {
            let share = value.parse::<f64>().map_err(|_| format!("{value:?} is no number"));
            return Some(share.map(|share| ("delay_randomness", json!(share))));
        }
        _ => return None,
    };
    let count = value.parse::<u32>().map_err(|_| format!("{value:?} is no whole number"));
    Some(count.map(|count| (name, json!(count.saturating_mul(times)))))
}

/// Reads `config.yaml`.
pub(super) fn config(text: &str) -> anyhow::Result<OldConfig> {
    let (mut section, mut settings, mut left) = (String::new(), Map::new(), Vec::new());
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let line = line.split('#').next().unwrap_or_default().trim_end();
        let Some((key, value)) = line.split_once(':') else { continue };
        if !key.starts_with([' ', '\t']) {
            key.trim().clone_into(&mut section);
            continue;
        }
        let value = value.trim().trim_matches(['"', '\'']);
        let key = key.trim();
        match limit(key, value).filter(|_| section == "limits") {
            Some(Ok((name, value))) => drop(settings.insert(name.to_owned(), value)),
            Some(Err(why)) => bail!("line {number}: {why}"),
            // The value may be a password.
            None => left.push(format!("{section}.{key}: {}", instead(&section, key))),
        }
    }
    if settings.is_empty() {
        bail!(
            "it has no section limits with values of ours: max_messages_per_hour, max_cycles, cycle_delay_minutes, delay_randomness"
        );
    }
    Ok(OldConfig { limits: Value::Object(settings), left })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_read_as_a_list_and_by_name() {
        let list = r#"{"groups": [{"name": "Spring 1", "profiles": ["main"], "chats": ["@a_chat", {"username": "@b_chat"}],
            "messages": ["Hi"]}]}"#;
        let group = &groups(list).expect("groups")[0];
        assert_eq!((group.name.as_str(), group.chats.as_str()), ("Spring 1", "@a_chat\n@b_chat"));
        assert_eq!(
            (group.accounts.as_slice(), &group.messages),
            (["main".to_owned()].as_slice(), &json!(["Hi"]))
        );
        let old = r#"{"spring": {"profile_ids": ["shop"], "settings": {"max_cycles": "3", "cycle_delay_minutes": 5, "theme": "dark"}}}"#;
        let group = &groups(old).expect("groups")[0];
        assert_eq!(group.accounts, ["shop"]);
        assert_eq!(Value::Object(group.settings.clone()), json!({"cycles": 3, "cycle_delay_seconds": 300}));
        assert_eq!(group.left, ["settings theme: there is nothing of this name here"]);
        assert_eq!(groups(r#"{"spring": {"tasks": []}}"#).expect("groups")[0].name, "spring");
        assert!(groups("[{}]").expect_err("no name").to_string().contains("number 1"));
        assert!(groups("5").is_err() && groups("{").is_err());
    }

    #[test]
    fn groups_that_would_be_one_campaign_are_refused() {
        let known = [json!({"name": "spring", "title": "Spring"}), json!({"name": "osen", "title": "Осень"})];
        let alike = |text: &str| refuse_alike(&groups(text).expect("groups"), &known).is_err();
        assert!(!alike(r#"{"Осень": {}, "Весна": {}, "spring": {}, "Лето!": {}}"#));
        for text in [
            r#"{"Весна": {}, "Весна!": {}}"#,
            r#"{"Vesna": {}, "весна": {}}"#,
            r#"{"Осень!": {}}"#,
            r#"{"Osen?": {}}"#,
            r#"{"🍁": {}}"#,
        ] {
            assert!(alike(text), "{text}");
        }
    }

    #[test]
    fn old_profiles_are_senders_here_by_their_slugs() {
        let here = ["main".to_owned(), "profile:profile1".to_owned()].into();
        let list = r#"{"spring": {"profiles": ["Main", "Profile1", "Profile 9"]}}"#;
        let group = &groups(list).expect("groups")[0];
        let (found, unknown) = group.senders_among(&here);
        assert_eq!(
            (found, unknown),
            (vec!["main".to_owned(), "profile:profile1".to_owned()], vec!["Profile 9"])
        );
    }

    #[test]
    fn limits_are_read_and_all_else_is_named() {
        let read = config(
            "limits:\r\n  max_messages_per_hour: 20 # an hour\r\n  max_cycles: 100\n  cycle_delay_minutes: 5\n  \
             delay_randomness: 0.2\ntimeouts:\n  send_timeout: 5\ndatabase:\n  password: hidden\n",
        )
        .expect("limits");
        let expected = json!({"max_messages_per_hour": 20, "cycles": 100, "cycle_delay_seconds": 300, "delay_randomness": 0.2});
        assert_eq!(read.limits, expected);
        assert!(read.left[0].starts_with("timeouts.send_timeout: built in: 20 s"), "{:?}", read.left);
        assert!(read.left[1].starts_with("database.password: the settings"), "{:?}", read.left);
        assert!(
            config("limits:\n  max_cycles: many\n").expect_err("no number").to_string().contains("line 2")
        );
        assert!(config("proxy:\n  pool_file: x\n").is_err());
    }
}
