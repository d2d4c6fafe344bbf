//! `switchboard alert send`: notifies targets of a crash. It opens no store and talks to no server.

use std::collections::BTreeSet;
use std::time::Duration;

use alerts::{CrashNotice, OfflineTarget, notify_offline};
use ambient::{Clock, Ids};
use anyhow::bail;
use config::{AlertTargetFields, RecoveredAlerts};
use domain::AlertNoticeId;
use outbound::{AllowList, Allowed};
use tokio::process::Command;

use crate::Location;
use crate::location::environment;
use crate::machine;
use crate::output::say;

/// How long the journal and the service manager may take to say something.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The longest piece of the journal that is read, in bytes.
const LONGEST: usize = 64 * 1024;

/// What has crashed.
#[derive(clap::Args)]
pub(super) struct Send {
    /// The unit that has crashed
    #[arg(long, value_name = "UNIT")]
    unit: String,
    /// How many of its last log lines to include
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u8).range(0..=20))]
    lines: u8,
    #[command(flatten)]
    location: Location,
}

impl Send {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let clock = Clock::system();
        // Wrong settings may be the cause of the crash: targets that can be read are notified all the same.
        let (RecoveredAlerts { targets: declared, allow_private }, wrong) = self.declared();
        let allowed = Allowed::new(AllowList::Events, allow_private);
        let (mirrored, not_mirrored) = match self.mirrored() {
            Ok(mirrored) => (mirrored, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let targets = together(declared, mirrored);
        let mut unread = 0;
        if let Some(error) = wrong {
            unread += 1;
            eprintln!(
                "error: the settings are wrong, so only those of their targets are notified that can be read: {error}"
            );
        }
        if let Some(error) = not_mirrored {
            unread += 1;
            eprintln!("error: the targets of the store are not notified: {error}");
        }
        if targets.is_empty() {
            bail!(
                "there is no alert target; name one in the settings ([[alerts.targets]]) or make one with \
                   `switchboard alert targets add`"
            );
        }
        let notice = CrashNotice {
            unit: self.unit.clone(),
            server: machine::name(),
            result: self.result().await,
            lines: self.last_lines().await,
            at: clock.now(),
            id: AlertNoticeId::from_uuid(Ids::new(clock.clone()).next()),
        };
        let reports = notify_offline(&targets, &notice, &allowed, &clock).await;
        for report in &reports {
            match &report.result {
                Ok(()) => say!("{}: notified", report.name),
                Err(error) => eprintln!("error: {}: {error}", report.name),
            }
        }
        let failed = reports.iter().filter(|report| report.result.is_err()).count();
        if failed > 0 {
            bail!("{failed} of {} targets were not notified", reports.len());
        }
        if unread > 0 {
            bail!("some targets are not known; see above");
        }
        Ok(())
    }

    /// The targets of the settings, and what is wrong with these.
    fn declared(&self) -> (RecoveredAlerts, Option<anyhow::Error>) {
        match self.location.settings() {
            Ok(settings) => {
                let (targets, allow_private) = (settings.alerts.targets, settings.events.allow_private);
                (RecoveredAlerts { targets, allow_private }, None)
            }
            Err(error) => {
                let file = self.location.settings_file().ok().flatten();
                let recovered = file.and_then(|file| RecoveredAlerts::read(&file, environment()).ok());
                (recovered.unwrap_or_default(), Some(error))
            }
        }
    }

    /// The targets that were made while the program ran.
    fn mirrored(&self) -> anyhow::Result<Vec<AlertTargetFields>> {
        let data_dir = self.location.data_dir()?;
        let key = crate::command::up::master_key(&data_dir)?;
        let mut found = Vec::new();
        for target in store::read_mirrored_targets(&data_dir, &key)? {
            match AlertTargetFields::from_toml(&target.record) {
                Ok(fields) => found.push(fields),
                Err(error) => bail!("the target {} cannot be read: {}", target.name, error.message()),
            }
        }
        Ok(found)
    }

    /// How it ended, as the service manager says.
    async fn result(&self) -> Option<String> {
        let printed = output(Command::new("systemctl").args([
            "show",
            "--value",
            "--property=Result",
            "--",
            &self.unit,
        ]))
        .await?;
        Some(printed.trim().to_owned()).filter(|result| !result.is_empty() && result != "success")
    }

    /// Its last lines, as far as the journal may be read.
    async fn last_lines(&self) -> Vec<String> {
        if self.lines == 0 {
            return Vec::new();
        }
        let (unit, lines) = (format!("--unit={}", self.unit), format!("--lines={}", self.lines));
        let mut journal = Command::new("journalctl");
        journal.args(["--no-pager", "--quiet", "--output=cat", &unit, &lines]);
        let printed = output(&mut journal).await.unwrap_or_default();
        printed.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
    }
}

/// Those of the settings, and those of the store whose names are not among them.
fn together(declared: Vec<AlertTargetFields>, mirrored: Vec<AlertTargetFields>) -> Vec<OfflineTarget> {
    let names: BTreeSet<String> = declared.iter().map(|target| target.name.clone()).collect();
    let declared = declared.into_iter().map(|fields| OfflineTarget { fields, of_settings: true });
    let mirrored = mirrored.into_iter().filter(|fields| !names.contains(&fields.name));
    declared.chain(mirrored.map(|fields| OfflineTarget { fields, of_settings: false })).collect()
}

/// What a command printed, if it is there and ended well in time.
async fn output(command: &mut Command) -> Option<String> {
    let ran = tokio::time::timeout(TIMEOUT, command.kill_on_drop(true).output()).await.ok()?.ok()?;
    let text = ran.stdout.get(..ran.stdout.len().min(LONGEST))?;
    ran.status.success().then(|| String::from_utf8_lossy(text).into_owned())
}
