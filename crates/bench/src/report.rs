//! The report: tables side by side, ratios, and whether the goals were reached.

mod looking;

use std::fmt::Write as _;

use serde::Serialize;

use crate::goals::{self, Goal};
use crate::latency::Summary;
use crate::machine::Machine;
use crate::scenario::added_latency::AddedLatency;
use crate::scenario::choosing::{ACCOUNTS, Choosing};
use crate::scenario::dashboard::Dashboard;
use crate::scenario::failover::Failover;
use crate::scenario::idle::Idle;
use crate::scenario::import::{self, Import};
use crate::scenario::logs::Logs;
use crate::scenario::many_files::{self, ManyFiles};
use crate::scenario::search::Search;
use crate::scenario::send_text::{Pair, SendText};
use crate::scenario::sizes::Sizes;
use crate::scenario::upload::Upload;

/// All that a run found out.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// The command that made it.
    pub(crate) command: String,
    pub(crate) machine: Machine,
    /// The versions of what the baseline is made of.
    pub(crate) baseline: String,
    pub(crate) rounds: usize,
    pub(crate) round_seconds: u64,
    pub(crate) send_text: Option<SendText>,
    pub(crate) added_latency: Option<AddedLatency>,
    pub(crate) idle: Option<Idle>,
    pub(crate) choosing: Option<Choosing>,
    pub(crate) failover: Option<Failover>,
    pub(crate) sizes: Option<Sizes>,
    pub(crate) upload: Option<Upload>,
    pub(crate) many_files: Option<ManyFiles>,
    pub(crate) import: Option<Import>,
    pub(crate) logs: Option<Logs>,
    pub(crate) dashboard: Option<Dashboard>,
    pub(crate) search: Option<Search>,
    /// Scenarios that did not come to their end, with why.
    pub(crate) broken_off: Vec<String>,
    pub(crate) goals: Vec<Goal>,
}

impl Report {
    /// Judges what was measured.
    pub(crate) fn judge(&mut self) {
        self.goals = goals::of(self.send_text.as_ref(), self.added_latency.as_ref());
        self.goals.extend(goals::of_the_pool(
            self.choosing.as_ref(),
            self.failover.as_ref(),
            self.sizes.as_ref(),
        ));
        self.goals.extend(goals::of_files(
            self.upload.as_ref(),
            self.many_files.as_ref(),
            self.import.as_ref(),
        ));
        self.goals.extend(goals::of_the_dashboard(self.dashboard.as_ref()));
        self.goals.extend(goals::of_the_search(self.search.as_ref()));
        self.goals.extend(goals::of_logs(self.logs.as_ref()));
    }

    /// Everything was measured that was asked for, and it is good enough.
    pub(crate) fn is_good(&self) -> bool {
        self.broken_off.is_empty() && self.goals.iter().all(|goal| goal.met)
    }

    /// The report as Markdown.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::from("# Benchmarks\n\n");
        // Writing to a String cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let machine = &self.machine;
        writeln!(
            text,
            "Made by `{}` on {} cores ({}), Linux {}. The data directory is on {}, where a 4 KiB append that waits for \
             the disk (`fdatasync`) takes {} ms at p50 and {} ms at p99.\n",
            self.command,
            machine.cores,
            machine.processor,
            machine.kernel,
            machine.file_system,
            milliseconds(machine.append_to_disk.p50),
            milliseconds(machine.append_to_disk.p99),
        )?;
        writeln!(
            text,
            "Both sides talk MTProto to the same pretend Telegram (`switchboard sandbox`), which shares the cores with \
             them and with the load. They are loaded by turns in one run, {} × {} s each, so the ratios hold even where \
             the machine wobbles. The baseline is what Switchboard replaces, written anew without its bookkeeping: \
             {}, 1 worker × 32 threads. Nothing in it is kept on disk; Switchboard has each message on disk before it \
             sends.\n",
            self.rounds, self.round_seconds, self.baseline,
        )?;
        if !self.goals.is_empty() {
            write_goals(text, &self.goals)?;
        }
        if let Some(send_text) = &self.send_text {
            writeln!(text, "## `POST /send_text`, 32 callers over 64 chats\n\nConnections are kept:\n")?;
            write_pair(text, &send_text.kept)?;
            writeln!(text, "A new connection for each request (`Connection: close`, as n8n does):\n")?;
            write_pair(text, &send_text.closed)?;
        }
        if let Some(added) = &self.added_latency {
            write_added(text, added)?;
        }
        if let Some(idle) = &self.idle {
            write_idle(text, idle)?;
        }
        if let Some(failover) = &self.failover {
            write_failover(text, failover)?;
        }
        if let Some(choosing) = &self.choosing {
            write_choosing(text, choosing)?;
        }
        if let Some(sizes) = &self.sizes {
            write_sizes(text, sizes)?;
        }
        if let Some(upload) = &self.upload {
            write_upload(text, upload)?;
        }
        if let Some(many) = &self.many_files {
            write_many_files(text, many)?;
        }
        if let Some(import) = &self.import {
            write_import(text, import)?;
        }
        looking::write(text, self)?;
        for scenario in &self.broken_off {
            writeln!(text, "**Not measured:** {scenario}\n")?;
        }
        Ok(())
    }
}

