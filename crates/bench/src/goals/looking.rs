//! The goals of what people look at: the dashboard, messages by their text, log lines.

use super::Goal;
use crate::latency::Summary;
use crate::report::{megabytes, milliseconds};
use crate::scenario::dashboard::Dashboard;
use crate::scenario::logs::Logs;
use crate::scenario::search::Search;

/// A page is painted in less than this nine times of ten, in microseconds.
const PAINTED: u32 = 300_000;

/// What was pressed has changed in less than this nine times of ten, in microseconds.
const PRESSED: u32 = 100_000;

/// A first visit brings less than this, in bytes.
const WEIGHT: u64 = 150_000;

/// An open page takes less than this of the server, in milliseconds a second: one in a hundred of a core.
const OPEN: f64 = 10.0;

/// The first lines with a word among the log lines, in milliseconds.
const WORD: u128 = 1_000;

/// A small server's memory, in kilobytes: what a search takes must fit beside everything else.
const SMALL_SERVER: u64 = 512 * 1_024;

/// The goals of the dashboard.
pub(crate) fn of_the_dashboard(dashboard: Option<&Dashboard>) -> Vec<Goal> {
    let Some(measured) = dashboard else { return Vec::new() };
    let weight = measured.weight.page + measured.weight.files;
    let (usual, slowest) = measured.slowest();
    let more = (measured.watched - measured.alone).max(0.0);
    let mut goals = vec![
        Goal {
            what: "the overview painted, nothing kept by the browser, p90",
            wanted: format!("< {} ms", PAINTED / 1_000),
            measured: format!("{} ms", milliseconds(measured.first_visit.p90)),
            met: is_below(measured.first_visit, PAINTED),
        },
        Goal {
            what: "the overview painted, files kept, p90",
            wanted: format!("< {} ms", PAINTED / 1_000),
            measured: format!("{} ms", milliseconds(measured.later_visit.p90)),
            met: is_below(measured.later_visit, PAINTED),
        },
        Goal {
            what: "any action, from the press to what it changed, p90 of the slowest one",
            wanted: format!("< {} ms", PRESSED / 1_000),
            measured: format!(
                "{} ms; the slowest of all {} presses {} ms",
                milliseconds(usual),
                measured.pressed(),
                milliseconds(slowest)
            ),
            met: !measured.presses.is_empty()
                && measured.presses.iter().all(|press| is_below(press.times, PRESSED)),
        },
        Goal {
            what: "weight of a first visit, compressed, with all files",
            wanted: format!("< {} kB", WEIGHT / 1_000),
            measured: format!("{}.{} kB", weight / 1_000, weight % 1_000 / 100),
            met: weight > 0 && weight < WEIGHT,
        },
        Goal {
            what: "CPU that an open page takes of the server",
            wanted: format!("< {:.0} % of a core", OPEN / 10.0),
            measured: format!("{:.2} %", more / 10.0),
            met: measured.accounts > 0 && more < OPEN,
        },
    ];
    if !measured.unknown_methods.is_empty() {
        let names: Vec<_> = measured.unknown_methods.iter().map(ToString::to_string).collect();
        goals.push(Goal {
            what: "methods of many accounts that the pretend Telegram does not know",
            wanted: "none".to_owned(),
            measured: names.join(", "),
            met: false,
        });
    }
    goals
}

fn is_below(times: Summary, limit: u32) -> bool {
    times.count > 0 && times.p90 < limit
}

/// The goals of looking for messages.
pub(crate) fn of_the_search(search: Option<&Search>) -> Vec<Goal> {
    let Some(measured) = search else { return Vec::new() };
    let right = measured.words.iter().all(|word| word.found == word.expected);
    vec![Goal {
        what: "messages with the text that were found",
        wanted: "all".to_owned(),
        measured: if right { "all" } else { "not all" }.to_owned(),
        met: right && measured.messages > 0 && !measured.words.is_empty(),
    }]
}

