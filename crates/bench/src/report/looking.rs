//! The section on what people look at: the dashboard, messages by their text, log lines.

use std::fmt::Write as _;

use super::{Report, megabytes, milliseconds};
use crate::scenario::dashboard::Dashboard;
use crate::scenario::logs::{Logs, Word};
use crate::scenario::search::Search;

/// What somebody who runs Uptime Kuma told of it in public.
struct Told {
    issue: u32,
    version: &'static str,
    monitors: &'static str,
    /// How long an action takes, and how long it takes until the first page is there.
    action: &'static str,
    overview: &'static str,
}

const NOT_TOLD: &str = "not told";

const KUMA: [Told; 4] = [
    Told {
        issue: 7079,
        version: "2.1.3",
        monitors: "700",
        action: "about 45,000, each, loading included",
        overview: "about 45,000",
    },
    Told {
        issue: 7616,
        version: "2.4.0, MariaDB",
        monitors: "1,855",
        action: NOT_TOLD,
        overview: "more than 50,000",
    },
    Told {
        issue: 5641,
        version: "2.0.0-beta.1, 16 vCPU, 64 GB, MySQL",
        monitors: "1,400",
        action: NOT_TOLD,
        overview: "10,000 to 15,000",
    },
    Told {
        issue: 6181,
        version: "2.0.0-beta.3, MariaDB",
        monitors: "882",
        action: NOT_TOLD,
        overview: "15,000",
    },
];

/// Writes whatever of it was measured.
pub(super) fn write(text: &mut String, report: &Report) -> std::fmt::Result {
    if report.dashboard.is_none() && report.search.is_none() && report.logs.is_none() {
        return Ok(());
    }
    writeln!(text, "## Dashboard and logs\n")?;
    if let Some(dashboard) = &report.dashboard {
        write_dashboard(text, dashboard)?;
    }
    if let Some(search) = &report.search {
        write_search(text, search)?;
    }
    if let Some(logs) = &report.logs {
        write_logs(text, logs)?;
    }
    Ok(())
}

fn write_dashboard(text: &mut String, dashboard: &Dashboard) -> std::fmt::Result {
    let Dashboard { accounts, cards, beats, weight, .. } = dashboard;
    writeln!(
        text,
        "### {accounts} accounts and {beats} beats\n\nAll {accounts} accounts are signed in to the pretend Telegram and ready, each over a \
         connection of its own. The beats are minutes of {cards} cards, written through the store while the program was down, in \
         {:.1} s; their file has {} MB. Started on that, the program took requests after {} ms and had all accounts ready after {} ms; \
         it has {} MB of memory at the end and had {} MB at most.\n\nThe pages are seen by a headless Chromium on the same machine, over HTTP \
         on loopback. A visit ends with its largest paint; what is pressed is pressed with a pointer, and ends with the frame that \
         shows the change, or with the first paint of the page that it leads to. The strip of one card showed {} minutes.\n",
        dashboard.filled_in,
        dashboard.file / 1_000_000,
        dashboard.ready_after,
        dashboard.accounts_ready_after,
        megabytes(dashboard.memory),
        megabytes(dashboard.memory_highest),
        dashboard.minutes_shown,
    )?;
    writeln!(text, "| | p50, ms | p90, ms | slowest, ms |\n|---|---:|---:|---:|")?;
    let visits = [
        ("the overview, nothing kept by the browser", dashboard.first_visit),
        ("the overview, its files kept", dashboard.later_visit),
        ("… of which the server took", dashboard.server),
    ];
    let presses = dashboard.presses.iter().map(|press| (press.what, press.times));
    for (what, times) in visits.into_iter().chain(presses) {
        let [p50, p90, max] = [times.p50, times.p90, times.max].map(milliseconds);
        writeln!(text, "| {what} | {p50} | {p90} | {max} |")?;
    }
    writeln!(
        text,
        "\nEach action was pressed {} times. The goal of 100 ms holds for the p90 of each action; the slowest press of each stands \
         beside it, here and among the goals.",
        dashboard.presses.iter().map(|press| press.times.count).min().unwrap_or(0),
    )?;
    writeln!(
        text,
        "\nA first visit brings {} bytes of the page and {} bytes of its files over the wire; unpacked they are {}. An idle program takes \
         {:.2} ms of a processor in a second, and {:.2} ms with one page open.\n",
        weight.page, weight.files, weight.unpacked, dashboard.alone, dashboard.watched,
    )?;
    write_beside_kuma(text, dashboard)
}

