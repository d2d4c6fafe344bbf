//! `sync`: the messages of campaigns become those of a file.

use std::path::PathBuf;

use anyhow::{Context, bail};
use hyper::Method;
use serde_json::{Value, json};

use super::choice::chosen;
use super::old_files::is_group;
use super::{PATH, of, read};
use crate::api_client::{ApiClient, ApiOptions};
use crate::table::{self, cell};
use crate::terminal::WrongUsage;

/// Of which campaigns, and from where.
#[derive(clap::Args)]
pub(super) struct Sync {
    /// The campaign
    #[arg(conflicts_with = "all")]
    group: Option<String>,
    /// Every campaign
    #[arg(long)]
    all: bool,
    /// The file
    #[arg(long, value_name = "FILE", default_value = "messages.json")]
    from: PathBuf,
    /// Change nothing, say what is wrong in the file
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    options: ApiOptions,
}

impl Sync {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let Self { group, all, from, dry_run, options } = self;
        let file = read(&from)?;
        let file: Value = serde_json::from_str(file.trim_start_matches('\u{feff}'))
            .with_context(|| format!("{} is no JSON", from.display()))?;
        let api = ApiClient::open(&options.location).await?;
        let synced = synced(&api, &file, (group, all), dry_run).await;
        api.close().await;
        options.print_list(&synced?, |rows| {
            let columns = [("CAMPAIGN", "name"), ("NEW", "added"), ("KNOWN", "known"), ("WRONG", "wrong")];
            table::of(rows, columns).to_string()
        });
        Ok(())
    }
}

async fn synced(
    api: &ApiClient,
    file: &Value,
    (group, all): (Option<String>, bool),
    dry_run: bool,
) -> anyhow::Result<Vec<Value>> {
    let mut rows = Vec::new();
    let campaigns = if all {
        api.list(PATH).await?
    } else {
        vec![api.call(Method::GET, &of(&chosen(api, group).await?, ""), None).await?]
    };
    for campaign in campaigns {
        let name = cell(&campaign, "name");
        let Some(messages) = of_group(file, &campaign)? else {
            if all {
                continue;
            }
            let wrong = format!(
                "the file has no messages for {name}: write a list, or an object with names of groups"
            );
            return Err(WrongUsage(wrong).into());
        };
        let path = of(&name, &format!("/messages?sync=true&dry_run={dry_run}"));
        let answer = api.call(Method::POST, &path, Some(&json!({ "file": messages.to_string() }))).await?;
        let lines = answer["wrong"].as_array().into_iter().flatten();
        let wrong: Vec<_> =
            lines.map(|line| format!("{}: {}", cell(line, "line"), cell(line, "message"))).collect();
        rows.push(
            json!({ "name": name, "added": answer["added"], "known": answer["known"], "wrong": wrong }),
        );
    }
    if rows.is_empty() {
        bail!("the file has messages for no campaign");
    }
    Ok(rows)
}

/// The messages that a file has for a campaign: a list is for every one, an object has lists by names of groups.
fn of_group(file: &Value, campaign: &Value) -> anyhow::Result<Option<Value>> {
    let (list, file) = match file {
        Value::Array(_) => (Some(file), file),
        Value::Object(object) => {
            let inner = object.get("groups").unwrap_or(file);
            (object.get("messages").filter(|list| list.is_array()), inner)
        }
        _ => return Ok(None),
    };
    let groups: Vec<(&str, &Value)> = match file {
        Value::Array(groups) => {
            groups.iter().filter_map(|group| Some((group["name"].as_str()?, group))).collect()
        }
        _ => file.as_object().into_iter().flatten().map(|(name, group)| (name.as_str(), group)).collect(),
    };
    let mut named = groups.into_iter().filter(|(name, _)| is_group(campaign, name));
    let by_name = match (named.next(), named.next()) {
        (Some((one, _)), Some((other, _))) => {
            bail!("the file has two lists for {}: {one:?} and {other:?}", cell(campaign, "name"))
        }
        (Some((_, group)), None) => group.as_array().map(|_| group).or_else(|| group.get("messages")),
        (None, _) => None,
    };
    Ok(by_name.or(list).cloned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_messages_for_all_or_by_name() {
        let hello = json!(["Hello"]);
        let spring = json!({"name": "spring", "title": "Весна"});
        for file in [
            json!(["Hello"]),
            json!({"messages": ["Hello"]}),
            json!({"Spring": ["Hello"], "autumn": ["Bye"]}),
            json!({"groups": {"spring": {"messages": ["Hello"]}}}),
            json!({"groups": [{"name": "autumn", "messages": []}, {"name": "Spring", "messages": ["Hello"]}]}),
        ] {
            assert_eq!(of_group(&file, &spring).unwrap(), Some(hello.clone()), "{file}");
        }
        for file in [json!({"autumn": ["Bye"]}), json!(5), json!({"_____": ["Bye"]})] {
            assert_eq!(of_group(&file, &spring).unwrap(), None, "{file}");
        }
        assert!(of_group(&json!({"spring": ["Hello"], "Весна": ["Bye"]}), &spring).is_err());
    }

    #[test]
    fn groups_of_any_script_have_their_own_messages() {
        let file = json!({"Осень": ["Листья"], "Весна": ["Hello"]});
        for (name, title, wanted) in [("vesna", "Весна", "Hello"), ("osen", "Осень", "Листья")]
        {
            let campaign = json!({"name": name, "title": title});
            assert_eq!(of_group(&file, &campaign).unwrap(), Some(json!([wanted])));
        }
    }
}