/// The goals of the log store.
pub(crate) fn of_logs(logs: Option<&Logs>) -> Vec<Goal> {
    let Some(measured) = logs else { return Vec::new() };
    let slowest = measured.words.iter().map(|word| word.ours.max(word.served)).max().unwrap_or(u128::MAX);
    let right =
        measured.words.iter().all(|word| word.found == word.expected && word.served_found == word.expected);
    let rotation = &measured.rotation;
    vec![
        Goal {
            what: "the first 100 log lines with a word, whichever",
            wanted: format!("< {WORD} ms"),
            measured: format!("{slowest} ms"),
            met: slowest < WORD,
        },
        Goal {
            what: "lines with the word that were found",
            wanted: "all".to_owned(),
            measured: if right { "all" } else { "not all" }.to_owned(),
            met: right && !measured.words.is_empty(),
        },
        Goal {
            what: "log lines written, none dropped",
            wanted: measured.lines.to_string(),
            measured: measured.written.to_string(),
            met: measured.written == measured.lines,
        },
        Goal {
            what: "memory of the server at most, while all of them are searched",
            wanted: format!("< {} MB", megabytes(SMALL_SERVER)),
            measured: format!("{} MB", megabytes(measured.memory_highest)),
            met: measured.memory_highest > 0 && measured.memory_highest < SMALL_SERVER,
        },
        Goal {
            what: "log files on the disk at most, with a budget, in bytes",
            wanted: format!("≤ {}", rotation.budget),
            measured: rotation.most.to_string(),
            met: rotation.most > 0 && rotation.most <= rotation.budget && rotation.went,
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::dashboard::{Press, Weight};
    use crate::scenario::logs::{Rotation, Word};
    use crate::scenario::search::Text;

    fn missed(goals: &[Goal]) -> usize {
        goals.iter().filter(|goal| !goal.met).count()
    }

    fn summary(p90: u32) -> Summary {
        Summary { count: 10, p90, ..Summary::default() }
    }

    #[test]
    fn each_goal_of_the_dashboard_can_be_missed() {
        let dashboard = |painted, pressed, weight, watched| Dashboard {
            accounts: 2_000,
            first_visit: summary(painted),
            later_visit: summary(painted),
            presses: vec![
                Press { what: "a", times: summary(1) },
                Press { what: "b", times: summary(pressed) },
            ],
            weight: Weight { page: weight, files: 1, unpacked: 0 },
            alone: 5.0,
            watched,
            ..Dashboard::default()
        };
        assert_eq!(missed(&of_the_dashboard(Some(&dashboard(299_999, 99_999, 149_998, 14.9)))), 0);
        let mut bad = dashboard(300_000, 100_000, 149_999, 15.0);
        bad.unknown_methods.push("x.y".into());
        assert_eq!(missed(&of_the_dashboard(Some(&bad))), 6);
        assert_eq!(missed(&of_the_dashboard(Some(&Dashboard::default()))), 5);
        assert!(of_the_dashboard(None).is_empty());
    }

    #[test]
    fn an_action_is_judged_by_its_p90_and_its_slowest_press_is_told_beside_it() {
        let press =
            |p90, max| Press { what: "a", times: Summary { count: 10, p90, max, ..Summary::default() } };
        let goal = |presses| {
            let goals = of_the_dashboard(Some(&Dashboard { presses, ..Dashboard::default() }));
            let mut goals = goals.into_iter().filter(|goal| goal.what.starts_with("any action"));
            goals.next().map(|goal| (goal.measured, goal.met))
        };
        let told = "90.0 ms; the slowest of all 20 presses 300.0 ms".to_owned();
        assert_eq!(goal(vec![press(90_000, 95_000), press(20_000, 300_000)]), Some((told, true)));
        assert!(goal(vec![press(90_000, 95_000), press(100_000, 100_000)]).is_some_and(|(_, met)| !met));
    }

    #[test]
    fn each_goal_of_logs_and_of_the_search_can_be_missed() {
        let word = |ours, served, served_found| Word {
            what: "a",
            found: 1,
            expected: 1,
            ours,
            served,
            served_found,
            page: 1,
            grep: 1,
            zgrep: 1,
        };
        let logs = |word, written, memory_highest, most| Logs {
            lines: 7,
            written,
            memory_highest,
            rotation: Rotation { budget: 10, most, lines: 5, went: true },
            words: vec![word],
            ..Logs::default()
        };
        assert_eq!(missed(&of_logs(Some(&logs(word(999, 999, 1), 7, SMALL_SERVER - 1, 10)))), 0);
        assert_eq!(missed(&of_logs(Some(&logs(word(1, 1_000, 2), 6, SMALL_SERVER, 11)))), 5);
        let text = |found| Text { what: "a", found, expected: 1, first_page: 1, all_pages: 1, pages: 1 };
        let search = |found| Search { messages: 1, words: vec![text(found)], ..Search::default() };
        assert_eq!(
            (missed(&of_the_search(Some(&search(1)))), missed(&of_the_search(Some(&search(0))))),
            (0, 1)
        );
    }
}
