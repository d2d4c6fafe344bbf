//! `switchboard reload`: the running server reads its settings again.

use anyhow::bail;
use api::ReloadedSettings;
use hyper::Method;

use crate::api_client::ApiOptions;
use crate::output::{say, say_json};

/// The arguments.
#[derive(clap::Args)]
pub(crate) struct Reload {
    #[command(flatten)]
    options: ApiOptions,
}

impl Reload {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let server = self.options.location.server().await?;
        let answer = server.call(Method::POST, "/v1/settings/reload", None).await?;
        if self.options.json {
            say_json(&answer);
        }
        let reloaded: ReloadedSettings = serde_json::from_value(answer)?;
        if !self.options.json {
            say!("{}", listed(&reloaded));
        }
        match reloaded.not_applied.len() {
            0 => Ok(()),
            1 => bail!("one setting could not be applied; run it again, or restart the server"),
            count => bail!("{count} settings could not be applied; run it again, or restart the server"),
        }
    }
}

/// What came of it, a key on each line.
fn listed(reloaded: &ReloadedSettings) -> String {
    let mut lines = Vec::new();
    let mut list = |title: &str, keys: &mut dyn Iterator<Item = String>| {
        lines.extend(keys.enumerate().map(|(index, key)| {
            let title = if index == 0 { title } else { "" };
            format!("{title:<17} {key}")
        }));
    };
    list("Applied", &mut reloaded.applied.iter().cloned());
    list("Needs a restart", &mut reloaded.needs_restart.iter().cloned());
    list("Not applied", &mut reloaded.not_applied.iter().map(|one| format!("{}: {}", one.key, one.why)));
    lines.push(format!("{:<17} {}", "Unchanged", reloaded.unchanged));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use api::NotApplied;

    use super::*;

    #[test]
    fn each_key_has_a_line_below_what_became_of_it() {
        let key = |text: &str| text.to_owned();
        let reloaded = ReloadedSettings {
            file: None,
            applied: vec![key("log.level"), key("limits.body")],
            needs_restart: vec![key("listen")],
            not_applied: vec![NotApplied { key: key("telegram.accounts[main]"), why: key("it is busy") }],
            unchanged: 41,
        };
        assert_eq!(
            listed(&reloaded),
            "Applied           log.level\n                  limits.body\nNeeds a restart   listen\n\
             Not applied       telegram.accounts[main]: it is busy\nUnchanged         41"
        );
    }
}