fn write_goals(text: &mut String, goals: &[Goal]) -> std::fmt::Result {
    writeln!(text, "## Goals\n\n| | goal | measured | |\n|---|---|---|---|")?;
    for goal in goals {
        writeln!(
            text,
            "| {} | {} | {} | {} |",
            goal.what,
            goal.wanted,
            goal.measured,
            if goal.met { "✓" } else { "✗" }
        )?;
    }
    writeln!(text)
}

fn write_pair(text: &mut String, pair: &Pair) -> std::fmt::Result {
    let Pair { ours, baseline } = pair;
    writeln!(text, "| | Switchboard | Flask + Telethon | ratio |\n|---|---:|---:|---:|")?;
    writeln!(
        text,
        "| requests a second | {:.0} | {:.0} | {} |",
        ours.per_second,
        baseline.per_second,
        times(ours.per_second, baseline.per_second)
    )?;
    let rounds = |side: &crate::scenario::send_text::Side| {
        format!("{:.0} – {:.0}", side.slowest_round_per_second, side.fastest_round_per_second)
    };
    writeln!(text, "| slowest – fastest round | {} | {} | |", rounds(ours), rounds(baseline))?;
    for (name, value) in [
        ("p50", (|latency| latency.p50) as fn(Summary) -> u32),
        ("p90", |latency| latency.p90),
        ("p99", |latency| latency.p99),
        ("slowest", |latency| latency.max),
    ] {
        let (ours, baseline) = (value(ours.latency), value(baseline.latency));
        let ratio = times(f64::from(ours), f64::from(baseline));
        writeln!(text, "| {name}, ms | {} | {} | {ratio} |", milliseconds(ours), milliseconds(baseline))?;
    }
    for (name, ours, baseline) in [
        ("CPU a request, µs", ours.processor, baseline.processor),
        ("… of the pretend Telegram, µs", ours.processor_of_world, baseline.processor_of_world),
        ("… of the load, µs", ours.processor_of_load, baseline.processor_of_load),
    ] {
        writeln!(text, "| {name} | {ours:.0} | {baseline:.0} | {} |", times(ours, baseline))?;
    }
    for (name, ours, baseline) in [
        ("memory after it, MB", ours.memory, baseline.memory),
        ("memory at most, MB", ours.memory_highest, baseline.memory_highest),
    ] {
        writeln!(text, "| {name} | {} | {} | |", megabytes(ours), megabytes(baseline))?;
    }
    writeln!(
        text,
        "| sent, each once in the ledger | {} | {} | |",
        ours.audit.confirmed, baseline.audit.confirmed
    )?;
    let wrong = |audit: &crate::ledger::Audit| {
        format!("{} / {} / {} / {}", audit.missing, audit.doubled, audit.misnamed, audit.unclaimed)
    };
    writeln!(
        text,
        "| missing / twice / wrong id / not answered | {} | {} | |",
        wrong(&ours.audit),
        wrong(&baseline.audit)
    )?;
    writeln!(text, "| failures | {} | {} | |\n", ours.failures, baseline.failures)?;
    for (name, side) in [("Switchboard", ours), ("Flask + Telethon", baseline)] {
        if let Some(failure) = &side.first_failure {
            writeln!(text, "First failure of {name}: `{}`\n", failure.replace(['\n', '`'], " "))?;
        }
    }
    Ok(())
}

