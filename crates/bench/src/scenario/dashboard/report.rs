//! What is reported of the dashboard, beside what users of Uptime Kuma report in public.

use serde_json::Value;

use super::Dashboard;
use crate::latency::Summary;
use crate::report::{Goal, Measured, megabytes, milliseconds, table};

/// A page is painted in less than this nine times of ten, in microseconds.
const PAINTED: u32 = 300_000;

/// What was pressed has changed in less than this nine times of ten, in microseconds.
const PRESSED: u32 = 100_000;

/// A first visit brings less than this, in bytes.
const WEIGHT: u64 = 150_000;

/// An open page takes less than this of the server, in milliseconds a second: one in a hundred of a core.
const OPEN: f64 = 10.0;

/// Public reports on Uptime Kuma: the issue, the version, the monitors, an action and the first page, in milliseconds.
const KUMA: [(u32, &str, &str, &str, &str); 4] = [
    (7079, "2.1.3", "700", "about 45,000, each, loading included", "about 45,000"),
    (7616, "2.4.0, MariaDB", "1,855", "not reported", "more than 50,000"),
    (5641, "2.0.0-beta.1, 16 vCPU, 64 GB, MySQL", "1,400", "not reported", "10,000 to 15,000"),
    (6181, "2.0.0-beta.3, MariaDB", "882", "not reported", "15,000"),
];

impl Measured for Dashboard {
    fn text(&self) -> String {
        let Self { accounts, cards, beats, weight, .. } = self;
        let visits = [
            ("the overview, nothing kept by the browser", self.first_visit),
            ("the overview, its files kept", self.later_visit),
            ("… of which the server took", self.server),
        ];
        let presses = self.presses.iter().map(|press| (press.what, press.times));
        let times = visits.into_iter().chain(presses).map(|(what, times)| {
            format!("| {what} | {} |", [times.p50, times.p90, times.max].map(milliseconds).join(" | "))
        });
        let [usual, slowest] = <[u32; 2]>::from(self.slowest()).map(milliseconds);
        let [first, first_slowest] = [self.first_visit.p90, self.first_visit.max].map(milliseconds);
        let ours = format!(
            "| Switchboard | this run | {accounts} accounts, {cards} cards | {usual} (p90 of the slowest one; slowest press \
             {slowest}) | {first} (p90; slowest {first_slowest}) |"
        );
        let kuma = KUMA.map(|(issue, version, monitors, action, overview)| {
            let link =
                format!("[Uptime Kuma #{issue}](https://github.com/louislam/uptime-kuma/issues/{issue})");
            format!("| {link} | {version} | {monitors} monitors | {action} | {overview} |")
        });
        format!(
            "## The dashboard with {accounts} accounts and {beats} beats\n\nAll {accounts} accounts are signed in to the pretend \
             Telegram and ready, each over a connection of its own. The beats are minutes of {cards} cards, written through the store \
             while the program was down, in {:.1} s; their file has {} MB. Started on that, the program took requests after {} ms and \
             had all accounts ready after {} ms; it has {} MB of memory at the end and had {} MB at most.\n\nThe pages are seen by a \
             headless Chromium on the same machine, over HTTP on loopback. A visit ends with its largest paint; what is pressed is \
             pressed with a pointer, and ends with the frame that shows the change, or with the first paint of the page that it leads \
             to. The strip of one card showed {} minutes.\n\n{}Each action was pressed {} times. The goal of 100 ms holds for the p90 \
             of each action; the slowest press of each stands beside it, here and among the goals.\n\nA first visit brings {} bytes of \
             the page and {} bytes of its files over the wire; unpacked they are {}. An idle program takes {:.2} ms of a processor in \
             a second, and {:.2} ms with one page open.\n\nBeside Uptime Kuma, a dashboard of the same kind. Its numbers are what \
             people report in its public issues, on machines of their own; it was not run here, so that there is no ratio.\n\n{}",
            self.filled_in,
            self.file / 1_000_000,
            self.ready_after,
            self.accounts_ready_after,
            megabytes(self.memory),
            megabytes(self.memory_highest),
            self.minutes_shown,
            table("| | p50, ms | p90, ms | slowest, ms |", times),
            self.presses.iter().map(|press| press.times.count).min().unwrap_or(0),
            weight.page,
            weight.files,
            weight.unpacked,
            self.alone,
            self.watched,
            table(
                "| | version | looked after | an action, ms | the first page, ms |",
                [ours].into_iter().chain(kuma)
            )
        )
    }

    fn goals(&self) -> Vec<Goal> {
        let weight = self.weight.page + self.weight.files;
        let (usual, slowest) = self.slowest();
        let more = (self.watched - self.alone).max(0.0);
        let is_below = |times: Summary, limit| times.count > 0 && times.p90 < limit;
        let painted = |what, times: Summary| {
            let wanted = format!("< {} ms", PAINTED / 1_000);
            Goal::new(what, wanted, format!("{} ms", milliseconds(times.p90)), is_below(times, PAINTED))
        };
        vec![
            painted("the overview painted, nothing kept by the browser, p90", self.first_visit),
            painted("the overview painted, files kept, p90", self.later_visit),
            Goal::new(
                "any action, from the press to what it changed, p90 of the slowest one",
                format!("< {} ms", PRESSED / 1_000),
                format!(
                    "{} ms; the slowest of all {} presses {} ms",
                    milliseconds(usual),
                    self.pressed(),
                    milliseconds(slowest)
                ),
                !self.presses.is_empty() && self.presses.iter().all(|press| is_below(press.times, PRESSED)),
            ),
            Goal::new(
                "weight of a first visit, compressed, with all files",
                format!("< {} kB", WEIGHT / 1_000),
                format!("{}.{} kB", weight / 1_000, weight % 1_000 / 100),
                weight > 0 && weight < WEIGHT,
            ),
            Goal::new(
                "CPU that an open page takes of the server",
                format!("< {:.0} % of a core", OPEN / 10.0),
                format!("{:.2} %", more / 10.0),
                self.accounts > 0 && more < OPEN,
            ),
        ]
    }

    fn unknown_methods(&self) -> Vec<&Value> {
        self.unknown_methods.iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Press, Weight};
    use super::*;
    use crate::report::assert_missed;

    #[test]
    fn each_goal_can_be_missed() {
        let summary = |p90| Summary { count: 10, p90, ..Summary::default() };
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
        assert_missed(&dashboard(299_999, 99_999, 149_998, 14.9), 0);
        assert_missed(&dashboard(300_000, 100_000, 149_999, 15.0), 5);
        assert_missed(&Dashboard::default(), 5);
    }

    #[test]
    fn the_p90_of_an_action_counts_not_its_slowest_press() {
        let press =
            |p90, max| Press { what: "a", times: Summary { count: 10, p90, max, ..Summary::default() } };
        let goal = |presses| {
            let goals = Dashboard { presses, ..Dashboard::default() }.goals();
            let mut goals = goals.into_iter().filter(|goal| goal.what.starts_with("any action"));
            goals.next().map(|goal| (goal.measured, goal.met))
        };
        let shown = "90.0 ms; the slowest of all 20 presses 300.0 ms".to_owned();
        assert_eq!(goal(vec![press(90_000, 95_000), press(20_000, 300_000)]), Some((shown, true)));
        assert!(goal(vec![press(90_000, 95_000), press(100_000, 100_000)]).is_some_and(|(_, met)| !met));
    }
}
