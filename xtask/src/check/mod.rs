//! The checks: what each is called, how they are run, and how the result is shown.

mod arrows;
mod book;
mod dependencies;
mod formatting;
mod lints;
mod tidy;
mod unused;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;

use crate::workspace::Workspace;

/// What `cargo xtask check` takes.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Run this check alone (may be given more than once)
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Write the result as JSON to the standard output
    #[arg(long)]
    json: bool,
}

/// A check: it returns what it found wrong, one sentence each.
struct Check {
    name: &'static str,
    run: fn(&Workspace) -> Result<Vec<String>>,
}

/// The quick ones come first, so that a small slip is seen before the compiler has been waited for.
const CHECKS: [Check; 7] = [
    Check { name: "formatting", run: formatting::check },
    Check { name: "tidy", run: tidy::check },
    Check { name: "book", run: book::check },
    Check { name: "arrows", run: arrows::check },
    Check { name: "dependencies", run: dependencies::check },
    Check { name: "unused", run: unused::check },
    Check { name: "lints", run: lints::check },
];

/// How one check ended.
#[derive(Debug, Serialize)]
struct Verdict {
    name: &'static str,
    ok: bool,
    seconds: f64,
    findings: Vec<String>,
}

/// Runs the checks and says whether all of them found nothing.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<bool> {
    let chosen = chosen(&arguments.only)?;
    let mut verdicts = Vec::new();
    for check in chosen {
        let started = Instant::now();
        let findings = (check.run)(workspace).unwrap_or_else(|error| vec![format!("{error:#}")]);
        let verdict = verdict(check.name, findings, started.elapsed());
        if !arguments.json {
            print!("{}", shown(&verdict));
        }
        verdicts.push(verdict);
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&verdicts)?);
    } else {
        println!("{}", summary(&verdicts));
    }
    Ok(verdicts.iter().all(|verdict| verdict.ok))
}

fn chosen(only: &[String]) -> Result<Vec<&'static Check>> {
    if let Some(unknown) = only.iter().find(|name| CHECKS.iter().all(|check| check.name != name.as_str())) {
        let names: Vec<_> = CHECKS.iter().map(|check| check.name).collect();
        bail!("there is no check `{unknown}`; there are {}", names.join(", "));
    }
    Ok(CHECKS.iter().filter(|check| only.is_empty() || only.iter().any(|name| name == check.name)).collect())
}

fn verdict(name: &'static str, findings: Vec<String>, time: Duration) -> Verdict {
    let seconds = (time.as_secs_f64() * 100.0).round() / 100.0;
    Verdict { name, ok: findings.is_empty(), seconds, findings }
}

fn shown(verdict: &Verdict) -> String {
    let mark = if verdict.ok { '✓' } else { '✗' };
    let mut text = format!("{mark} {:<12} {:>7.2} s\n", verdict.name, verdict.seconds);
    for finding in &verdict.findings {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "    {finding}");
    }
    text
}

fn summary(verdicts: &[Verdict]) -> String {
    let failed: Vec<_> = verdicts.iter().filter(|verdict| !verdict.ok).map(|verdict| verdict.name).collect();
    if failed.is_empty() {
        format!("check: {} of {} fine", verdicts.len(), verdicts.len())
    } else {
        format!("check: {} of {} failed: {}", failed.len(), verdicts.len(), failed.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_one_line_and_its_findings() {
        let fine = verdict("tidy", Vec::new(), Duration::from_millis(123));
        let bad = verdict("unused", vec!["x is unused".to_owned()], Duration::from_secs(2));
        assert_eq!(shown(&fine), "✓ tidy            0.12 s\n");
        assert_eq!(shown(&bad), "✗ unused          2.00 s\n    x is unused\n");
        assert_eq!(summary(&[fine, bad]), "check: 1 of 2 failed: unused");
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_known_ones() {
        let error = chosen(&["tidi".to_owned()]).err().unwrap().to_string();
        assert!(error.contains("`tidi`") && error.contains("formatting, tidy"), "{error}");
        assert_eq!(chosen(&["tidy".to_owned()]).unwrap().len(), 1);
        assert_eq!(chosen(&[]).unwrap().len(), CHECKS.len());
    }
}