fn write_added(text: &mut String, added: &AddedLatency) -> std::fmt::Result {
    writeln!(
        text,
        "## What is added to one send\n\nOne caller, one send after the other, {} of each kind by turns. The write to \
         the disk is in it.\n\n| | p50, ms | p90, ms | p99, ms | added at p50, ms |\n|---|---:|---:|---:|---:|",
        added.library.count
    )?;
    let row = |name: &str, summary: Summary, plus: &str| {
        format!(
            "| {name} | {} | {} | {} | {plus} |\n",
            milliseconds(summary.p50),
            milliseconds(summary.p90),
            milliseconds(summary.p99)
        )
    };
    let plus = |summary: Summary| milliseconds(summary.p50.saturating_sub(added.library.p50));
    text.push_str(&row("the client library alone", added.library, ""));
    text.push_str(&row("`POST /send_text`", added.send_text, &plus(added.send_text)));
    text.push_str(&row("`POST /v1/messages`", added.messages, &plus(added.messages)));
    writeln!(text)
}

fn write_idle(text: &mut String, idle: &Idle) -> std::fmt::Result {
    let Idle { ours, baseline } = idle;
    writeln!(text, "## Start and rest\n\n| | Switchboard | Flask + Telethon |\n|---|---:|---:|")?;
    writeln!(text, "| accounts | {} | {} |", ours.accounts, baseline.accounts)?;
    writeln!(text, "| start to ready, ms | {} | {} |", ours.ready_after, baseline.ready_after)?;
    writeln!(
        text,
        "| start to all accounts ready, ms | {} | {} |",
        ours.accounts_ready_after, baseline.accounts_ready_after
    )?;
    writeln!(text, "| memory at rest, MB | {} | {} |", megabytes(ours.memory), megabytes(baseline.memory))?;
    writeln!(text, "| CPU at rest, ms a second | {:.1} | {:.1} |\n", ours.processor, baseline.processor)
}

fn write_failover(text: &mut String, failover: &Failover) -> std::fmt::Result {
    writeln!(
        text,
        "## What failover adds\n\nOne caller, {} new chats. In each, the first call meets an account that may not write \
         there and goes on with the next one, whose call to Telegram is in it as well as the first one's; the second call \
         goes to that account at once.\n\n| `POST /send_text` | p50, ms | p90, ms | p99, ms |\n|---|---:|---:|---:|",
        failover.over.count
    )?;
    for (name, summary) in [("at once", failover.direct), ("over a failover", failover.over)] {
        writeln!(
            text,
            "| {name} | {} | {} | {} |",
            milliseconds(summary.p50),
            milliseconds(summary.p90),
            milliseconds(summary.p99)
        )?;
    }
    writeln!(text)
}

fn write_choosing(text: &mut String, choosing: &Choosing) -> std::fmt::Result {
    writeln!(text, "## Choosing among {ACCOUNTS} accounts\n\n| | p50, µs | p99, µs |\n|---|---:|---:|")?;
    for kind in &choosing.chats {
        writeln!(text, "| {} | {} | {} |", kind.what, microseconds(kind.p50), microseconds(kind.p99))?;
    }
    writeln!(text)
}

fn write_sizes(text: &mut String, sizes: &Sizes) -> std::fmt::Result {
    let Sizes { owner, hundred } = sizes;
    writeln!(
        text,
        "## Sizes\n\n{} dialogs over all accounts; a hundred accounts have more, as each has its own customers.\n\n\
         | | 5 accounts, 10 sessions | {} accounts |\n|---|---:|---:|",
        owner.dialogs, hundred.accounts
    )?;
    for (name, owner, hundred) in [
        ("calls of the first reading", owner.first_reading.into(), hundred.first_reading.into()),
        ("start with all known, to ready, ms", owner.ready_after, hundred.ready_after),
        ("… to all accounts ready, ms", owner.accounts_ready_after, hundred.accounts_ready_after),
        ("calls that read dialogs in it", owner.reading_again.into(), hundred.reading_again.into()),
    ] {
        writeln!(text, "| {name} | {owner} | {hundred} |")?;
    }
    for (name, owner, hundred) in [
        ("memory after the first reading, MB", owner.memory_after_reading, hundred.memory_after_reading),
        ("memory at rest, MB", owner.memory_at_rest, hundred.memory_at_rest),
    ] {
        writeln!(text, "| {name} | {} | {} |", megabytes(owner), megabytes(hundred))?;
    }
    writeln!(text)
}

