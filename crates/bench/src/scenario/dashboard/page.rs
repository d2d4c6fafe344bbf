//! Visits to the first page: when it is painted, what it weighs, and what it shows; when any page is painted.

use std::time::Duration;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::browser::Browser;
use crate::contender::{ADMIN, ADMIN_PASSWORD};
use crate::latency::Latencies;

/// Gathers what the page knows of itself, a moment after it is loaded: the largest paint may come after the first one.
const LOOK: &str = r#"new Promise((resolve) => {
    let largest = 0;
    new PerformanceObserver((list) => { for (const paint of list.getEntries()) largest = Math.max(largest, paint.startTime); })
        .observe({ type: "largest-contentful-paint", buffered: true });
    setTimeout(() => {
        const [page] = performance.getEntriesByType("navigation");
        const [first] = performance.getEntriesByName("first-contentful-paint");
        const files = performance.getEntriesByType("resource");
        const strip = document.querySelector('.card[id^="c-account:"] .strip svg');
        const shown = [...(strip?.querySelectorAll("path:not(.n)") ?? [])].flatMap((path) =>
            [...path.getAttribute("d").matchAll(/h(\d+)/g)].map((run) => Number(run[1])));
        resolve({
            painted_ms: Math.max(largest, first?.startTime ?? 0),
            server_ms: page.responseEnd - page.requestStart,
            page: page.transferSize,
            files: files.reduce((sum, file) => sum + file.transferSize, 0),
            unpacked: page.decodedBodySize + files.reduce((sum, file) => sum + file.decodedBodySize, 0),
            cards: document.querySelectorAll(".card").length,
            minutes_shown: shown.reduce((sum, minutes) => sum + minutes, 0),
        });
    }, 400);
})"#;

/// When the page was first painted, in milliseconds.
const FIRST_PAINT: &str = r#"new Promise((resolve) => {
    const look = () => {
        const [first] = performance.getEntriesByName("first-contentful-paint");
        if (first) resolve(first.startTime);
        else setTimeout(look, 20);
    };
    look();
})"#;

/// What a first visit brings over the wire, heads included, in bytes.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Weight {
    pub(crate) page: u64,
    pub(crate) files: u64,
    /// Both as they are once unpacked.
    pub(crate) unpacked: u64,
}

/// What the page says of one visit.
#[derive(Debug, Deserialize)]
struct PageReport {
    painted_ms: f64,
    server_ms: f64,
    page: u64,
    files: u64,
    unpacked: u64,
    cards: u64,
    minutes_shown: u64,
}

/// What was seen over many visits.
#[derive(Default)]
pub(super) struct Visits {
    pub(super) first: Latencies,
    pub(super) later: Latencies,
    pub(super) server: Latencies,
    pub(super) weight: Weight,
    pub(super) cards: u64,
    pub(super) minutes_shown: u64,
}

/// Signs in as the first person, by the form.
pub(crate) async fn sign_in(browser: &Browser, base: &str) -> Result<()> {
    browser.open(&format!("{base}/sign-in")).await?;
    browser.write("#name", ADMIN).await?;
    browser.write("#password", &format!("{ADMIN_PASSWORD}\u{e007}")).await?;
    // The first page sets the time zone and loads itself once more.
    tokio::time::sleep(Duration::from_secs(2)).await;
    browser.open(&format!("{base}/")).await
}

/// Visits the first page so many times in each of two ways: with nothing kept, and with its files kept.
pub(super) async fn visit(browser: &Browser, base: &str, times: usize) -> Result<Visits> {
    let mut visits = Visits::default();
    for _ in 0..times {
        for first in [true, false] {
            browser.open("about:blank").await?;
            if first {
                browser.forget_files().await?;
            }
            browser.open(&format!("{base}/")).await?;
            let report: PageReport = browser.ask(LOOK).await?;
            visits.note(first, &report);
        }
    }
    Ok(visits)
}

/// From the start of the navigation to the first paint, the fastest of so many visits. The browser keeps the files.
pub(crate) async fn first_paint(browser: &Browser, address: &str, times: usize) -> Result<Duration> {
    let mut fastest = Duration::MAX;
    for _ in 0..times {
        browser.open("about:blank").await?;
        browser.open(address).await?;
        fastest = fastest.min(milliseconds(browser.ask(FIRST_PAINT).await?));
    }
    Ok(fastest)
}

impl Visits {
    fn note(&mut self, first: bool, report: &PageReport) {
        let painted = milliseconds(report.painted_ms);
        if first {
            self.first.add(painted);
            let heavier = report.page + report.files > self.weight.page + self.weight.files;
            if heavier {
                self.weight = Weight { page: report.page, files: report.files, unpacked: report.unpacked };
            }
        } else {
            self.later.add(painted);
        }
        self.server.add(milliseconds(report.server_ms));
        (self.cards, self.minutes_shown) = (report.cards, report.minutes_shown);
    }
}

pub(super) fn milliseconds(time: f64) -> Duration {
    Duration::try_from_secs_f64(time / 1e3).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_first_visit_counts() {
        let report = |painted_ms, page, files| PageReport {
            painted_ms,
            server_ms: 3.5,
            page,
            files,
            unpacked: 9,
            cards: 48,
            minutes_shown: 118,
        };
        let mut visits = Visits::default();
        visits.note(true, &report(120.25, 20, 10));
        visits.note(false, &report(80.0, 20, 0));
        visits.note(true, &report(100.0, 15, 10));
        assert_eq!((visits.weight.page, visits.weight.files), (20, 10));
        assert_eq!((visits.first.summary().max, visits.first.summary().count), (120_250, 2));
        assert_eq!((visits.later.summary().p50, visits.server.summary().count), (80_000, 3));
        assert_eq!(milliseconds(-1.0), Duration::MAX);
    }
}