/// One table for both: what others told of theirs, and what was measured here.
fn write_beside_kuma(text: &mut String, dashboard: &Dashboard) -> std::fmt::Result {
    writeln!(
        text,
        "Beside Uptime Kuma, a dashboard of the same kind. Its numbers are what people tell in its public issues, on machines of their \
         own; it was not run here, so that there is no ratio.\n\n\
         | | what it was | looked after | an action, ms | the first page, ms |\n|---|---|---|---|---|"
    )?;
    let [usual, slowest] = <[u32; 2]>::from(dashboard.slowest()).map(milliseconds);
    let [first, first_slowest] = [dashboard.first_visit.p90, dashboard.first_visit.max].map(milliseconds);
    writeln!(
        text,
        "| Switchboard | this run | {} accounts, {} cards | {usual} (p90 of the slowest one; slowest press {slowest}) | {first} (p90; \
         slowest {first_slowest}) |",
        dashboard.accounts, dashboard.cards,
    )?;
    for Told { issue, version, monitors, action, overview } in KUMA {
        let link = format!("[Uptime Kuma #{issue}](https://github.com/louislam/uptime-kuma/issues/{issue})");
        writeln!(text, "| {link} | {version} | {monitors} monitors | {action} | {overview} |")?;
    }
    writeln!(text)
}

fn write_search(text: &mut String, search: &Search) -> std::fmt::Result {
    writeln!(
        text,
        "### {} messages by their text\n\nAll were sent through `POST /send_text` before; the database has {} MB. `GET /v1/messages?text=…`, \
         whatever letters are large, newest first, a hundred on a page. Each answer looks through a bounded number of messages and \
         leads on. The server had {} MB before and {} MB at most.\n\n\
         | the text is | found | first page, ms | all looked through, ms | answers |\n|---|---:|---:|---:|---:|",
        search.messages,
        search.database / 1_000_000,
        megabytes(search.memory_before),
        megabytes(search.memory_highest),
    )?;
    for word in &search.words {
        let first = if word.found == 0 { "–".to_owned() } else { word.first_page.to_string() };
        // Of a text that is everywhere only the first page was asked for.
        let all =
            if word.pages == 1 && word.found > 0 { "–".to_owned() } else { word.all_pages.to_string() };
        writeln!(text, "| {} | {} | {first} | {all} | {} |", word.what, word.found, word.pages)?;
    }
    writeln!(text)
}

fn write_logs(text: &mut String, logs: &Logs) -> std::fmt::Result {
    writeln!(
        text,
        "### {} log lines\n\n{} MB as text are {} MB in the store. Writing one takes {:.2} µs of a processor, the making of the \
         event and all that the store does later included; {:.0} a second went in.\n\nThe first 100 lines with a word, by \
         `switchboard logs --grep` while no server runs and by `GET /v1/logs` of a server. The page `/logs` shows 200 and counts all \
         of a day for its bars. Beside it `grep -m 100` on the text and \
         `zgrep -m 100` on the same packed by gzip. All files are in the memory of the system.\n\n\
         | | lines | `switchboard logs`, ms | `/v1/logs`, ms | `/logs`, ms | grep, ms | zgrep, ms |\n|---|---:|---:|---:|---:|---:|---:|",
        logs.lines,
        logs.text / 1_000_000,
        logs.stored / 1_000_000,
        logs.processor,
        logs.per_second
    )?;
    for word in &logs.words {
        let Word { ours, served, page, grep, zgrep, .. } = word;
        writeln!(text, "| {} | {} | {ours} | {served} | {page} | {grep} | {zgrep} |", word.what, word.found)?;
    }
    let rotation = &logs.rotation;
    writeln!(
        text,
        "\nThe page without a word took {} ms. The server had {} MB of memory before the first search and {} MB at most. With a budget of {} bytes {} lines were \
         written; the files never had more than {} bytes, and the oldest line was {}.\n",
        logs.page,
        megabytes(logs.memory_before),
        megabytes(logs.memory_highest),
        rotation.budget,
        rotation.lines,
        rotation.most,
        if rotation.went { "gone" } else { "still there" },
    )
}