fn write_upload(text: &mut String, upload: &Upload) -> std::fmt::Result {
    let Upload { ours, library, .. } = upload;
    writeln!(
        text,
        "## Sending a file of {} MB\n\nBy turns, {} each, no two the same. Switchboard is asked by `POST /v1/messages` with a \
         path: that it takes a copy and its hash first is in it. Telethon has cryptg and only sends.\n\n\
         | | Switchboard | Telethon + cryptg | ratio |\n|---|---:|---:|---:|",
        upload.size / 1_000_000,
        ours.files
    )?;
    let took = times(f64::from(ours.took), f64::from(library.took));
    writeln!(text, "| a file, ms | {} | {} | {took} |", ours.took, library.took)?;
    let processor = times(ours.processor, library.processor);
    writeln!(text, "| CPU a file, ms | {:.0} | {:.0} | {processor} |", ours.processor, library.processor)?;
    let (more, theirs) = (megabytes(ours.memory_more), megabytes(library.memory_more));
    writeln!(text, "| memory more than before the first, MB | {more} | {theirs} | |\n")?;
    let both = &upload.both_ways;
    writeln!(
        text,
        "One of {} MB, by `POST /v1/uploads` and back by `GET /v1/messages/{{id}}/media/0`, adds {} MB of memory on its way \
         out and {} MB on its way back.\n",
        both.size / 1_000_000,
        megabytes(both.memory_more_out),
        megabytes(both.memory_more_back)
    )
}

fn write_many_files(text: &mut String, many: &ManyFiles) -> std::fmt::Result {
    writeln!(
        text,
        "## {} accounts, each sends a file of {} MB\n\n| memory | MB |\n|---|---:|\n| before | {} |\n| at most | {} |\n\
         | {} s after the last one | {} |\n",
        many.accounts,
        many_files::SIZE / 1_000_000,
        megabytes(many.memory_before),
        megabytes(many.memory_highest),
        many_files::LOOKED.as_secs(),
        megabytes(many.memory_after)
    )
}

fn write_import(text: &mut String, import: &Import) -> std::fmt::Result {
    writeln!(
        text,
        "## Bringing {} session files over\n\n`switchboard account import` while `up` runs. Telethon made the files; each has \
         a key and {} peers, {} MB in all. Whose each is, is asked of Telegram.\n\n\
         | took, ms | CPU, ms | accounts | peers known |\n|---:|---:|---:|---:|\n| {} | {} | {} | {} |\n",
        import::SESSIONS,
        import::PEERS,
        import.bytes / 1_000_000,
        import.took,
        import.processor,
        import.accounts,
        import.peers
    )
}

/// Nanoseconds as microseconds.
pub(crate) fn microseconds(nanoseconds: u64) -> String {
    format!("{}.{}", nanoseconds / 1000, nanoseconds % 1000 / 100)
}

/// A ratio as it is read: `12×`, `0.08×`.
pub(crate) fn times(ours: f64, baseline: f64) -> String {
    if baseline <= 0.0 {
        return "–".to_owned();
    }
    let ratio = ours / baseline;
    if ratio >= 10.0 { format!("{ratio:.0}×") } else { format!("{ratio:.2}×") }
}

/// Microseconds as milliseconds.
pub(crate) fn milliseconds(microseconds: u32) -> String {
    let value = f64::from(microseconds) / 1000.0;
    if value < 10.0 { format!("{value:.2}") } else { format!("{value:.1}") }
}

pub(crate) fn megabytes(kilobytes: u64) -> String {
    format!("{}.{}", kilobytes / 1024, kilobytes % 1024 * 10 / 1024)
}

#[cfg(test)]
mod tests;
